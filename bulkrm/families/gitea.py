"""Gitea and Forgejo: an image that loses its last tag is deleted at once, with its layers, and cannot be restored.

A tag is a version of a package there, and its files are deleted with it (go-gitea/gitea
routers/api/packages/container/manifest.go and services/packages/cleanup). Both are detected by their challenge
(ReqContainerAccess in routers/api/packages/container/container.go): every release has its token server at
ROOT_URL/v2/token; some name the service `container_registry` and the scope `*`, the others name neither and also send a
bare Basic challenge.
"""

from bulkrm.families.family import Family
from bulkrm.protocol.auth.challenge import challenges_in
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import Traits


def _detect(answer: Answer) -> bool:
    challenges = challenges_in(answer)
    bare = any(challenge.scheme == "basic" and not challenge.parameters for challenge in challenges)
    for challenge in challenges:
        realm, service = challenge.parameters.get("realm", ""), challenge.parameters.get("service")
        if challenge.scheme == "bearer" and realm.endswith("/v2/token"):
            named = service == "container_registry" and challenge.parameters.get("scope") == "*"
            return named or (service is None and bare)
    return False


FAMILY = Family(
    "Gitea, Forgejo", Traits(restorable=False), hosts=("gitea.com", "codeberg.org", "code.forgejo.org"), detect=_detect
)
