"""Azure Container Registry: it may answer 405 because one image is locked (Azure/acr-cli#70)."""

from bulkrm.families.family import Family
from bulkrm.model.result.failure import FailureCode
from bulkrm.protocol.traits import Refusal, Traits

_HINT = "the image or repository is locked; `az acr repository update --delete-enabled true --write-enabled true`"
FAMILY = Family("ACR", Traits(refusals=(Refusal(405, "REGISTRY_DISALLOWED_OPERATION", FailureCode.REFUSED, _HINT),)))
