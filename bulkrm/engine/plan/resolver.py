"""Resolves references to manifests, with one GET for each distinct reference.

A tag that was read by HEAD is read again by GET when it becomes a target, because a manifest is archived before it is
deleted.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum

from bulkrm.engine.gateway import Gateway, RepositoryGateway
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.record.recorder import Recorder
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, EventListener
from bulkrm.model.grouping import by_host
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Absent, Blob, Manifest, Resolution, Resolved, Unresolved, blobs
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.target import Target

Name = tuple[Repository, str | Digest]
DescribeManifest = Callable[[Manifest], Resolved]


def _describe(manifest: Manifest) -> Resolved:
    return manifest.resolved


class Method(Enum):
    """How a manifest is read. GET returns the bytes, which prove the digest; HEAD is enough for tags outside the list.

    HEAD is enough for second readings too. `ANY` is a GET that accepts manifests of every type: they are read to find out
    what they need, and never deleted.
    """

    GET = "GET"
    HEAD = "HEAD"
    ANY = "any"


def name_of(target: Target) -> Name:
    """Return the repository and the tag or digest of a target, without the pin of a tag."""
    reference = target.reference
    return reference.repository, reference.digest if isinstance(reference, DigestRef) else reference.tag


class Resolver:
    """Resolves names, and stores the results in `found`."""

    def __init__(
        self,
        gateway: Gateway,
        lists: TagLists,
        stop: Stop,
        tell: EventListener,
        sink: DescribeManifest = _describe,
        removed_ahead: RemovedAhead | None = None,
    ) -> None:
        """`sink`: called with every manifest that is read whole; returns its metadata.

        `removed_ahead`: tags that this run removed; they are resolved to the manifests that they had.
        """
        self._removed_ahead = removed_ahead or RemovedAhead()
        self._gateway = gateway
        self._lists = lists
        self._stop = stop
        self._tell = tell
        self._sink = sink
        self.found: dict[Name, Resolution] = {}
        self._checked_for_blobs: set[Name] = set()

    async def resolve(self, names: Iterable[Name], method: Method, *, fail_fast: bool = False) -> None:
        """Resolve the names that are not known yet, by GET also those that were read by HEAD; a stop leaves some unresolved.

        `fail_fast`: the first failure stops the run.
        """

        async def ask(name: Name) -> None:
            self._lists.touch(name[0])
            self.found[name] = await self._ask(name, method)
            self._lists.touch(name[0])
            self._tell(ADVANCED)
            if fail_fast and isinstance(self.found[name], Unresolved):
                self._stop.fail_fast()

        await run_jobs(by_host(self.missing(names, method)), self._gateway.workers, ask, self._stop)

    def add_listed(self, repository: Repository, listed: Mapping[str, Resolved]) -> None:
        """Store the manifests that a listing named for tags, except for tags that were read before."""
        for tag, resolved in listed.items():
            self.found.setdefault((repository, tag), resolved)

    def missing(self, names: Iterable[Name], method: Method) -> list[Name]:
        """Return the names, each once, that were not read yet, or only by HEAD where `method` is GET."""
        return [name for name in dict.fromkeys(names) if name not in self.found or self._needs_get(name, method)]

    def _needs_get(self, name: Name, method: Method) -> bool:
        """Tell whether a name that was read by HEAD needs a GET. If its digest was read by GET that result is stored for it."""
        found = self.found[name]
        if method is not Method.GET or not isinstance(found, Resolved) or _is_whole(found):
            return False
        by_digest = self.found.get((name[0], found.digest))
        if isinstance(by_digest, Resolved) and _is_whole(by_digest):
            self.found[name] = by_digest
            return False
        return True

    async def find_blobs(self, names: Iterable[Name]) -> None:
        """Replace absent digests by failures that say so if they are digests of blobs.

        People mistake an image ID for a digest. It is the digest of a blob, for which distribution 3 answers 404.
        """
        unknown = [name for name in dict.fromkeys(names) if name not in self._checked_for_blobs]
        absent = [name for name in unknown if isinstance(self.found.get(name), Absent)]
        self._checked_for_blobs.update(absent)

        async def ask(name: Name) -> None:
            repository, reference = name
            answer = await self._gateway.repository(repository).refuse_blob(Digest(str(reference)))
            if isinstance(answer, Failure) and answer.code is FailureCode.NOT_A_MANIFEST:
                self.found[name] = Unresolved(answer)

        await run_jobs(by_host(absent), self._gateway.workers, ask, self._stop)

    async def _ask(self, name: Name, method: Method) -> Resolution:
        """Ask the registry; for a tag that this run removed ahead, ask for the manifest that it had."""
        repository, reference = name
        found = await self._ask_for(repository, reference, method)
        held = self._removed_ahead.held_before(repository, reference, found)
        return found if held is None else await self._ask_for(repository, held, method)

    async def _ask_for(self, repository: Repository, reference: str | Digest, method: Method) -> Resolution:
        found = await _READ_BY[method](self._gateway.repository(repository), reference)
        match found:
            case None:
                return Absent()
            case Manifest():  # one of unknown type is never deleted, and so not archived
                return self._sink(found) if found.media_type in MEDIA_TYPES else found.resolved
            case Failure():
                return Unresolved(found)
            case Resolved():
                return found


_READ_BY: Mapping[
    Method, Callable[[RepositoryGateway, str | Digest], Awaitable[Resolved | Manifest | Failure | None]]
] = {
    Method.HEAD: RepositoryGateway.look,
    Method.GET: RepositoryGateway.manifest,
    Method.ANY: RepositoryGateway.anything,
}


def _is_whole(resolved: Resolved) -> bool:
    """Tell whether a manifest was read by GET, and is of a type that may be deleted."""
    return resolved.children is not None and resolved.media_type in MEDIA_TYPES


class ManifestSink:
    """A function that archives a manifest and returns its metadata."""

    def __init__(self, recorder: Recorder, *, measure: bool) -> None:
        """Archive manifests by `recorder`; `measure`: the metadata has the blobs of images too."""
        self._recorder = recorder
        self._measure = measure
        self._blobs: dict[Blob, Blob] = {}

    def __call__(self, manifest: Manifest) -> Resolved:
        """Archive a manifest; return its metadata, with its blobs if they are measured."""
        self._recorder.manifest(manifest)
        if not self._measure:
            return manifest.resolved
        # Images share layers: each is kept in memory once.
        found = blobs(manifest.media_type, manifest.content)
        return replace(manifest.resolved, blobs=tuple(self._blobs.setdefault(blob, blob) for blob in found))
