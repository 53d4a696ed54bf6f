"""distribution (registry:2, registry:3): its operator collects the garbage, by a command, while nobody pushes.

It has no name in its answers, and `Docker-Distribution-Api-Version` is sent by nearly everybody. What it answers to
`GET /v2/` is its own in the details: `{}` as JSON (registry/handlers/app.go, apiBase), and an UNAUTHORIZED with the key
`detail` (registry/api/errcode). What is built on it, or answers like it, says who it is in another header or in the
service of its challenge: GitLab, Harbor, Artifactory, Nexus. They collect their garbage in ways of their own.

3.0.0 to 3.1.0 delete tags although deletion is disabled (commit 8baf3e082): that is no registry that deletes tags only.
"""

from bulkrm.families.family import Family
from bulkrm.protocol.auth.challenge import parse_challenges
from bulkrm.protocol.message import Answer
from bulkrm.protocol.traits import Traits

_OTHERS = ("Gitlab-Container-Registry-Version", "X-JFrog-Version", "X-Artifactory-Id", "X-Harbor-Csrf-Token")
_SERVICES = frozenset({"harbor-registry", "container_registry"})


def _sign(answer: Answer) -> bool:
    if "Docker-Distribution-Api-Version" not in answer.headers or any(name in answer.headers for name in _OTHERS):
        return False
    if answer.headers.get("Server", "").lower().startswith(("nexus", "artifactory")):
        return False
    challenges = parse_challenges(answer.headers.getall("WWW-Authenticate", []))
    if any(challenge.parameters.get("service") in _SERVICES for challenge in challenges):
        return False
    return _is_own(answer)


def _is_own(answer: Answer) -> bool:
    body = answer.json()
    if answer.status == 200:  # noqa: PLR2004
        return isinstance(body, dict) and not body
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and first.get("code") == "UNAUTHORIZED" and "detail" in first


FAMILY = Family("distribution", Traits(collected_by_command=True, deletes_manifests=True), sign=_sign)
