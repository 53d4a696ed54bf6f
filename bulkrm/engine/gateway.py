"""The way of a run to its registries; `repository_gateway` sends the requests."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from bulkrm.engine.known_failures import HostMemory
from bulkrm.engine.repository_gateway import CatalogGateway, RepositoryGateway
from bulkrm.model.reference import Repository
from bulkrm.protocol.traits import Traits
from bulkrm.remote.registries import Registries

T = TypeVar("T")


class Gateway:
    """Leads to repositories and catalogs, and remembers the failures of their hosts: those are not asked for again."""

    def __init__(
        self, registries: Registries, *, counts_answers: bool = True, memories: dict[str, HostMemory] | None = None
    ) -> None:
        """`registries`: the registries of the run. `counts_answers`: whether an answer resets a circuit breaker.

        `memories`: those of another gateway, by host, to share them; None: it remembers on its own.
        """
        self._registries = registries
        self._counts_answers = counts_answers
        self._memories: dict[str, HostMemory] = defaultdict(HostMemory) if memories is None else memories
        self._repositories: dict[Repository, RepositoryGateway] = {}

    def repository(self, repository: Repository) -> RepositoryGateway:
        """Return what sends the requests to a repository; it is made once for each."""
        known = self._repositories.get(repository)
        if known is None:
            host, counts = repository.host, self._counts_answers
            known = RepositoryGateway(self._registries[host], self._memories[host], repository, counts_answers=counts)
            self._repositories[repository] = known
        return known

    def catalog(self, host: str) -> CatalogGateway:
        """Return what asks a host for its repositories."""
        return CatalogGateway(self._registries[host], self._memories[host], None, counts_answers=self._counts_answers)

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
                self._memories[host].forget()

    def second_reading(self) -> AbstractContextManager[None]:
        """Return a context in which a repository is read a second time, over shared connections."""
        return self._registries.sharing.again()

    def is_confirmed(self, host: str) -> bool:
        """Tell whether what was read in bulk from a host can be relied on, also if the reading was cut short."""
        return self._registries[host].host.confirmed

    def with_fresh_memory(self) -> "Gateway":
        """Return a gateway that remembers no failure yet, for what has to be tried in any case, such as putting a tag back."""
        return Gateway(self._registries)

    def for_rereading(self) -> "Gateway":
        """Return a gateway with the same memory, whose answers do not reset the circuit breaker.

        It reads again between two attempts to delete: a registry that answers while it fails to delete is still broken.
        """
        return Gateway(self._registries, counts_answers=False, memories=self._memories)

    def note_answer(self, host: str) -> None:
        """Note that a host answered in an earlier part of the run, so that its silence now counts as trouble."""
        self._memories[host].breaker.answered()

    def traits(self, host: str) -> Traits:
        """Return how a host is to be treated, as far as that is known by now."""
        return self._registries[host].host.traits

    def workers(self, host: str) -> int:
        """How many jobs of a host are worth having under way."""
        return self._registries[host].host.limiter.allowed
