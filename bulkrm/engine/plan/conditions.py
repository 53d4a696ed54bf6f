"""Evaluates the conditions of a run: which images entries choose by labels and the like, and which ones they keep.

Every judgement of a run asks what they keep. Later ones reuse the facts of the first, because a digest always means the same
content.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.image_facts import ImageFacts
from bulkrm.engine.plan.resolver import DescribeManifest, Method, Resolver, name_of
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.stop import Stop
from bulkrm.model.condition_verdicts import ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.events import EventListener, Phase, PhaseBegan, Warned, WarningKind, ignore
from bulkrm.model.manifests.details import Details
from bulkrm.model.manifests.manifest import Resolution, Resolved
from bulkrm.model.plan import Plan
from bulkrm.model.reference import HTTPS_PORT, Repository, TagRef
from bulkrm.model.result.outcome import NoMatch
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.planning.facts import RepositoryFacts, TagsRead, Unreadable
from bulkrm.planning.guards.rules import min_keep_may_apply
from bulkrm.remote.clock import Clock
from bulkrm.selection.conditional import RunConditions
from bulkrm.selection.evaluation import evaluate, facts_needed
from bulkrm.selection.image_choice import is_chosen
from bulkrm.selection.in_use.references import InUseReferences, kept_in_use
from bulkrm.selection.repository_view import RepositoryView, can_name, known_digests
from bulkrm.selection.selector import OF_THE_PROTOCOL, Fact
from bulkrm.selection.values.dating import DateKind, date_of


class Conditions:
    """The conditions of a run (`wanted`), with the facts read for them. `now`: the time to which ages refer, in UTC.

    `used`: the images in use.
    """

    def __init__(
        self, wanted: RunConditions, gateway: Gateway, stop: Stop, clock: Clock, default_port: int = HTTPS_PORT
    ) -> None:
        """`wanted`: the conditions; `default_port`: of hosts without a port in references of images in use."""
        self.wanted = wanted
        self.now = datetime.fromtimestamp(clock.wall(), UTC)
        self.facts = ImageFacts(gateway, stop)
        self.used = InUseReferences.of(wanted.in_use, default_port)
        self._warned: set[TagRef] = set()
        self._pushed = PushTimes()

    def observing(self, sink: DescribeManifest) -> DescribeManifest:
        """Return a sink that stores the facts of each manifest for conditions, and then calls `sink`."""
        return self.facts.observing(sink) if self.wanted else sink

    def unrelated_hosts(self, hosts: Collection[str]) -> Iterator[Warned]:
        """Yield a warning if no image in use is on a host of the run: perhaps the file is the wrong one."""
        if self.used and not self.used.has_ids and not self.used.hosts.intersection(hosts):
            text = "nothing of what is in use is on a registry of this run; is it the right file?"
            yield Warned(WarningKind.IN_USE_ELSEWHERE, text)

    def mark_known(self, plan: Plan) -> None:
        """Mark the manifests of a saved plan as known to the first judgement."""
        for item in plan.items:
            self.facts.mark_known(item.repository, [item.digest])

    async def complete(
        self, facts: Sequence[RepositoryFacts], lists: TagLists, tell: EventListener, *, first: bool = False
    ) -> list[RepositoryFacts]:
        """Return the facts with the verdicts of the conditions. `first`: they are for the judgement that makes the plan.

        `lists`: the listings that the facts were read with, which may have the times of pushes.
        """
        if not self.wanted:
            return list(facts)
        for entry in facts:
            self._pushed.note(entry.repository, lists.pushed(entry.repository))
        views = {entry.repository: view_of(entry) for entry in facts if not isinstance(entry.tags, Unreadable)}
        if first:
            for repository, view in views.items():
                self.facts.mark_known(repository, known_digests(view))
        await self.facts.read({entry.repository: self._needed(entry, views) for entry in facts}, tell)
        return [self._judged(entry, views.get(entry.repository), tell) for entry in facts]

    async def affected_by_new_tags(self, repository: Repository, found: Mapping[str, Resolution]) -> bool:
        """Tell whether new tags may change a verdict: one is in use, or cannot be read, or not be judged."""
        if not self.wanted:
            return False
        if any(tag in found for tag in self.used.tags_in(repository)):
            return True
        tags = {tag: one.digest for tag, one in found.items() if isinstance(one, Resolved)}
        view = RepositoryView(repository, tags, ())
        if not all(can_name(entry, view) for entry in self.wanted.entries if entry.ranks):
            return True
        needed = _of_the_protocol(facts_needed(self.wanted.entries, view))
        await self.facts.read({repository: needed}, ignore)
        return any(self.facts.of(digest).unread is not None for digest in needed)

    def _needed(
        self, facts: RepositoryFacts, views: Mapping[Repository, RepositoryView]
    ) -> Mapping[Digest, frozenset[Fact]]:
        view = views.get(facts.repository)
        if view is None:
            return {}
        needed = defaultdict(frozenset, _of_the_protocol(facts_needed(self.wanted.entries, view)))
        named = [digest for _, digest in view.targets if digest is not None]
        for digest in named if self.used.has_ids else ():
            needed[digest] |= {Fact.IMAGE_ID}
        if self._min_keep_may_apply(facts, named):
            for digest in named:
                needed[digest] |= {Fact.CREATED}
        return needed

    def _min_keep_may_apply(self, facts: RepositoryFacts, named: Iterable[Digest]) -> bool:
        """Tell whether `min-keep` may keep some of these manifests, so that their dates are needed."""
        least = self.wanted.min_keep
        return bool(least) and isinstance(facts.tags, TagsRead) and min_keep_may_apply(named, facts.tags, least)

    def _details(self, repository: Repository, digest: Digest) -> Details:
        found, pushed = self.facts.of(digest), self._pushed.of(repository, digest)
        return found if pushed is None else replace(found, pushed=pushed)

    def _judged(self, facts: RepositoryFacts, view: RepositoryView | None, tell: EventListener) -> RepositoryFacts:
        if view is None:
            return facts
        known = known_digests(view)
        details = {digest: self._details(facts.repository, digest) for digest in sorted(known)}
        view = replace(view, details=details, new=self.facts.new_in(facts.repository, known))
        verdicts = evaluate(self.wanted.entries, view, self.now)
        if self.used:
            held = kept_in_use(self.used, facts.repository, view.tags, known, details, _children(facts))
            verdicts = replace(verdicts, in_use=held.digests, tags_in_use=held.tags)
            self._warn(facts, tell)
        if self.wanted.min_keep:
            verdicts = self._with_dates(verdicts, view)
        return replace(facts, conditions=verdicts)

    def _with_dates(self, verdicts: ConditionVerdicts, view: RepositoryView) -> ConditionVerdicts:
        named = [digest for _, digest in view.targets if digest is not None]
        return replace(
            verdicts, created={digest: date_of(view.of(digest), DateKind.CREATED, self.now) for digest in named}
        )

    def _warn(self, facts: RepositoryFacts, tell: EventListener) -> None:
        """Warn once about each tag in use of a touched repository that cannot be read."""
        if not isinstance(facts.tags, TagsRead) or not facts.tags.tags:
            return
        for tag in self.used.tags_in(facts.repository):
            reference = TagRef(facts.repository, tag)
            if tag not in facts.tags.tags and reference not in self._warned:
                self._warned.add(reference)
                text = f"{reference} is in use, and cannot be read: what it led to is not known"
                tell(Warned(WarningKind.IN_USE_UNREADABLE, text))


def _of_the_protocol(needed: Mapping[Digest, frozenset[Fact]]) -> dict[Digest, frozenset[Fact]]:
    """Return the facts that have to be read from manifests and configurations; the others are in a backend's listing."""
    return {digest: own for digest, facts in needed.items() if (own := facts & OF_THE_PROTOCOL)}


class PushTimes:
    """When manifests were pushed, by the newest time that any listing of the run had: a later one may not have it."""

    def __init__(self) -> None:
        """No time is known yet."""
        self._times: dict[tuple[Repository, Digest], datetime] = {}

    def note(self, repository: Repository, times: Mapping[Digest, datetime]) -> None:
        """Note the times of a listing."""
        for digest, time in times.items():
            key = repository, digest
            self._times[key] = max(time, self._times.get(key, time))

    def of(self, repository: Repository, digest: Digest) -> datetime | None:
        """Return when a manifest was last pushed; None: no listing has it."""
        return self._times.get((repository, digest))


def view_of(facts: RepositoryFacts) -> RepositoryView:
    """Return the view of a repository that conditions are evaluated on."""
    tags = {tag: found.digest for tag, found in facts.tags.tags.items()} if isinstance(facts.tags, TagsRead) else {}
    targets: list[tuple[Target, Digest | None]] = []
    for target, found in facts.resolutions:
        reference = target.reference
        if isinstance(found, Resolved):
            targets.append((target, found.digest))
            if isinstance(reference, TagRef):
                tags.setdefault(reference.tag, found.digest)
        elif isinstance(reference, TagRef) and reference.tag in facts.dangling:
            targets.append((target, None))
    return RepositoryView(facts.repository, tags, targets)


def _children(facts: RepositoryFacts) -> dict[Digest, tuple[Digest, ...]]:
    found = {
        resolution.digest: resolution.children.manifests
        for _, resolution in facts.resolutions
        if isinstance(resolution, Resolved) and resolution.children is not None and resolution.children.manifests
    }
    if isinstance(facts.tags, TagsRead):
        found.update({index: named.manifests for index, named in facts.tags.indexes.items() if named.manifests})
    return found


class Chooser:
    """Chooses among the images that entries with `labels`, `annotations` or `platform` name."""

    def __init__(self, conditions: Conditions, resolver: Resolver, stop: Stop, tell: EventListener) -> None:
        """`conditions`: the entries, and the reader of the facts that they need; `resolver`: the reader of manifests."""
        self._conditions = conditions
        self._entries = conditions.wanted.entries
        self._resolver = resolver
        self._stop = stop
        self._tell = tell

    @property
    def has_work(self) -> bool:
        """Tell whether any entry has such a condition."""
        return any(entry.chooses_images for entry in self._entries)

    async def choose(self, lines: Sequence[Line]) -> list[Line]:
        """Return the lines without images that no entry chooses; an entry that chooses no image becomes an Unmatched.

        If the run is stopped, all lines are returned.
        """
        targets = [line for line in lines if isinstance(line, Target) and self._has_image_conditions(line)]
        self._tell(PhaseBegan(Phase.RESOLVING_IMAGES, len(targets)))
        await self._resolver.resolve(map(name_of, targets), Method.GET)
        needed: dict[Repository, dict[Digest, frozenset[Fact]]] = {}
        for view in self._views(targets):
            needed[view.repository] = dict(facts_needed(self._entries, view, choosing=True))
        await self._conditions.facts.read(needed, self._tell)
        if self._stop:
            return list(lines)  # the images were not all read, so none is left out
        left = {target: self._left(target) for target in targets}
        used = {number for line in lines if isinstance(line, Target) for number in left.get(line, line).bound}
        return list(self._lines(lines, left, used))

    def _lines(self, lines: Sequence[Line], left: dict[Target, Target], used: set[int]) -> Iterator[Line]:
        reported: set[int] = set()
        for line in lines:
            if isinstance(line, Unmatched):
                yield line
                continue
            found = left.get(line, line)
            if found.bound or not line.bound:
                yield found
                continue
            for number in line.bound:
                entry = self._entries[number]
                if number not in used and number not in reported:
                    reported.add(number)
                    yield Unmatched(entry.text, entry.source, entry.note, NoMatch())

    def _has_image_conditions(self, target: Target) -> bool:
        return any(self._entries[number].chooses_images for number in target.bound)

    def _views(self, targets: Sequence[Target]) -> Iterator[RepositoryView]:
        tags: dict[Repository, dict[str, Digest]] = defaultdict(dict)
        for target in targets:
            found = self._resolver.found.get(name_of(target))
            if isinstance(found, Resolved):
                of_repository = tags[target.reference.repository]
                if isinstance(target.reference, TagRef):
                    of_repository[target.reference.tag] = found.digest
        for repository, found_tags in tags.items():
            yield RepositoryView(repository, found_tags, ())

    def _left(self, target: Target) -> Target:
        """Return a target with only the entries that choose it in `bound`; if it cannot be read, return it unchanged."""
        found = self._resolver.found.get(name_of(target))
        if not isinstance(found, Resolved):
            return target
        details = self._conditions.facts.of(found.digest)
        bound = tuple(number for number in target.bound if is_chosen(self._entries[number], details))
        if not bound or bound[0] == target.bound[0]:
            return replace(target, bound=bound)
        first = self._entries[bound[0]]
        return replace(target, source=first.source, note=first.note, bound=bound)
