"""Azure Container Registry: 405 may mean that one image is locked (Azure/acr-cli#70)."""

from bulkrm.model.failure import FailureCode
from bulkrm.protocol.manners import Manners, Refusal
from bulkrm.quirks.quirk import Quirk

_HINT = "the image or repository is locked; `az acr repository update --delete-enabled true --write-enabled true`"
QUIRK = Quirk("ACR", Manners(refusals=(Refusal(405, "REGISTRY_DISALLOWED_OPERATION", FailureCode.REFUSED, _HINT),)))
