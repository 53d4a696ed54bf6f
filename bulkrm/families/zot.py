"""zot: it answers 405 for the child of an index, and may answer 409 for a digest with two tags.

Source: project-zot/zot pkg/api/routes.go, DeleteManifest.
"""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode
from bulkrm.protocol.traits import Refusal, Traits

_CHILD = "an index still names this manifest; delete the index first"
_COLLISION = (
    "zot's policy for this user does not delete a digest with several tags (detectManifestCollision); bulkrm has removed "
    "the tags that it knew, so there is another one: list it too, or run with --shared delete"
)
FAMILY = Family(
    "zot",
    Traits(
        refusals=(
            Refusal(405, "DENIED", FailureCode.REFUSED, _CHILD),
            Refusal(409, "MANIFEST_INVALID", FailureCode.REFUSED, _COLLISION, tagged=True),
        )
    ),
)
