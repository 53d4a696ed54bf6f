"""One tag listing for each repository, whoever needs it: a glob, the guard, or the question whether it exists."""

from collections.abc import Iterable

from bulkrm.client.clock import Clock
from bulkrm.engine.asking import Asking
from bulkrm.engine.cleared import Cleared
from bulkrm.engine.crew import by_host, work_through
from bulkrm.engine.observer import Observer
from bulkrm.engine.stop import Stop
from bulkrm.model.failure import Failure
from bulkrm.model.reference import Repository

Listed = tuple[str, ...] | Failure | None  # None: the registry does not know the repository


class TagLists:
    """The listings read so far, and when each repository was read first."""

    def __init__(self, asking: Asking, stop: Stop, clock: Clock, cleared: Cleared | None = None) -> None:
        """Begin with none. `cleared`: tags that count as if they were still there."""
        self._cleared = cleared or Cleared()
        self._asking = asking
        self._stop = stop
        self._clock = clock
        self._lists: dict[Repository, Listed] = {}
        self._read_at: dict[Repository, float] = {}

    def __getitem__(self, repository: Repository) -> Listed:
        """Return what was read."""
        return self._lists[repository]

    def get(self, repository: Repository) -> Listed:
        """Return what was read, if anything was."""
        return self._lists.get(repository)

    def __contains__(self, repository: Repository) -> bool:
        """Tell whether it was read."""
        return repository in self._lists

    def forget(self) -> None:
        """Let the listings go; when a repository was read is still known."""
        self._lists.clear()

    def touch(self, repository: Repository) -> None:
        """Note that something of a repository is being read now: from then on its facts grow old."""
        if repository not in self._read_at:
            self._read_at[repository] = self._clock.monotonic()

    def age(self, repository: Repository) -> float:
        """Seconds since the repository was read first."""
        return self._clock.monotonic() - self._read_at[repository]

    async def read(self, repositories: Iterable[Repository], observer: Observer) -> None:
        """Read the listings that are not there yet; a stop leaves some out."""

        async def read(repository: Repository) -> None:
            self.touch(repository)
            listed = await self._asking.of(repository, lambda registry: registry.tags(repository))
            if self._cleared.of(repository) and not isinstance(listed, Failure):
                listed = self._cleared.with_these(repository, listed or ())
            self._lists[repository] = listed
            observer.advance()

        missing = {repository for repository in repositories if repository not in self._lists}
        await work_through(by_host(sorted(missing, key=str)), self._asking.workers, read, self._stop)
