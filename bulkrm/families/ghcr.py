"""GitHub's container registry: it deletes only through GitHub's REST API (containers/skopeo#1880)."""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.protocol.traits import Refusal, Traits

_HINT = (
    "GHCR does not delete over the registry protocol; use GitHub's package versions: "
    "`gh api --method DELETE /orgs/ORG/packages/container/NAME/versions/ID`"
)
FAMILY = Family(
    "GHCR", Traits(refusals=(Refusal(405, None, FailureCode.NOT_SUPPORTED, _HINT, Reach.HOST),)), hosts=("ghcr.io",)
)
