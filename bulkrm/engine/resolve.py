"""What every target leads to: one GET for each distinct reference."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import Enum

from bulkrm.client.registry import Registry
from bulkrm.engine.asking import Asking
from bulkrm.engine.cleared import Cleared
from bulkrm.engine.crew import work_through
from bulkrm.engine.observer import Observer
from bulkrm.engine.stop import Stop
from bulkrm.engine.tag_lists import TagLists
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.manifest import Absent, Manifest, Resolution, Resolved, Unresolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.target import Target

Name = tuple[Repository, str | Digest]
TakeNotice = Callable[[Manifest], Resolved]


def _describe(manifest: Manifest) -> Resolved:
    return manifest.resolved


class Method(Enum):
    """GET brings the bytes, by which the digest is proved; HEAD is for reading a second time."""

    GET = "GET"
    HEAD = "HEAD"


def name_of(target: Target) -> Name:
    """Return what is asked of the registry for a target: a tag with a pin is asked like one without."""
    reference = target.reference
    return reference.repository, reference.digest if isinstance(reference, DigestRef) else reference.tag


class Resolver:
    """Resolves targets and other names, and keeps what it found."""

    def __init__(
        self,
        asking: Asking,
        lists: TagLists,
        stop: Stop,
        observer: Observer,
        notice: TakeNotice = _describe,
        cleared: Cleared | None = None,
    ) -> None:
        """Begin knowing nothing.

        `notice` is shown every manifest that is read whole; `cleared`: tags that lead to what they held, where they are
        gone.
        """
        self._cleared = cleared or Cleared()
        self._asking = asking
        self._lists = lists
        self._stop = stop
        self._observer = observer
        self._notice = notice
        self.found: dict[Name, Resolution] = {}
        self._told: set[Name] = set()

    async def resolve(self, names: Iterable[Name], method: Method, *, fail_fast: bool = False) -> None:
        """Ask for the names that are not known yet; a stop leaves some out."""
        hosts: dict[str, list[Name]] = defaultdict(list)
        for name in dict.fromkeys(names):
            if name not in self.found:
                hosts[name[0].host].append(name)

        async def ask(name: Name) -> None:
            self._lists.touch(name[0])
            self.found[name] = await self._ask(name, method)
            self._observer.advance()
            if fail_fast and isinstance(self.found[name], Unresolved):
                self._stop.fail_fast()

        await work_through(hosts, self._asking.workers, ask, self._stop)

    async def tell_blobs(self, names: Iterable[Name]) -> None:
        """Look whether digests under which there is no manifest are those of blobs: then that is what is wrong.

        distribution 3 answers 404 to both; an image ID, which people take for a digest, is the digest of a blob.
        """
        hosts: dict[str, list[Name]] = defaultdict(list)
        for name in dict.fromkeys(names):
            if isinstance(self.found.get(name), Absent) and name not in self._told:
                self._told.add(name)
                hosts[name[0].host].append(name)

        async def ask(name: Name) -> None:
            repository, reference = name
            answer = await self._asking.of(
                repository, lambda registry: registry.refuse_blob(repository, Digest(str(reference)))
            )
            if isinstance(answer, Failure) and answer.code is FailureCode.NOT_A_MANIFEST:
                self.found[name] = Unresolved(answer)

        await work_through(hosts, self._asking.workers, ask, self._stop)

    async def _ask(self, name: Name, method: Method) -> Resolution:
        found = await self._ask_for(name, method)
        repository, reference = name
        held = self._cleared.seen_through(repository, reference, found)
        return found if held is None else await self._ask_for((repository, held), method)

    async def _ask_for(self, name: Name, method: Method) -> Resolution:
        repository, reference = name

        async def get(registry: Registry) -> Resolved | None:
            if method is Method.HEAD:
                return await registry.head(repository, reference)
            manifest = await registry.manifest(repository, reference)
            return self._notice(manifest) if manifest else None

        answer = await self._asking.of(repository, get)
        if isinstance(answer, Failure):
            return Unresolved(answer)
        return answer or Absent()
