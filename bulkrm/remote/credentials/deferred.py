"""Deferred sources of credentials: they are asked during a run, for one repository at a time, before its first request."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from bulkrm.model.errors import InputError, Problem, RequestFailed
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.extensions.plugin_call import silent_error_of
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.settings import Credential, IdentityToken, Login, RegistryToken
from bulkrm.protocol.explanation import clean

# Returns the credentials for a repository of a host, or (None) for the host itself; None: it has none. Raises InputError.
Ask = Callable[[str, Repository | None], Awaitable[Credential | None]]
_MAX_TEXT = 400
_SECONDS = 30.0  # the time limit of credential helpers too
_HINT = "`bulkrm login --check HOST/REPOSITORY` shows which credentials are used"


@dataclass(frozen=True, slots=True, eq=False)
class DeferredSource:
    """A source whose `ask` is called during a run. `seconds`: its time limit. `plugin`: whose source it is; None: bulkrm's.

    `users`: the user that was named for a host; credentials of other users for that host are ignored.
    """

    name: str
    ask: Ask
    users: Mapping[str, str] = field(default_factory=dict)
    seconds: float = _SECONDS
    plugin: Plugin | None = None

    async def login(self, host: str, repository: Repository | None) -> Credential | None:
        """Return the credentials for a repository, or for the host (None); None: the source has none.

        Raises RequestFailed if the source fails, exceeds the time limit, or returns something that is not a credential.
        """
        try:
            with anyio.move_on_after(self.seconds) as limit:
                given: Any = self.ask(host, repository)
                found: Any = await given if inspect.isawaitable(given) else given
        except InputError as error:
            problem = next(iter(error.problems), Problem("", "it failed, and did not say why"))
            reach = Reach.HOST if repository is None else Reach.REPOSITORY
            raise self._failed(host, problem.what, problem.remedy, reach) from error
        except (Exception, SystemExit) as error:
            if self.plugin is None:
                raise
            failed = silent_error_of(self.plugin, error)
            raise self._failed(host, str(failed), failed.remedy) from error
        if limit.cancelled_caught:
            raise self._failed(host, f"it did not answer in {self.seconds:g} s")
        if not isinstance(found, Login | IdentityToken | RegistryToken | None):
            whose = f"plugin {self.plugin}: " if self.plugin is not None else ""
            raise self._failed(host, f"{whose}it gave {type(found).__name__}, which is no credential")
        user = self.users.get(host)
        is_wanted = user is None or (isinstance(found, Login) and found.username == user)
        return found if is_wanted else None

    def _failed(self, host: str, what: str, hint: str = _HINT, reach: Reach = Reach.HOST) -> RequestFailed:
        message = clean(f"credentials for {host} from {self.name}: {what}", _MAX_TEXT)
        return RequestFailed(
            Failure(FailureCode.BAD_CREDENTIALS, message, hint=clean(hint, _MAX_TEXT) or _HINT, reach=reach)
        )


def no_password(user: str, host: str) -> Problem:
    """Return the problem of a user who was named, and whose password no source has."""
    what = f"no password for the user {user!r}, and neither config.json nor auth.json has one for {host}"
    remedy = "add -p to be asked, --password-stdin, --password-env NAME, or set REGISTRY_PASSWORD"
    return Problem("-u", what, remedy)
