"""Reads one tag list for each repository. Globs, guards and the check whether the repository exists share it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.reading import Basis, Reading
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, EventListener
from bulkrm.model.grouping import by_host
from bulkrm.model.manifests.inventory import Inventory
from bulkrm.model.manifests.manifest import Resolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.remote.clock import Clock, Moment

Listed = tuple[str, ...] | Failure | None  # None: the registry does not know the repository


@dataclass(slots=True)
class _Span:
    """The time from the first request for a repository to the last answer. `start`, `end`: seconds of a monotonic clock."""

    began: Moment
    start: float
    end: float

    @property
    def reading(self) -> Reading:
        return Reading(self.began, self.end - self.start)


class TagLists:
    """The tag lists read so far, and the time at which each repository was read."""

    def __init__(self, gateway: Gateway, stop: Stop, clock: Clock, removed_ahead: RemovedAhead | None = None) -> None:
        """`removed_ahead`: tags that this run removed; the lists have them as if they still existed."""
        self._removed_ahead = removed_ahead or RemovedAhead()
        self._gateway = gateway
        self._stop = stop
        self._clock = clock
        self._lists: dict[Repository, Listed] = {}
        self._spans: dict[Repository, _Span] = {}
        self._listings: dict[Repository, Reading] = {}
        self._inventories: dict[Repository, Inventory] = {}
        self._pushed: dict[Repository, Mapping[Digest, datetime]] = {}

    def __getitem__(self, repository: Repository) -> Listed:
        """Return the list of a repository, or why it could not be read. Raises KeyError if it was not requested."""
        return self._lists[repository]

    def get(self, repository: Repository) -> Listed:
        """Return the list of a repository as `[]` does; None also if it was not requested."""
        return self._lists.get(repository)

    def __contains__(self, repository: Repository) -> bool:
        """Tell whether the list of a repository was requested."""
        return repository in self._lists

    def forget(self, keep: Collection[Repository]) -> None:
        """Free the lists of all but these repositories; the times of reading are kept."""
        for repository in self._lists.keys() - keep:
            del self._lists[repository]
            self._inventories.pop(repository, None)

    def resolved(self, repository: Repository) -> Mapping[str, Resolved]:
        """Return the manifests that the listing named for tags; {} from most registries, which list names only."""
        inventory = self._inventories.get(repository)
        return inventory.resolved if inventory is not None else {}

    def pushed(self, repository: Repository) -> Mapping[Digest, datetime]:
        """Return when manifests were pushed, as far as the listing had it; {} from most registries."""
        return self._pushed.get(repository, {})

    def touch(self, repository: Repository) -> None:
        """Note the present time, before and after each request for a repository: its facts grow stale from the first on."""
        now = self._clock.monotonic()
        span = self._spans.get(repository)
        if span is None:
            self._spans[repository] = _Span(Moment.now(self._clock), now, now)
        else:
            span.end = now

    def basis(self, repository: Repository) -> Basis:
        """Return when a repository was read, and the tags that it had."""
        listed = self._lists.get(repository)
        names = listed if isinstance(listed, tuple) else ()
        return Basis(self._spans[repository].reading, self._listings.get(repository), names)

    async def read(self, repositories: Iterable[Repository], tell: EventListener) -> None:
        """Read the lists that were not read yet. If the run is stopped, some remain unread."""

        async def read(repository: Repository) -> None:
            self.touch(repository)
            began, start = Moment.now(self._clock), self._clock.monotonic()
            inventory = await self._gateway.repository(repository).inventory()
            self._lists[repository] = self._noted(repository, inventory)
            self._listings[repository] = Reading(began, self._clock.monotonic() - start)
            self.touch(repository)
            tell(ADVANCED)

        missing = {repository for repository in repositories if repository not in self._lists}
        await run_jobs(by_host(sorted(missing, key=str)), self._gateway.workers, read, self._stop)

    def _noted(self, repository: Repository, inventory: Inventory | Failure | None) -> Listed:
        """Note the manifests of a listing, if it has them, and return its names, with those of tags that this run removed."""
        if isinstance(inventory, Failure):
            return inventory
        names = inventory.names if inventory is not None else None
        if inventory is not None and inventory.manifests:
            self._pushed[repository] = inventory.pushed
        if self._removed_ahead.of(repository):  # and each tag is read by itself, whatever manifests the listing names
            return self._removed_ahead.as_listed_before(repository, names or ())
        if inventory is not None and inventory.manifests:
            self._inventories[repository] = inventory
        return names
