"""The one place where a request's failure becomes a value that the run can go on with."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

from bulkrm.engine.circuit_breaker import CircuitBreaker
from bulkrm.engine.known_failures import KnownFailures
from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode, TagsOnly
from bulkrm.protocol.traits import Traits
from bulkrm.remote.registries import Registries
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn

T = TypeVar("T")
_NO_LOGIN = "no credentials were given: -u with -p or --password-stdin, REGISTRY_USERNAME and REGISTRY_PASSWORD, or `docker login`"


class Gateway:
    """Asks registries, and remembers the failures that hold for a repository or a host: those are not asked for again."""

    def __init__(self, registries: Registries) -> None:
        """`registries`: the registries of the run, opened at their first request."""
        self._registries = registries
        self._counts_answers = True
        self._causes = KnownFailures()
        self._against_pushing = KnownFailures()
        self._against_untagging = KnownFailures()
        self._against_deleting = KnownFailures()
        self._breakers: dict[str, CircuitBreaker] = defaultdict(CircuitBreaker)

    def call(
        self, place: Repository | str, call: Callable[[Registry], Awaitable[T]]
    ) -> Coroutine[Any, Any, T | Failure]:
        """Make a call to the registry of a repository or host; a failure that reaches further is not asked for again."""
        return self._ask(place, call, self._causes)

    def delete(
        self, repository: Repository, digest: Digest, sending: Sending
    ) -> Coroutine[Any, Any, Removal | Failure]:
        """DELETE a manifest: see `Registry.delete`."""
        return self.call(repository, lambda registry: registry.delete(repository, digest, sending))

    def push(self, place: Repository, call: Callable[[Registry], Awaitable[T]]) -> Coroutine[Any, Any, T | Failure]:
        """Make a call that pushes. Who may not push may still delete, so what fails here is held against pushing only."""
        return self._ask(place, call, self._against_pushing)

    def untag(self, place: Repository, call: Callable[[Registry], Awaitable[T]]) -> Coroutine[Any, Any, T | Failure]:
        """Make a call that deletes a tag. Where that cannot be done manifests may still go, so it is noted apart too."""
        return self._ask(place, call, self._against_untagging)

    async def _ask(
        self, place: Repository | str, call: Callable[[Registry], Awaitable[T]], causes: KnownFailures
    ) -> T | Failure:
        known = causes.find(place) or self.known_failure(place)
        if known is not None:
            return known
        host = place if isinstance(place, str) else place.host
        registry, breaker = self._registries[host], self._breakers[host]
        try:
            result = await call(registry)
        except RequestFailed as error:
            failure = error.failure
        except Withdrawn as taken_back:
            if taken_back.failure is not None:
                breaker.failed(taken_back.failure)
            raise
        else:
            if self._counts_answers:
                breaker.answered()
            return result
        return self._remembered(failure, place, causes)

    def _remembered(self, failure: Failure, place: Repository | str, causes: KnownFailures) -> Failure:
        """Remember a failure as far as it reaches."""
        host, repository = (place, None) if isinstance(place, str) else (place.host, place)
        breaker, registry = self._breakers[host], self._registries[host]
        if failure.code is FailureCode.NOT_PERMITTED and registry.host.authorizer.is_anonymous(repository):
            failure = replace(failure, hint=f"{_NO_LOGIN}; {failure.hint}" if failure.hint else _NO_LOGIN)
        if not breaker.counts(failure):
            # Where no manifest is deleted a tag may be, and everything can be read.
            (self._against_deleting if isinstance(failure, TagsOnly) else causes).note(failure, place)
        breaker.failed(failure)
        return failure

    async def read_reliably(self, read: Callable[[], Awaitable[T]], forget: Callable[[], None]) -> T:
        """Read in bulk over shared connections; read again where a host turns out to have mixed up its answers.

        Before that `forget` is called, which drops what was read, and the failures of such hosts are forgotten too.
        """
        while True:
            with self._registries.sharing.bulk():
                result = await read()
            mixed_up = await self._registries.mixed_up()
            if not mixed_up:
                return result
            forget()
            for host in mixed_up:
                self._breakers.pop(host, None)
                for causes in (self._causes, self._against_pushing, self._against_untagging, self._against_deleting):
                    causes.forget(host)

    def second_reading(self) -> AbstractContextManager[None]:
        """Return a context in which a repository is read a second time, over shared connections."""
        return self._registries.sharing.again()

    def is_confirmed(self, host: str) -> bool:
        """Tell whether what was read in bulk from a host can be relied on, also if the reading was cut short."""
        return self._registries[host].host.confirmed

    def without_memory(self) -> "Gateway":
        """Return a gateway without remembered failures, for what has to be tried in any case, such as putting a tag back."""
        return Gateway(self._registries)

    def for_rereading(self) -> "Gateway":
        """Return a gateway with the same memory, whose answers do not reset the circuit breaker.

        It reads again between two attempts to delete: a registry that answers while it fails to delete is still broken.
        """
        same = copy(self)
        same._counts_answers = False  # noqa: SLF001 (its own kind)
        return same

    def known_failure_of_deleting(self, place: Repository) -> Failure | None:
        """Return the failure that deleting a manifest of this place would meet, if one was found out already."""
        return self._against_deleting.find(place) or self.traits(place.host).tags_only

    def known_failure_of_untagging(self, place: Repository) -> Failure | None:
        """Return the failure that deleting a tag of this place would meet, if one was found out already."""
        return self._against_untagging.find(place)

    def note_answer(self, host: str) -> None:
        """Note that a host answered in an earlier part of the run, so that its silence now counts as trouble."""
        self._breakers[host].answered()

    def known_failure(self, place: Repository | str) -> Failure | None:
        """Return the failure that any call to this place would meet, if one was found out already."""
        return self._causes.find(place) or self._breakers[place if isinstance(place, str) else place.host].open

    def traits(self, host: str) -> Traits:
        """Return how a host is to be treated, as far as that is known by now."""
        return self._registries[host].host.traits

    def learn_untagged_first(self, host: str) -> None:
        """Note that a host deletes a manifest only when no tag is on it any more."""
        authorizer = self._registries[host].host.authorizer
        authorizer.learn(replace(authorizer.traits, untagged_first=True))

    def workers(self, host: str) -> int:
        """How many jobs of a host are worth having under way."""
        return self._registries[host].host.limiter.allowed
