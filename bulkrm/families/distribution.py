"""distribution (registry:2, registry:3): an operator starts its garbage collection, at a time when nobody pushes.

Its answers do not name it, and nearly every registry sends `Docker-Distribution-Api-Version`. It is detected by its answer
to `GET /v2/`: `{}` as JSON (registry/handlers/app.go, apiBase), or an UNAUTHORIZED with the key `detail`
(registry/api/errcode). GitLab, Harbor, Artifactory and Nexus answer alike, but name themselves in another header or in
the service of their challenge; their garbage collection works in other ways.

3.0.0 to 3.1.0 delete tags although deletion is disabled (commit 8baf3e082), but distribution is not a tags-only registry.
"""

from bulkrm.families.family import Family
from bulkrm.model.http_status import OK
from bulkrm.protocol.auth.challenge import challenges_in
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import Traits

_OTHERS = ("Gitlab-Container-Registry-Version", "X-JFrog-Version", "X-Artifactory-Id", "X-Harbor-Csrf-Token")
_SERVICES = frozenset({"harbor-registry", "container_registry"})


def _detect(answer: Answer) -> bool:
    if "Docker-Distribution-Api-Version" not in answer.headers or any(name in answer.headers for name in _OTHERS):
        return False
    if answer.headers.get("Server", "").lower().startswith(("nexus", "artifactory")):
        return False
    challenges = challenges_in(answer)
    if any(challenge.parameters.get("service") in _SERVICES for challenge in challenges):
        return False
    return _is_own(answer)


def _is_own(answer: Answer) -> bool:
    body = answer.json()
    if answer.status == OK:
        return isinstance(body, dict) and not body
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and first.get("code") == "UNAUTHORIZED" and "detail" in first


FAMILY = Family("distribution", Traits(collected_by_command=True, deletes_manifests=True), detect=_detect)
