"""Finds out which manifests the kept manifests of a repository need.

An ordinary image needs no other manifest, so it is not read. All others are read: indexes, artifacts, manifests of unknown
type, and the entries of an index whose type is neither that of an image nor that of a layer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bulkrm.engine.plan.resolver import Method, Name, Resolver
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import EventListener, Phase, PhaseBegan
from bulkrm.model.manifests.manifest import IMAGE_TYPES, Children, Resolution, Resolved, Unresolved
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import FailureCode
from bulkrm.planning.facts import Unreadable

MAX_DEPTH = 8  # of indexes in indexes
MAX_NESTED = 10_000  # of a repository


@dataclass(slots=True)
class _Named:
    """The manifests below some names, as far as they were read. `children`: of manifests that are not images; None: unread.

    `nested`: possible indexes that other manifests name; `too_much`: why the search was given up, as a message.
    """

    children: dict[Digest, Children | None] = field(default_factory=dict)
    nested: dict[Digest, None] = field(default_factory=dict)
    too_much: str | None = None


class NeedsReader:
    """Reads manifests to find out which manifests they name."""

    def __init__(self, resolver: Resolver, stop: Stop, tell: EventListener) -> None:
        """Use the manifests that `resolver` has read, and let it read further ones; `tell` receives the events."""
        self._resolver = resolver
        self._stop = stop
        self._tell = tell

    async def read(self, wanted: Mapping[Repository, Sequence[str | Digest]]) -> None:
        """Read all manifests below the names of each repository that are not known to be images."""
        while not self._stop:
            whole: list[Name] = []
            doubtful: list[Name] = []
            for repository, names in wanted.items():
                named = self._named(repository, names)
                if named.too_much is None:
                    unread = (digest for digest, children in named.children.items() if children is None)
                    whole += self._missing(repository, unread)
                    doubtful += self._missing(repository, named.nested)
            if not whole and not doubtful:
                return
            self._tell(PhaseBegan(Phase.READING_INDEXES, len(whole) + len(doubtful)))
            await self._resolver.resolve(whole, Method.GET)
            await self._resolver.resolve(doubtful, Method.ANY)

    def of(
        self, repository: Repository, names: Sequence[str | Digest], tagged: Iterable[Resolved]
    ) -> dict[Digest, Children] | Unreadable:
        """Return the children of every manifest below these names. `tagged`: the manifests that tags lead to.

        Returns Unreadable if one of them could not be read, or if there are too many.
        """
        named = self._named(repository, names)
        if named.too_much is not None:
            return Unreadable(f"{repository}: {named.too_much}")
        under_tags = {resolved.digest for resolved in tagged}
        for digest in (*named.nested, *(digest for digest, children in named.children.items() if children is None)):
            found = self._found(repository, digest)
            if isinstance(found, Unresolved) and found.failure.code is not FailureCode.NOT_A_MANIFEST:
                return Unreadable(f"the index {repository}@{digest} cannot be read: {found.failure.message}")
            if not isinstance(found, Resolved) and digest in under_tags:
                return Unreadable(f"the index {repository}@{digest} is gone, and a tag led to it: tags are moving")
        return {
            digest: self._without_absent_manifests(repository, children)
            for digest, children in named.children.items()
            if children is not None
        }

    def _without_absent_manifests(self, repository: Repository, children: Children) -> Children:
        """Return the children with those possible indexes moved to the parts that the registry has no manifest for."""
        gone = [digest for digest in children.indexes if not isinstance(self._found(repository, digest), Resolved)]
        if not gone:
            return children
        left = tuple(digest for digest in children.manifests if digest not in gone)
        return replace(children, manifests=left, parts=(*children.parts, *gone))

    def _named(self, repository: Repository, names: Iterable[str | Digest]) -> _Named:
        named = _Named()
        level = [found for name in names if isinstance(found := self._found(repository, name), Resolved)]
        for _ in range(MAX_DEPTH):
            level = self._level_below(repository, level, named)
            if len(named.nested) > MAX_NESTED:
                named.too_much = f"its indexes name more than {MAX_NESTED} other indexes"
            if not level or named.too_much is not None:
                return named
        named.too_much = f"its indexes are nested deeper than {MAX_DEPTH}"
        return named

    def _level_below(self, repository: Repository, level: Iterable[Resolved], named: _Named) -> list[Resolved]:
        """Add the children of the manifests of a level to `named`; return the new ones that were read, as the next level."""
        below: list[Resolved] = []
        for resolved in level:
            if named.children.get(resolved.digest) is not None:
                continue
            children = resolved.children or self._children(repository, resolved.digest)
            if resolved.media_type in IMAGE_TYPES and not (children and children.needed):
                continue
            named.children[resolved.digest] = children
            for digest in children.indexes if children else ():
                found = self._found(repository, digest)
                known = digest in named.nested or named.children.get(digest) is not None
                if isinstance(found, Resolved) and not known:
                    below.append(found)
                named.nested[digest] = None
        return below

    def _children(self, repository: Repository, digest: Digest) -> Children | None:
        found = self._found(repository, digest)
        return found.children if isinstance(found, Resolved) else None

    def _found(self, repository: Repository, name: str | Digest) -> Resolution | None:
        return self._resolver.found.get((repository, name))

    def _missing(self, repository: Repository, digests: Iterable[Digest]) -> list[Name]:
        return [(repository, digest) for digest in digests if (repository, digest) not in self._resolver.found]
