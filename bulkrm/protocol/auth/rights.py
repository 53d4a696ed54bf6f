"""Who may not: wrong credentials, missing rights, and what to say of them."""

from dataclasses import dataclass

from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.model.settings import Credential, IdentityToken, RegistryToken
from bulkrm.protocol.message import Request

_CHECK = "check the user and password: -u with -p, --password-stdin or REGISTRY_PASSWORD, or `docker login`"
_DOCKER_AUTH = '; with docker_auth an ACL with actions ["pull", "delete"] or ["*"]'
_UNAUTHORIZED = 401
_NEEDED = {"PUT": "push", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class CredentialState:
    """What is known of the user for whom a request was sent.

    `given`: there are credentials for what the request is about. `taken`: the host answered somebody with them before.
    `replaced`: there are others by now. `one_for_all`: they are those of the whole host, and not of some repositories.
    """

    given: bool = False
    taken: bool = False
    replaced: bool = False
    one_for_all: bool = True


NO_CREDENTIALS = CredentialState()


def missing_right(request: Request, wanted: Scope | None) -> str:
    """Name what a request was refused for. `wanted`: the scope that the challenge asks for, if it names one.

    A challenge asks for all that the request needs (2.8.2 for a PUT: `pull,push`). Who changes something has read it
    before, so it is not `pull` that is missing.
    """
    if request.repository is None:
        return str(wanted or CATALOG)
    needed = _NEEDED.get(request.method, "pull")
    actions = wanted.actions if wanted else frozenset[str]()
    return " and ".join(sorted(actions - {"pull"} if needed != "pull" else actions) or [needed])


def permission_hint(repository: Repository | None, missing: str, *, docker_auth: bool = False) -> str:
    """Say which right is missing, and where. `docker_auth`: it may be that token server which did not grant it."""
    if repository is None:
        return f"listing repositories needs the scope {missing}; list the repositories by name instead"
    if "push" in missing:
        return f"the user needs {missing} on {repository}: --allow-decoy and putting something back push"
    also = ", and delete to delete there" if "delete" not in missing else ""
    return f"the user needs {missing} on {repository}{also} (push is not enough){_DOCKER_AUTH if docker_auth else ''}"


def not_permitted(what: str, status: int, hint: str) -> Failure:
    """Make the failure of somebody who may not do something in one repository."""
    return Failure(FailureCode.NOT_PERMITTED, what, status, hint, Reach.REPOSITORY)


def bad_credentials(
    host: str, *, given: bool, one_for_all: bool = True, login: Credential | None = None, asked: float | None = None
) -> Failure:
    """Say that user or password are wrong, or that there should have been some.

    `login`: what there was, where it is of no use to a registry that wants a user and password. `asked`: seconds that
    the registry wants the next attempt to wait.
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
    return _bad(message, _CHECK, one_for_all=one_for_all)


def bad_ready_token(host: str, *, one_for_all: bool) -> Failure:
    """Say that a registry does not accept the token that the user brought along."""
    message = f"HTTP 401: {host} does not accept the ready token (`registrytoken` of config.json)"
    hint = "put a new one there, or `docker login`, or give -u and a password"
    return _bad(message, hint, one_for_all=one_for_all)


def _bad(message: str, hint: str, *, one_for_all: bool) -> Failure:
    reach = Reach.HOST if one_for_all else Reach.REPOSITORY
    return Failure(FailureCode.BAD_CREDENTIALS, message, _UNAUTHORIZED, hint, reach)
