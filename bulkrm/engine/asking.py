"""The one place where a request's failure becomes a value that the run can go on with."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

from bulkrm.client.registries import Registries
from bulkrm.client.registry import Registry
from bulkrm.engine.causes import Causes
from bulkrm.engine.circuit import Circuit
from bulkrm.model.errors import RequestFailed
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.reference import Repository

T = TypeVar("T")
STALE = 60.0  # seconds after which a repository is read a second time before anything of it goes
_NO_LOGIN = "no credentials were given: -u with -p or --password-stdin, REGISTRY_USERNAME and REGISTRY_PASSWORD, or `docker login`"


class Asking:
    """Asks registries, unless it is known already what they would say."""

    def __init__(self, registries: Registries) -> None:
        """Begin knowing nothing."""
        self._registries = registries
        self._causes = Causes()
        self._against_pushing = Causes()
        self._against_untagging = Causes()
        self._circuits: dict[str, Circuit] = defaultdict(Circuit)

    async def of(self, place: Repository | str, call: Callable[[Registry], Awaitable[T]]) -> T | Failure:
        """Make a call to the registry of a repository or host; a failure that reaches further is not asked for again."""
        return await self._ask(place, call, self._causes)

    async def push(self, place: Repository, call: Callable[[Registry], Awaitable[T]]) -> T | Failure:
        """Make a call that pushes. Who may not push may still delete, so what fails here is held against pushing only."""
        known = self._against_pushing.find(place)
        return await self._ask(place, call, self._against_pushing) if known is None else known

    async def untag(self, place: Repository, call: Callable[[Registry], Awaitable[T]]) -> T | Failure:
        """Make a call that deletes a tag. Where that cannot be done manifests may still go, so it is noted apart too."""
        known = self._against_untagging.find(place)
        return await self._ask(place, call, self._against_untagging) if known is None else known

    async def _ask(
        self, place: Repository | str, call: Callable[[Registry], Awaitable[T]], causes: Causes
    ) -> T | Failure:
        known = self.known(place)
        if known is not None:
            return known
        host = place if isinstance(place, str) else place.host
        registry, circuit = self._registries[host], self._circuits[host]
        try:
            result = await call(registry)
        except RequestFailed as error:
            failure = error.failure
        else:
            circuit.answered()
            return result
        repository = None if isinstance(place, str) else place
        if failure.code is FailureCode.NOT_PERMITTED and registry.host.authorizer.is_anonymous(repository):
            failure = replace(failure, hint=f"{_NO_LOGIN}; {failure.hint}" if failure.hint else _NO_LOGIN)
        if not circuit.counts(failure):
            causes.note(failure, place)
        circuit.failed(failure)
        return failure

    async def reliably(self, read: Callable[[], Awaitable[T]], forget: Callable[[], None]) -> T:
        """Read in bulk, over connections that requests share; once more where the answers on one were mixed up.

        `forget` is called before that, and every failure of such a host is forgotten too.
        """
        while True:
            with self._registries.sharing.bulk():
                result = await read()
            mixed_up = await self._registries.mixed_up()
            if not mixed_up:
                return result
            forget()
            for host in mixed_up:
                self._circuits.pop(host, None)
                for causes in (self._causes, self._against_pushing, self._against_untagging):
                    causes.forget(host)

    def again(self) -> AbstractContextManager[None]:
        """Read much a second time, over connections that requests share."""
        return self._registries.sharing.again()

    def is_confirmed(self, host: str) -> bool:
        """Tell whether what was read in bulk from a host can be relied on, also if the reading was cut short."""
        return self._registries[host].host.confirmed

    def anew(self) -> "Asking":
        """Return one that knows of no failures: for what has to be tried in any case, such as putting something back."""
        return Asking(self._registries)

    def known_of_tags(self, place: Repository) -> Failure | None:
        """Return the failure that deleting a tag of this place would meet, if one was found out already."""
        return self._against_untagging.find(place)

    def answered(self, host: str) -> None:
        """Note that a host answered in an earlier part of the run: where it does not now, that is trouble of its own."""
        self._circuits[host].answered()

    def known(self, place: Repository | str) -> Failure | None:
        """Return the failure that any call to this place would meet, if one was found out already."""
        return self._causes.find(place) or self._circuits[place if isinstance(place, str) else place.host].open

    def paused_since(self, host: str, moment: float) -> bool:
        """Tell whether what was read at a moment of the clock is stale by now because the host asked for a pause."""
        return self._registries[host].host.limiter.paused_since(moment, STALE)

    def workers(self, host: str) -> int:
        """How many jobs of a host are worth having under way."""
        return self._registries[host].host.limiter.allowed
