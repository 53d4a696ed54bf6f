"""Docker Hub: the registry protocol deletes only what is untagged and unreferenced (Docker's registry API reference).

So tags are deleted first. Docker does not document whether this protocol deletes tags; if it does not, the answer to the
DELETE of a tag becomes the outcome, and no DELETE of the manifest is sent.
"""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.protocol.traits import Refusal, Traits

_TAGGED = (
    "Docker Hub deletes a manifest over this protocol only when no tag and no index uses it; delete the tags on "
    "hub.docker.com or through the Hub API first"
)
_NEVER = "Docker Hub does not delete this over the registry protocol; use hub.docker.com or the Hub API"
FAMILY = Family(
    "Docker Hub",
    Traits(
        refusals=(
            Refusal(403, None, FailureCode.REFUSED, _TAGGED, tagged=True),
            Refusal(405, None, FailureCode.NOT_SUPPORTED, _NEVER, Reach.HOST),
        ),
        untagged_first=True,
    ),
    hosts=("docker.io",),
    address="registry-1.docker.io",
)
