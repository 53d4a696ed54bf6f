"""Reads the facts that conditions need from manifests and configurations, once for each digest.

Manifests that the planner has read anyway are not read again. Others are read by digest. Since no push can change the
content of a digest, the facts are valid for the whole run.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.resolver import DescribeManifest
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, EventListener, Phase, PhaseBegan
from bulkrm.model.grouping import by_host
from bulkrm.model.manifests.details import (
    MAX_DEPTH,
    Config,
    Details,
    ManifestFacts,
    Missing,
    Unread,
    describe,
    details,
    read_config,
)
from bulkrm.model.manifests.manifest import Manifest, Resolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.selection.selector import OF_CONFIG, Fact

Needed = Mapping[Repository, Mapping[Digest, frozenset[Fact]]]
_ManifestName = tuple[Repository, Digest]
T = TypeVar("T")
U = TypeVar("U")


class ImageFacts:
    """Reads and stores facts. `manifests_asked`, `configs_asked`: how many manifests and configurations were requested."""

    def __init__(self, gateway: Gateway, stop: Stop) -> None:
        """Read facts through `gateway`, until `stop`."""
        # Successful reads must not reset the circuit breaker while deletions fail.
        self._gateway = gateway.for_rereading()
        # Failures of a blob store are not failures of the registry itself.
        self._for_blobs = gateway.with_fresh_memory()
        self._stop = stop
        self._manifests: dict[Digest, ManifestFacts | Missing | Unread] = {}
        self._configs: dict[Digest, Config | Missing | Unread] = {}
        self._asked: set[_ManifestName] = set()
        self._seen: set[_ManifestName] = set()
        self.manifests_asked = 0
        self.configs_asked = 0

    def observing(self, sink: DescribeManifest) -> DescribeManifest:
        """Return a sink that stores the facts of each manifest, and then calls `sink`."""

        def note(manifest: Manifest) -> Resolved:
            if not isinstance(self._manifests.get(manifest.digest), ManifestFacts):
                self._manifests[manifest.digest] = describe(manifest)
            return sink(manifest)

        return note

    def forget(self) -> None:
        """Forget all facts, because answers may have been mixed up."""
        self._for_blobs = self._gateway.with_fresh_memory()
        self._manifests.clear()
        self._configs.clear()
        self._asked.clear()

    def mark_known(self, repository: Repository, digests: Iterable[Digest]) -> None:
        """Mark manifests as known to the first judgement of the run."""
        self._seen.update((repository, digest) for digest in digests)

    def new_in(self, repository: Repository, digests: Iterable[Digest]) -> frozenset[Digest]:
        """Return the manifests that were unknown at the first judgement of the run."""
        return frozenset(digest for digest in digests if (repository, digest) not in self._seen)

    def of(self, digest: Digest) -> Details:
        """Return the facts about a manifest that were read so far."""
        return details(digest, lambda name: self._manifests.get(name, Missing()), self._config)

    async def read(self, needed: Needed, tell: EventListener) -> None:
        """Read the facts that are not known yet. If the run is stopped, some remain unread."""
        level: list[tuple[_ManifestName, bool]] = [
            ((repository, digest), bool(facts & OF_CONFIG))
            for repository, digests in needed.items()
            for digest, facts in digests.items()
        ]
        wants_children = {
            digest for digests in needed.values() for digest, facts in digests.items() if facts - {Fact.ANNOTATIONS}
        }
        configs: dict[Digest, _ManifestName] = {}
        for _ in range(MAX_DEPTH + 1):
            if not level or self._stop:
                break
            await self._read_manifests([name for name, _ in level], tell)
            below: list[tuple[_ManifestName, bool]] = []
            for (repository, digest), wants_config in level:
                found = self._manifests.get(digest)
                if not isinstance(found, ManifestFacts):
                    continue
                if found.config is not None and wants_config:
                    configs.setdefault(found.config, (repository, found.config))
                if digest in wants_children:
                    wants_children.update(found.images or ())
                    below += [((repository, image), wants_config) for image in found.images or ()]
            level = below
        await self._read_configs(configs, tell)

    async def _read_manifests(self, names: Iterable[_ManifestName], tell: EventListener) -> None:
        missing = {name[1]: name for name in names if self._is_open(self._manifests.get(name[1]), name)}
        if missing:
            tell(PhaseBegan(Phase.READING_MANIFESTS, len(missing)))

        async def read(name: _ManifestName) -> None:
            repository, digest = name
            self.manifests_asked += 1
            self._asked.add(name)
            found = await self._gateway.repository(repository).manifest(digest)
            self._manifests[digest] = _known(found, describe)
            tell(ADVANCED)

        await run_jobs(by_host(missing.values()), self._gateway.workers, read, self._stop)

    async def _read_configs(self, configs: Mapping[Digest, _ManifestName], tell: EventListener) -> None:
        missing = [name for digest, name in configs.items() if self._is_open(self._configs.get(digest), name)]
        if missing:
            tell(PhaseBegan(Phase.READING_CONFIGURATIONS, len(missing)))

        async def read(name: _ManifestName) -> None:
            repository, digest = name
            self.configs_asked += 1
            self._asked.add(name)
            self._configs[digest] = _known(await self._for_blobs.repository(repository).blob(digest), read_config)
            tell(ADVANCED)

        await run_jobs(by_host(missing), self._gateway.workers, read, self._stop)

    def _is_open(self, known: ManifestFacts | Config | Missing | Unread | None, name: _ManifestName) -> bool:
        """Tell whether a digest has to be requested from this repository: unknown so far, or not found in another one."""
        return known is None or (isinstance(known, Missing | Unread) and name not in self._asked)

    def _config(self, digest: Digest) -> Config | Missing | Unread:
        return self._configs.get(digest, Missing())


def _known(found: T | Failure | None, read: Callable[[T], U]) -> U | Missing | Unread:
    if isinstance(found, Failure):
        return Unread(found.message)
    return Missing() if found is None else read(found)
