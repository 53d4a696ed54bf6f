"""Harbor: it answers 412 for immutable tags and children of an index (goharbor/harbor src/lib/http/error.go)."""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode
from bulkrm.protocol.traits import Refusal, Traits

_IMMUTABLE = "a tag immutability rule of the Harbor project keeps the image; the message names the tag"
_CHILD = "an index still names this manifest; delete the index first"
FAMILY = Family(
    "Harbor",
    Traits(
        refusals=(
            Refusal(412, "VIOLATE_FOREIGN_KEY_CONSTRAINT", FailureCode.REFUSED, _CHILD),
            Refusal(412, "PRECONDITION", FailureCode.REFUSED, _IMMUTABLE, methods=frozenset({"DELETE", "PUT"})),
        )
    ),
)
