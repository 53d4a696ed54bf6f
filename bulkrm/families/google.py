"""Google's registries delete a manifest only when no tag and no index uses it (GoogleCloudPlatform/gcr-cleaner#118).

So the tags are deleted first, which these registries support over the same protocol. Behind a proxy with another host name
they are recognised by their first refusal.
"""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode
from bulkrm.protocol.traits import Refusal, Traits

_TAG = (
    "tags that the list does not name still point to this manifest, and this registry wants them deleted first: list "
    "them too, or `gcloud artifacts docker tags delete`"
)
_PARENT = "an index still names this manifest; delete the index first"
FAMILY = Family(
    "Google Artifact Registry",
    Traits(
        refusals=(
            Refusal(400, "GOOGLE_MANIFEST_DANGLING_TAG", FailureCode.REFUSED, _TAG, tagged=True),
            Refusal(400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", FailureCode.REFUSED, _PARENT),
        ),
        untagged_first=True,
    ),
    hosts=("gcr.io", "*.gcr.io", "*-docker.pkg.dev"),
    everywhere=True,
)
