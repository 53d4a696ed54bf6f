"""Google's registries refuse what a tag or an index still uses (GoogleCloudPlatform/gcr-cleaner#118)."""

from bulkrm.model.failure import FailureCode
from bulkrm.protocol.manners import Manners, Refusal
from bulkrm.quirks.quirk import Quirk

_TAG = "tags still point to this manifest, and this registry wants them deleted first: `gcloud artifacts docker tags delete`"
_PARENT = "an index still names this manifest; delete the index first"
QUIRK = Quirk(
    "Google Artifact Registry",
    Manners(
        refusals=(
            Refusal(400, "GOOGLE_MANIFEST_DANGLING_TAG", FailureCode.REFUSED, _TAG),
            Refusal(400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", FailureCode.REFUSED, _PARENT),
        )
    ),
)
