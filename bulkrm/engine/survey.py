"""The facts of every repository that the list touches: its targets, and its other tags, on which the guards rest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bulkrm.engine.observer import Observer
from bulkrm.engine.resolve import Method, Name, Resolver, name_of
from bulkrm.engine.stop import Stop
from bulkrm.engine.tag_lists import TagLists
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.manifest import INDEX_TYPES, Absent, Children, Resolution, Resolved, Unresolved
from bulkrm.model.reference import DigestRef, Repository
from bulkrm.model.settings import Policy, Shared
from bulkrm.model.target import Target
from bulkrm.planning.facts import RepositoryFacts, Seen, TagFacts, Unreadable, Unseen


class Survey:
    """Reads repositories once: targets by GET, every other tag by HEAD."""

    def __init__(self, resolver: Resolver, lists: TagLists, policy: Policy, stop: Stop, observer: Observer) -> None:
        """Begin with what the listings for globs have brought already."""
        self._resolver = resolver
        self._lists = lists
        self._policy = policy
        self._stop = stop
        self._observer = observer

    async def read(self, targets: Sequence[Target], method: Method = Method.GET) -> list[RepositoryFacts] | None:
        """Return the facts of each repository in the order of the list; None where a stop left some unread."""
        grouped: dict[Repository, list[Target]] = defaultdict(list)
        for target in targets:
            grouped[target.reference.repository].append(target)
        names = [name for target in targets if (name := name_of(target)) not in self._resolver.found]
        if names:
            self._observer.phase("Resolving images", len(set(names)))
        await self._resolver.resolve(names, method, fail_fast=self._policy.fail_fast and method is Method.GET)
        if method is Method.GET:
            await self._resolver.tell_blobs(name_of(target) for target in targets if _is_listed_digest(target))
        await self._read_lists(grouped)
        await self._read_others(grouped)
        await self._read_indexes(grouped)
        if self._stop:
            return None
        return [self._facts(repository, members) for repository, members in grouped.items()]

    def known(self, target: Target) -> Resolution | None:
        """Return what was found out about a target, if anything."""
        return self._resolver.found.get(name_of(target))

    async def _read_lists(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """List the tags of the repositories where something may go, and of those where nothing was found."""
        wanted = [
            repository
            for repository, members in grouped.items()
            if repository not in self._lists and self._wants_list([self.known(target) for target in members])
        ]
        if wanted:
            self._observer.phase("Listing tags", len(wanted))
        await self._lists.read(wanted, self._observer)

    def _wants_list(self, found: Iterable[Resolution | None]) -> bool:
        kinds = {type(resolution) for resolution in found}
        if Resolved in kinds:
            limit = self._policy.max_delete
            return self._policy.shared is not Shared.DELETE_UNSEEN or (limit is not None and limit.percent)
        return Absent in kinds

    async def _read_others(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """HEAD every tag of the touched repositories that was not read as a target."""
        if self._policy.shared is Shared.DELETE_UNSEEN:
            return
        others: list[Name] = []
        for repository, members in grouped.items():
            if any(isinstance(self.known(target), Resolved) for target in members) and repository in self._lists:
                listed = self._lists[repository]
                names = [(repository, tag) for tag in (() if isinstance(listed, Failure) else listed or ())]
                others += [name for name in names if name not in self._resolver.found]
        if others:
            self._observer.phase("Checking other tags", len(others))
        await self._resolver.resolve(others, Method.HEAD)

    async def _read_indexes(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """GET every index that a tag leads to, and every index in an index: a kept one needs its children."""
        while not self._stop:
            missing = [
                (repository, digest)
                for repository, members in grouped.items()
                for digest in self._unread(repository, members)
            ]
            if not missing:
                return
            self._observer.phase("Reading indexes", len(missing))
            await self._resolver.resolve(missing, Method.GET)

    def _unread(self, repository: Repository, members: Sequence[Target]) -> Iterable[Digest]:
        """Yield the indexes of a repository that are known by name only."""
        known = self._children(repository, members)
        for digest, children in known.items():
            if children is None and (repository, digest) not in self._resolver.found:
                yield digest

    def _children(self, repository: Repository, members: Sequence[Target]) -> dict[Digest, Children | None]:
        """Return the indexes of a repository as far as they are known, None for those that were not read."""
        if self._policy.shared is Shared.DELETE_UNSEEN:
            return {}
        listed = self._lists.get(repository)
        names = [*(() if isinstance(listed, Failure) else listed or ()), *(name_of(target)[1] for target in members)]
        known: dict[Digest, Children | None] = {}
        todo = [found for name in names if isinstance(found := self._resolver.found.get((repository, name)), Resolved)]
        while todo:
            resolved = todo.pop()
            if resolved.media_type not in INDEX_TYPES or known.get(resolved.digest) is not None:
                continue
            read = self._resolver.found.get((repository, resolved.digest))
            children = resolved.children or (read.children if isinstance(read, Resolved) else None)
            known[resolved.digest] = children
            for digest in children.indexes if children else ():
                nested = self._resolver.found.get((repository, digest))
                known.setdefault(digest, None)
                if isinstance(nested, Resolved):
                    todo.append(nested)
        return known

    def _facts(self, repository: Repository, members: Sequence[Target]) -> RepositoryFacts:
        resolutions = tuple((target, self._resolver.found[name_of(target)]) for target in members)
        if not any(isinstance(resolution, Resolved) for _, resolution in resolutions):
            unknown = repository in self._lists and self._lists[repository] is None
            absent = Absent(no_repository=True)
            return RepositoryFacts(
                repository,
                tuple((target, absent if unknown and isinstance(was, Absent) else was) for target, was in resolutions),
                Seen({}),
            )
        return RepositoryFacts(repository, resolutions, self._tags(repository, members))

    def _tags(self, repository: Repository, members: Sequence[Target]) -> TagFacts:
        listed = self._lists.get(repository)
        if self._policy.shared is Shared.DELETE_UNSEEN:
            return Unseen(0 if isinstance(listed, Failure) else len(listed or ()))
        if isinstance(listed, Failure):
            return Unreadable(f"the tags of {repository} cannot be listed: {listed.message}")
        # Where manifests are and the listing is a 404, nothing ever had a tag: distribution has no folder of tags then
        # (v2.8.2 registry/storage/tagstore.go `All`).
        seen = self._seen(repository, listed or ())
        if isinstance(seen, Unreadable):
            return seen
        hidden = [tag for tag in self._tags_of(members) if tag not in seen]
        if hidden:
            return Unreadable(f"the listing of {repository} leaves out the tag {hidden[0]}, so it may leave out others")
        return self._unread_digest(members) or self._with_indexes(repository, members, seen)

    def _seen(self, repository: Repository, listed: Iterable[str]) -> dict[str, Resolved] | Unreadable:
        seen: dict[str, Resolved] = {}
        for tag in listed:
            match self._resolver.found[repository, tag]:
                case Resolved() as resolved:
                    seen[tag] = resolved
                case Unresolved(failure):
                    return Unreadable(f"{repository}:{tag} cannot be read: {failure.message}")
                case Absent():
                    pass  # a tag that is listed and answers 404 holds nothing
        return seen

    def _unread_digest(self, members: Iterable[Target]) -> Unreadable | None:
        """Say which digest of the list could not be read: it stays, and if it is an index, so must what it needs."""
        for target in members:
            match target.reference, self.known(target):
                case DigestRef(), Unresolved(failure) if target.parent is None:
                    if failure.code is not FailureCode.NOT_A_MANIFEST:
                        return Unreadable(f"{target.reference} cannot be read: {failure.message}")
        return None

    def _with_indexes(
        self, repository: Repository, members: Sequence[Target], seen: Mapping[str, Resolved]
    ) -> Seen | Unreadable:
        indexes: dict[Digest, Children] = {}
        under_tags = {resolved.digest for resolved in seen.values()}
        for digest, children in self._children(repository, members).items():
            read = self._resolver.found.get((repository, digest))
            if children is not None:
                indexes[digest] = children
            elif isinstance(read, Unresolved):
                return Unreadable(f"the index {repository}@{digest} cannot be read: {read.failure.message}")
            elif digest in under_tags:
                return Unreadable(f"the index {repository}@{digest} is gone, and a tag led to it: tags are moving")
        return Seen(seen, indexes)

    def _tags_of(self, members: Iterable[Target]) -> Iterable[str]:
        """Yield the tags among the targets that exist."""
        for target in members:
            if not isinstance(target.reference, DigestRef) and isinstance(self.known(target), Resolved):
                yield target.reference.tag


def _is_listed_digest(target: Target) -> bool:
    return isinstance(target.reference, DigestRef) and target.parent is None
