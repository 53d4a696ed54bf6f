"""How a registry can be brought to give up a single tag: it is asked, before anything is touched."""

from collections.abc import Iterable
from uuid import uuid4

from bulkrm.client.registry import Registry
from bulkrm.engine.asking import Asking
from bulkrm.engine.crew import by_host, work_through
from bulkrm.engine.stop import Stop
from bulkrm.model.failure import Failure
from bulkrm.model.plan import Way
from bulkrm.model.reference import Repository


class Ways:
    """What was found out for each repository: a way, that there is none, or why nothing is deleted there at all."""

    def __init__(self, asking: Asking, stop: Stop, *, allow_decoy: bool) -> None:
        """Begin knowing nothing."""
        self._asking = asking
        self._stop = stop
        self._allow_decoy = allow_decoy
        self._found: dict[Repository, Way | Failure | None] = {}

    def of(self, repository: Repository) -> Way | Failure | None:
        """Return what was found out; that tags can be deleted, until the registry was asked."""
        return self._found.get(repository, Way.TAG)

    async def find(self, repositories: Iterable[Repository]) -> bool:
        """Ask for these repositories, where that is not known yet; tell whether anything was asked."""
        missing = set(repositories) - self._found.keys()

        async def ask(repository: Repository) -> None:
            self._found[repository] = await self._asking.of(
                repository, lambda registry: self._ask(registry, repository)
            )

        await work_through(by_host(sorted(missing, key=str)), self._asking.workers, ask, self._stop)
        return bool(missing)

    async def _ask(self, registry: Registry, repository: Repository) -> Way | None:
        """Delete what is not there: a tag that nobody ever made, then a digest that nothing has.

        distribution 2.8 answers 400 to the first (registry/handlers/manifests.go takes digests only) and 404 to the
        second, 3.x 404 to both, and 405 where deletion is disabled.
        """
        if await registry.deletes_tags(repository, f"bulkrm-probe-{uuid4().hex}"):
            return Way.TAG
        await registry.deletes_digests(repository)
        return Way.DECOY if self._allow_decoy else None
