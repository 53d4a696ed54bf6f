"""What every target leads to: one GET for each distinct reference.

A tag that was read by HEAD is read again, by GET, when it becomes a target: what goes has to be kept first, bytes and all.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, EventListener
from bulkrm.model.grouping import by_host
from bulkrm.model.manifest import MEDIA_TYPES, Absent, Manifest, Resolution, Resolved, Unresolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.target import Target
from bulkrm.remote.registry import Registry

Name = tuple[Repository, str | Digest]
DescribeManifest = Callable[[Manifest], Resolved]


def _describe(manifest: Manifest) -> Resolved:
    return manifest.resolved


class Method(Enum):
    """GET brings the bytes, by which the digest is proved; HEAD is for reading a second time.

    `ANY` is a GET of what may be a manifest of any type, or a blob: to know what it needs, not to delete it.
    """

    GET = "GET"
    HEAD = "HEAD"
    ANY = "any"


def name_of(target: Target) -> Name:
    """Return what is asked of the registry for a target: a tag with a pin is asked like one without."""
    reference = target.reference
    return reference.repository, reference.digest if isinstance(reference, DigestRef) else reference.tag


class Resolver:
    """Resolves targets and other names, and keeps what it found."""

    def __init__(
        self,
        gateway: Gateway,
        lists: TagLists,
        stop: Stop,
        tell: EventListener,
        sink: DescribeManifest = _describe,
        removed_ahead: RemovedAhead | None = None,
    ) -> None:
        """Begin knowing nothing.

        `notice` is shown every manifest that is read whole; `cleared`: tags that lead to what they held, where they are
        gone.
        """
        self._removed_ahead = removed_ahead or RemovedAhead()
        self._gateway = gateway
        self._lists = lists
        self._stop = stop
        self._tell = tell
        self._sink = sink
        self.found: dict[Name, Resolution] = {}
        self._told: set[Name] = set()

    async def resolve(self, names: Iterable[Name], method: Method, *, fail_fast: bool = False) -> None:
        """Ask for the names that are not known yet, by GET also for those that were not read whole; a stop leaves some out."""

        async def ask(name: Name) -> None:
            self._lists.touch(name[0])
            self.found[name] = await self._ask(name, method)
            self._lists.touch(name[0])
            self._tell(ADVANCED)
            if fail_fast and isinstance(self.found[name], Unresolved):
                self._stop.fail_fast()

        await run_jobs(by_host(self.missing(names, method)), self._gateway.workers, ask, self._stop)

    def take(self, repository: Repository, told: Mapping[str, Resolved]) -> None:
        """Take what a listing told of tags that were not read yet."""
        for tag, resolved in told.items():
            self.found.setdefault((repository, tag), resolved)

    def missing(self, names: Iterable[Name], method: Method) -> list[Name]:
        """Return the names, each once, of which `method` would bring something new."""
        return [name for name in dict.fromkeys(names) if name not in self.found or self._is_wanting(name, method)]

    def _is_wanting(self, name: Name, method: Method) -> bool:
        """Tell whether only the digest of a name is known, and its bytes are asked for."""
        found = self.found[name]
        if method is not Method.GET or not isinstance(found, Resolved) or _is_whole(found):
            return False
        by_digest = self.found.get((name[0], found.digest))
        if isinstance(by_digest, Resolved) and _is_whole(by_digest):
            self.found[name] = by_digest
            return False
        return True

    async def tell_blobs(self, names: Iterable[Name]) -> None:
        """Look whether digests under which there is no manifest are those of blobs: then that is what is wrong.

        distribution 3 answers 404 to both; an image ID, which people take for a digest, is the digest of a blob.
        """
        unknown = [name for name in dict.fromkeys(names) if name not in self._told]
        absent = [name for name in unknown if isinstance(self.found.get(name), Absent)]
        self._told.update(absent)

        async def ask(name: Name) -> None:
            repository, reference = name
            answer = await self._gateway.call(
                repository, lambda registry: registry.refuse_blob(repository, Digest(str(reference)))
            )
            if isinstance(answer, Failure) and answer.code is FailureCode.NOT_A_MANIFEST:
                self.found[name] = Unresolved(answer)

        await run_jobs(by_host(absent), self._gateway.workers, ask, self._stop)

    async def _ask(self, name: Name, method: Method) -> Resolution:
        found = await self._ask_for(name, method)
        repository, reference = name
        held = self._removed_ahead.held_before(repository, reference, found)
        return found if held is None else await self._ask_for((repository, held), method)

    async def _ask_for(self, name: Name, method: Method) -> Resolution:
        repository, reference = name

        async def get(registry: Registry) -> Resolved | None:
            read = await _read(registry, repository, reference, method)
            return self._noticed(read) if isinstance(read, Manifest) else read

        answer = await self._gateway.call(repository, get)
        if isinstance(answer, Failure):
            return Unresolved(answer)
        return answer or Absent()

    def _noticed(self, manifest: Manifest) -> Resolved:
        """Describe a manifest; one of a type that is not known never goes, and need not be kept."""
        return self._sink(manifest) if manifest.media_type in MEDIA_TYPES else manifest.resolved


def _is_whole(resolved: Resolved) -> bool:
    """Tell whether a manifest was read whole, as one that may go."""
    return resolved.children is not None and resolved.media_type in MEDIA_TYPES


async def _read(
    registry: Registry, repository: Repository, reference: str | Digest, method: Method
) -> Resolved | Manifest | None:
    match method:
        case Method.GET:
            return await registry.manifest(repository, reference)
        case Method.HEAD:
            return await registry.look(repository, reference)
        case Method.ANY:
            return await registry.anything(repository, reference)
