"""Reads the facts about every repository of the list: its targets, and its other tags, which the guards need."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkrm.engine.plan.damaged import DamagedTags
from bulkrm.engine.plan.needs import NeedsReader
from bulkrm.engine.plan.resolver import Method, Name, Resolver, name_of
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import EventListener, Phase, PhaseBegan
from bulkrm.model.grouping import grouped
from bulkrm.model.manifests.manifest import Absent, Resolution, Resolved, Unresolved
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.settings import Policy, Shared
from bulkrm.model.target import Target
from bulkrm.planning.dangling import is_damage
from bulkrm.planning.facts import RepositoryFacts, TagFacts, TagsNotRead, TagsRead, Unreadable
from bulkrm.planning.guards.rules import GuardRules


class Survey:
    """Reads repositories once: targets by GET, every other tag by HEAD."""

    def __init__(
        self, resolver: Resolver, lists: TagLists, policy: Policy, rules: GuardRules, stop: Stop, tell: EventListener
    ) -> None:
        """Use `lists`, the tag lists, some of which were read to expand globs."""
        self._resolver = resolver
        self._lists = lists
        self._policy = policy
        self._stop = stop
        self._tell = tell
        self._needs = NeedsReader(resolver, stop, tell)
        self._damaged = DamagedTags(resolver, rules)

    async def read(self, targets: Sequence[Target], method: Method = Method.GET) -> list[RepositoryFacts] | None:
        """Return the facts about each repository in the order of the list; None: a stop left some unread."""
        listed = grouped(targets, lambda target: target.reference.repository)
        names = self._resolver.missing(map(name_of, targets), method)
        if names:
            self._tell(PhaseBegan(Phase.RESOLVING_IMAGES, len(names)))
        await self._resolver.resolve(names, method, fail_fast=self._policy.fail_fast and method is Method.GET)
        if method is Method.GET:
            await self._resolver.find_blobs(name_of(target) for target in targets if _is_listed_digest(target))
        await self._read_lists(listed)
        await self._read_others(listed)
        await self._read_needs(listed)
        await self._read_damaged_again(listed)
        return None if self._stop else [self._facts(repository, members) for repository, members in listed.items()]

    def forget(self) -> None:
        """Forget which tags were damaged, because answers may have been mixed up."""
        self._damaged.forget()

    def known(self, target: Target) -> Resolution | None:
        """Return the manifest that a target leads to; None: it was not read."""
        return self._resolver.found.get(name_of(target))

    async def _read_lists(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """List the tags of repositories where something may be deleted, and of those where no target exists."""
        unread = {repository: members for repository, members in grouped.items() if repository not in self._lists}
        wanted = [repository for repository, members in unread.items() if self._wants_list(members)]
        if wanted:
            self._tell(PhaseBegan(Phase.LISTING_TAGS, len(wanted)))
        await self._lists.read(wanted, self._tell)

    def _wants_list(self, members: Sequence[Target]) -> bool:
        if any(map(self._may_dangle, members)):
            return True
        found = [self.known(target) for target in members]
        if any(isinstance(resolution, Resolved) for resolution in found):
            limit = self._policy.max_delete
            return self._policy.shared is not Shared.DELETE_UNSEEN or (limit is not None and limit.has_percentage)
        return any(isinstance(resolution, Absent) for resolution in found)

    def _may_dangle(self, target: Target) -> bool:
        """Tell whether a target is a tag that seems to have no manifest. If the registry lists it, it can be deleted."""
        found = self.known(target)
        return isinstance(target.reference, TagRef) and (isinstance(found, Absent) or is_damage(found))

    def _wants_others(self, members: Iterable[Target]) -> bool:
        """Tell whether a target may be deleted, so that the other tags of its repository have to be known."""
        return any(isinstance(found := self.known(target), Resolved) or is_damage(found) for target in members)

    async def _read_others(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """HEAD every tag of the touched repositories that is not a target, and whose manifest the listing does not name."""
        if self._policy.shared is Shared.DELETE_UNSEEN:
            return
        others = [name for touched, members in grouped.items() for name in self._others(touched, members)]
        if others:
            self._tell(PhaseBegan(Phase.CHECKING_OTHER_TAGS, len(others)))
            await read_tags(self._resolver, others)

    def _others(self, repository: Repository, members: Iterable[Target]) -> list[Name]:
        """Return the tags of a repository that are not known yet; none where nothing of it may be deleted."""
        if not self._wants_others(members):
            return []
        self._resolver.add_listed(repository, self._lists.resolved(repository))
        names = [(repository, tag) for tag in self._listed(repository)]
        return [name for name in names if name not in self._resolver.found]

    async def _read_needs(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """GET every tagged manifest that is an index or may be one, because a kept index needs its children."""
        if self._policy.shared is not Shared.DELETE_UNSEEN:
            await self._needs.read(
                {repository: self._names(repository, members) for repository, members in grouped.items()}
            )

    async def _read_damaged_again(self, grouped: Mapping[Repository, Sequence[Target]]) -> None:
        """Read damaged tags a second time, after the rest of their repository was read."""
        again = False
        for repository, members in grouped.items():
            if not self._stop and self._wants_others(members):
                named = set(_tags_of_list(members))
                again = await self._damaged.read_again(repository, self._listed(repository), named) or again
        if again:
            await self._read_needs(grouped)  # a tag that was readable this time may lead to an index

    def _listed(self, repository: Repository) -> tuple[str, ...]:
        listed = self._lists.get(repository)
        return () if isinstance(listed, Failure) else listed or ()

    def _names(self, repository: Repository, members: Sequence[Target]) -> list[str | Digest]:
        return [*self._listed(repository), *(name_of(target)[1] for target in members)]

    def _facts(self, repository: Repository, members: Sequence[Target]) -> RepositoryFacts:
        resolutions = tuple((target, self._resolver.found[name_of(target)]) for target in members)
        dangling = self._dangling(repository, members)
        if not any(isinstance(resolution, Resolved) for _, resolution in resolutions):
            unknown = repository in self._lists and self._lists[repository] is None
            absent = Absent(no_repository=True)
            return RepositoryFacts(
                repository,
                tuple((target, absent if unknown and isinstance(was, Absent) else was) for target, was in resolutions),
                TagsRead({}),
                dangling=dangling,
            )
        return RepositoryFacts(repository, resolutions, self._tags(repository, members, dangling), dangling=dangling)

    def _tags(self, repository: Repository, members: Sequence[Target], dangling: frozenset[str]) -> TagFacts:
        listed = self._lists.get(repository)
        if self._policy.shared is Shared.DELETE_UNSEEN:
            return TagsNotRead(0 if isinstance(listed, Failure) else len(listed or ()))
        if isinstance(listed, Failure):
            return Unreadable(f"the tags of {repository} cannot be listed: {listed.message}")
        # If the listing is a 404 although there are manifests, no tag ever existed: distribution has no folder of tags
        # then (v2.8.2 registry/storage/tagstore.go `All`).
        seen = self._seen(repository, listed or (), dangling)
        if isinstance(seen, Unreadable):
            return seen
        hidden = [tag for tag in self._tags_of(members) if tag not in seen]
        if hidden:
            return Unreadable(f"the listing of {repository} leaves out the tag {hidden[0]}, so it may leave out others")
        unread = self._unread_digest(members)
        needs = unread or self._needs.of(repository, self._names(repository, members), seen.values())
        if isinstance(needs, Unreadable):
            return needs
        damaged = (tag for tag in listed or () if tag not in seen and tag not in dangling)
        return TagsRead(seen, needs, tuple(tag for tag in damaged if self._damaged.is_ignored(repository, tag)))

    def _seen(
        self, repository: Repository, listed: Iterable[str], dangling: frozenset[str]
    ) -> dict[str, Resolved] | Unreadable:
        seen: dict[str, Resolved] = {}
        for tag in listed:
            match self._resolver.found[repository, tag]:
                case Resolved() as resolved:
                    seen[tag] = resolved
                case Unresolved(failure):
                    if tag not in dangling and not self._damaged.is_ignored(repository, tag):
                        why = f"{repository}:{tag} cannot be read: {failure.message}"
                        return Unreadable(why, self._damaged.hint_for(repository, tag, failure))
                case Absent():
                    pass  # a tag that is listed and answers 404 holds nothing
        return seen

    def _unread_digest(self, members: Iterable[Target]) -> Unreadable | None:
        """Return why a listed digest could not be read; None: all could. It is kept, and may be an index with children."""
        for target in members:
            match target.reference, self.known(target):
                case DigestRef(), Unresolved(failure) if target.parent is None:
                    if failure.code is not FailureCode.NOT_A_MANIFEST:
                        return Unreadable(f"{target.reference} cannot be read: {failure.message}")
        return None

    def _dangling(self, repository: Repository, members: Iterable[Target]) -> frozenset[str]:
        """Return the tags of the list that have no manifest although the registry lists them."""
        nowhere = {tag for tag in _tags_of_list(members) if self._damaged.leads_nowhere(repository, tag)}
        return frozenset(nowhere.intersection(self._listed(repository))) if nowhere else frozenset()

    def _tags_of(self, members: Iterable[Target]) -> Iterable[str]:
        """Yield the tags among the targets that exist."""
        for target in members:
            if not isinstance(target.reference, DigestRef) and isinstance(self.known(target), Resolved):
                yield target.reference.tag


def _is_listed_digest(target: Target) -> bool:
    return isinstance(target.reference, DigestRef) and target.parent is None


def _tags_of_list(members: Iterable[Target]) -> Iterator[str]:
    """Yield the tags that the list names, without artifact tags that `--recursive` added."""
    for target in members:
        if isinstance(target.reference, TagRef) and target.parent is None:
            yield target.reference.tag


async def read_tags(resolver: Resolver, names: Sequence[Name]) -> None:
    """Resolve listed tags by HEAD; those that answer 404 are read again by GET.

    A 404 may mean a missing permission, which only the body of a GET tells, or a media type that is not accepted, as on
    distribution 2.8 (registry/handlers/manifests.go).
    """
    await resolver.resolve(names, Method.HEAD)
    hidden = [name for name in names if isinstance(resolver.found.get(name), Absent)]
    for name in hidden:
        del resolver.found[name]
    await resolver.resolve(hidden, Method.ANY)
