"""What one registry host made of each of its credentials: took them, refused them, or has not said yet.

Three rules rest on it. A wrong password is tried once and not once for each request, because accounts get locked: until
a user was taken, one request with him goes alone. A user who was taken and is refused something has no right to it. And
a password that a helper gave is asked for again when it is refused.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import anyio

from bulkrm.model.reference import Repository
from bulkrm.model.settings import Credential
from bulkrm.remote.clock import Clock
from bulkrm.remote.credentials import Credentials


@dataclass(slots=True)
class _Standing:
    """What is known of one credential here."""

    taken: bool = False
    refused: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock)


NOBODY_WAITS: AbstractAsyncContextManager[None] = nullcontext()


class Logins:
    """The credentials of one host, as its requests use them. None is the anonymous user."""

    def __init__(self, host: str, credentials: Credentials, clock: Clock) -> None:
        """Begin with nothing said."""
        self._host = host
        self._credentials = credentials
        self._clock = clock
        self._standings: dict[Credential | None, _Standing] = {}
        self._found: dict[str, Credential | None] = {}

    def of(self, repository: Repository | None) -> Credential | None:
        """Return what requests about a repository carry; None as the repository: about the host."""
        path = repository.path if repository else ""
        if path not in self._found:
            self._found[path] = self._credentials.login(self._host, path)
        return self._found[path]

    def is_prepared(self, repository: Repository | None) -> bool:
        """Tell whether `of` knows what there is, without a source of credentials that has to be asked."""
        path = repository.path if repository else ""
        return path in self._found or self._credentials.is_prepared(self._host, path)

    async def prepare(self, repository: Repository | None) -> None:
        """Ask the sources of credentials that have to be asked for a repository. Raises RequestFailed."""
        await self._credentials.prepare(self._host, repository)

    @property
    def for_whole_host(self) -> bool:
        """Tell whether what becomes of one credential holds for all of the host."""
        return self._credentials.is_one_for_all(self._host)

    def was_taken(self, login: Credential | None) -> bool:
        """Tell whether the host answered somebody with this credential."""
        return self._standing(login).taken

    def was_refused(self, login: Credential | None) -> bool:
        """Tell whether it is known to be no good."""
        return self._standing(login).refused

    def taken(self, login: Credential | None) -> None:
        """Note that the host answered somebody with it."""
        self._standing(login).taken = True

    async def refused(self, login: Credential) -> Credential | None:
        """Note that it was refused by a 401; return what a helper gives instead, from now on used by everybody.

        Where there is nothing else, and the host never took it, it is no good.
        """
        fresh = await self._credentials.replacement(self._host, login, self._clock.monotonic())
        standing = self._standing(login)
        if fresh is not None:
            self._found.clear()
            standing.refused = True
        elif not standing.taken:
            standing.refused = True
        return fresh

    def alone(self, login: Credential | None) -> AbstractAsyncContextManager[None]:
        """Return a context in which a request goes alone as long as the host has not taken the password it brings."""
        standing = self._standing(login)
        return NOBODY_WAITS if standing.taken else standing.lock

    def _standing(self, login: Credential | None) -> _Standing:
        standing = self._standings.get(login)
        if standing is None:
            standing = self._standings[login] = _Standing()
        return standing
