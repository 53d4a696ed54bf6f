"""The state of each credential at one registry host: accepted, refused, or not known yet.

Three rules need it. A wrong password is sent once and not once for each request, because accounts get locked: until a
credential was accepted, requests with it are sent one at a time. A 401 to an accepted credential means that its user lacks
the right. When a password of a helper is refused, the helper is asked for a new one.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import anyio

from bulkrm.model.reference import Repository
from bulkrm.model.settings import Credential
from bulkrm.remote.clock import Clock
from bulkrm.remote.credentials import Credentials


@dataclass(slots=True)
class _State:
    """The state of one credential at this host. `lock`: held by a request until the credential is accepted."""

    accepted: bool = False
    refused: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock)


NOBODY_WAITS: AbstractAsyncContextManager[None] = nullcontext()


class Logins:
    """The credentials of one host with their states. None is the anonymous user."""

    def __init__(self, host: str, credentials: Credentials, clock: Clock) -> None:
        """`credentials`: looks up those of `host`."""
        self._host = host
        self._credentials = credentials
        self._clock = clock
        self._states: dict[Credential | None, _State] = {}
        self._found: dict[str, Credential | None] = {}

    def of(self, repository: Repository | None) -> Credential | None:
        """Return the credentials of requests for a repository, or (None) for the host itself."""
        path = repository.path if repository else ""
        if path not in self._found:
            self._found[path] = self._credentials.login(self._host, path)
        return self._found[path]

    def is_prepared(self, repository: Repository | None) -> bool:
        """Tell whether `of` has the credentials for a repository without `prepare`."""
        path = repository.path if repository else ""
        return path in self._found or self._credentials.is_prepared(self._host, path)

    async def prepare(self, repository: Repository | None) -> None:
        """Ask the deferred sources for the credentials for a repository. Raises RequestFailed."""
        await self._credentials.prepare(self._host, repository)

    @property
    def for_whole_host(self) -> bool:
        """Tell whether one credential is used for all repositories of the host."""
        return self._credentials.is_one_for_all(self._host)

    def was_accepted(self, login: Credential | None) -> bool:
        """Tell whether the host accepted this credential in any request."""
        return self._state_of(login).accepted

    def was_refused(self, login: Credential | None) -> bool:
        """Tell whether the host refused this credential for good."""
        return self._state_of(login).refused

    def accepted(self, login: Credential | None) -> None:
        """Note that the host accepted this credential."""
        self._state_of(login).accepted = True

    async def refused(self, login: Credential) -> Credential | None:
        """Note that a credential was refused by a 401; return a new one of the helper, which replaces it, or None.

        Without a new one, a credential that the host never accepted counts as refused for good.
        """
        fresh = await self._credentials.replacement(self._host, login, self._clock.monotonic())
        state = self._state_of(login)
        if fresh is not None:
            self._found.clear()
            state.refused = True
        elif not state.accepted:
            state.refused = True
        return fresh

    def alone(self, login: Credential | None) -> AbstractAsyncContextManager[None]:
        """Return a context for one send: until the host has accepted the password, one request at a time is in it."""
        state = self._state_of(login)
        return NOBODY_WAITS if state.accepted else state.lock

    def _state_of(self, login: Credential | None) -> _State:
        state = self._states.get(login)
        if state is None:
            state = self._states[login] = _State()
        return state
