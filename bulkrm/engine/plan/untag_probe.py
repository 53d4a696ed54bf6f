"""Finds out how a registry removes a single tag, by harmless requests before any deletion."""

from collections.abc import Iterable

from bulkrm.engine.gateway import Gateway, RepositoryGateway
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.grouping import by_host
from bulkrm.model.plan import UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, TagsOnly
from bulkrm.remote.registry import absent_tag


class UntagProbe:
    """The method for each repository: DELETE of the tag, a decoy, or none (None). A Failure: nothing can be deleted there."""

    def __init__(self, gateway: Gateway, stop: Stop, *, allow_decoy: bool) -> None:
        """`allow_decoy`: whether the user permits decoys where tags cannot be deleted."""
        self._gateway = gateway
        self._stop = stop
        self._allow_decoy = allow_decoy
        self._found: dict[Repository, UntagMethod | Failure | None] = {}

    def of(self, repository: Repository) -> UntagMethod | Failure | None:
        """Return the method; before the probe it is assumed that tags can be deleted."""
        return self._found.get(repository, UntagMethod.TAG)

    async def find(self, repositories: Iterable[Repository]) -> bool:
        """Probe the repositories that were not probed yet; return False if there are none."""
        missing = set(repositories) - self._found.keys()

        async def ask(repository: Repository) -> None:
            self._found[repository] = await self._ask(self._gateway.repository(repository))

        await run_jobs(by_host(sorted(missing, key=str)), self._gateway.workers, ask, self._stop)
        return bool(missing)

    async def _ask(self, repository: RepositoryGateway) -> UntagMethod | Failure | None:
        """DELETE a digest that does not exist, then a tag that does not exist. That takes at most three requests.

        distribution 2.8 answers 404 to the first and 400 to the second (registry/handlers/manifests.go takes digests
        only), 3.x 404 to both, and 405 where deletion is disabled. The digest comes first, because 3.0.0 to 3.1.0 delete
        tags although deletion is disabled, and the manifests would stay (distribution commit 8baf3e082).
        """
        refused = await repository.deletes_digests()
        if isinstance(refused, TagsOnly):
            repository.learn_tags_only(refused)
            return UntagMethod.TAG
        deletes_tags = refused or await repository.deletes_tags(absent_tag())
        if isinstance(deletes_tags, Failure):
            return deletes_tags
        if deletes_tags:
            return UntagMethod.TAG
        return UntagMethod.DECOY if self._allow_decoy else None
