"""The failures for wrong credentials and for missing rights, each with a hint."""

from bulkrm.model.http_status import UNAUTHORIZED
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.model.settings import Credential, IdentityToken, RegistryToken
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import Request

_CHECK = "check the user and password: -u with -p, --password-stdin or REGISTRY_PASSWORD, or `docker login`"
_DOCKER_AUTH = '; with docker_auth an ACL with actions ["pull", "delete"] or ["*"]'
_NEEDED = {"PUT": "push", "DELETE": "delete"}


@valueclass
class CredentialState:
    """The state of the credentials for a request.

    `given`: there are credentials. `accepted`: the host accepted them in an earlier request. `replaced`: a helper has
    issued new ones since the request was sent. `for_whole_host`: they are for all repositories of the host.
    """

    given: bool = False
    accepted: bool = False
    replaced: bool = False
    for_whole_host: bool = True


NO_CREDENTIALS = CredentialState()


def missing_right(request: Request, wanted: Scope | None) -> str:
    """Return the right whose lack made a registry refuse a request, for instance `delete`.

    `wanted`: the scope of the challenge, if it names one. It has all actions that the request needs (2.8.2 for a PUT:
    `pull,push`). bulkrm reads before it writes, so the missing right of a write is never `pull`.
    """
    if request.repository is None:
        return str(wanted or CATALOG)
    needed = _NEEDED.get(request.method, "pull")
    actions = wanted.actions if wanted else frozenset[str]()
    return " and ".join(sorted(actions - {"pull"} if needed != "pull" else actions) or [needed])


def permission_hint(repository: Repository | None, missing: str, *, docker_auth: bool = False) -> str:
    """Return the hint for a missing right. `docker_auth`: the token server that did not grant it may be docker_auth."""
    if repository is None:
        return f"listing repositories needs the scope {missing}; list the repositories by name instead"
    if "push" in missing:
        return f"the user needs {missing} on {repository}: --allow-decoy and putting something back push"
    also = ", and delete to delete there" if "delete" not in missing else ""
    return f"the user needs {missing} on {repository}{also} (push is not enough){_DOCKER_AUTH if docker_auth else ''}"


def not_permitted(what: str, status: int, hint: str) -> Failure:
    """Return the failure for a missing right in one repository; `what` is its message."""
    return Failure(FailureCode.NOT_PERMITTED, what, status, hint, Reach.REPOSITORY)


def bad_credentials(
    host: str, *, given: bool, for_whole_host: bool = True, login: Credential | None = None, asked: float | None = None
) -> Failure:
    """Return the failure for a wrong user or password; with `given` False, for a missing one.

    `login`: a token that the user has instead of a password, which this registry cannot use. `asked`: seconds that the
    registry asks clients to wait before the next attempt.
    """
    message = f"HTTP 401: {host} " + ("does not accept the user or password" if given else "wants a user and password")
    match login:
        case IdentityToken():
            message += "; an identity token is for token servers only"
        case RegistryToken():
            message += "; a ready token (`registrytoken` of config.json) is for registries with tokens only"
        case _:
            pass
    if asked:
        message += f", and asks to wait {asked:.0f} s: too many attempts?"
    return _bad_login(message, _CHECK, for_whole_host=for_whole_host)


def bad_ready_token(host: str, *, for_whole_host: bool) -> Failure:
    """Return the failure for a token of the user's configuration that the registry does not accept."""
    message = f"HTTP 401: {host} does not accept the ready token (`registrytoken` of config.json)"
    hint = "put a new one there, or `docker login`, or give -u and a password"
    return _bad_login(message, hint, for_whole_host=for_whole_host)


def _bad_login(message: str, hint: str, *, for_whole_host: bool) -> Failure:
    reach = Reach.HOST if for_whole_host else Reach.REPOSITORY
    return Failure(FailureCode.BAD_CREDENTIALS, message, UNAUTHORIZED, hint, reach)
