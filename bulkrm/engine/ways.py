"""How a registry can be brought to give up a single tag: it is asked, before anything is touched."""

from collections.abc import Iterable
from dataclasses import replace

from bulkrm.client.registry import Registry, made_up_tag
from bulkrm.engine.asking import Asking
from bulkrm.engine.crew import by_host, work_through
from bulkrm.engine.stop import Stop
from bulkrm.model.errors import RequestFailed
from bulkrm.model.failure import Failure, TagsOnly
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
        """Delete what is not there: a digest that nothing has, then a tag that nobody ever made. Three requests at most.

        distribution 2.8 answers 404 to the first and 400 to the second (registry/handlers/manifests.go takes digests
        only), 3.x 404 to both, and 405 where deletion is disabled. The digest comes first, because 3.0.0 to 3.1.0 delete
        tags although deletion is disabled, and the manifests would stay (distribution commit 8baf3e082).
        """
        try:
            await registry.deletes_digests(repository)
        except RequestFailed as error:
            if not isinstance(error.failure, TagsOnly):
                raise
            registry.host.authorizer.learn(replace(registry.host.manners, tags_only=error.failure))
            return Way.TAG
        if await registry.deletes_tags(repository, made_up_tag()):
            return Way.TAG
        return Way.DECOY if self._allow_decoy else None
