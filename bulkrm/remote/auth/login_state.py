"""The state of each credential at one registry host: accepted, refused, or not known yet.

Three rules need it. A wrong password is sent once and not once for each request, because accounts get locked: until a
credential was accepted, requests with it are sent one at a time. A 401 to an accepted credential means that its user lacks
the right. When a password of a helper is refused, the helper is asked for a new one.
"""

from dataclasses import dataclass, field

import anyio

from bulkrm.model.reference import Repository
from bulkrm.model.settings import Credential
from bulkrm.remote.clock import Clock
from bulkrm.remote.credentials import Credentials


@dataclass(slots=True, eq=False)
class LoginState:
    """The state of one credential at this host; None is the anonymous user.

    `accepted`: the host accepted it in any request. `refused`: it is not sent any more. `lock`: held by a request with a
    password until that is accepted.
    """

    credential: Credential | None
    accepted: bool = False
    refused: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock)


class Logins:
    """The credentials of one host with their states."""

    def __init__(self, host: str, credentials: Credentials, clock: Clock) -> None:
        """`credentials`: looks up those of `host`."""
        self._host = host
        self._credentials = credentials
        self._clock = clock
        self._states: dict[Credential | None, LoginState] = {}

    def of(self, repository: Repository | None) -> Credential | None:
        """Return the credentials of requests for a repository, or (None) for the host itself."""
        return self._credentials.login(self._host, repository.path if repository else "")

    def is_prepared(self, repository: Repository | None) -> bool:
        """Tell whether `of` has the credentials for a repository without `prepare`."""
        return self._credentials.is_prepared(self._host, repository.path if repository else "")

    async def prepare(self, repository: Repository | None) -> None:
        """Ask the deferred sources for the credentials for a repository. Raises RequestFailed."""
        await self._credentials.prepare(self._host, repository)

    @property
    def for_whole_host(self) -> bool:
        """Tell whether one credential is used for all repositories of the host."""
        return self._credentials.is_one_for_all(self._host)

    def state_of(self, login: Credential | None) -> LoginState:
        """Return the state of a credential; the same object each time."""
        state = self._states.get(login)
        if state is None:
            state = self._states[login] = LoginState(login)
        return state

    async def refused(self, login: Credential) -> Credential | None:
        """Note that a credential was refused by a 401; return a new one of the helper, which replaces it, or None.

        Without a new one, a credential that the host never accepted counts as refused for good.
        """
        fresh = await self._credentials.replacement(self._host, login, self._clock.monotonic())
        state = self.state_of(login)
        if fresh is not None or not state.accepted:
            state.refused = True
        return fresh
