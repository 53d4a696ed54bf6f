"""From targets to a plan: read what they lead to, judge, ask what the judgement turns on, and judge again."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bulkrm.engine.around import Around
from bulkrm.engine.asking import STALE, Asking
from bulkrm.engine.attached import Attached
from bulkrm.engine.notice import Notice
from bulkrm.engine.observer import Observer, Silent
from bulkrm.engine.resolve import Method, Resolver
from bulkrm.engine.survey import Survey
from bulkrm.engine.tag_lists import TagLists
from bulkrm.engine.ways import Ways
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Resolution
from bulkrm.model.plan import Dangling, Item, Plan, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.settings import Limit, Policy, Shared, Strategy
from bulkrm.model.target import Target
from bulkrm.planning.facts import RepositoryFacts
from bulkrm.planning.guards import Rules
from bulkrm.planning.judge import hold, judge
from bulkrm.planning.merge import kept_with_parent, merged, with_parents_only
from bulkrm.planning.recheck import Fresh, Recheck, recheck
from bulkrm.planning.recursion import trimmed
from bulkrm.planning.strategy import orders, worth_asking


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A plan, and the facts that it rests on."""

    plan: Plan
    facts: Sequence[RepositoryFacts] = field(default_factory=tuple)


class Planner:
    """Makes the plan of a run, and judges again what grew old."""

    def __init__(self, policy: Policy, rules: Rules, asking: Asking, lists: TagLists, around: Around) -> None:
        """Take the listings as well that globs have brought already."""
        self._policy = policy
        self._rules = rules
        self._asking = asking
        self._lists = lists
        self._around = around
        self._dangling: tuple[Dangling, ...] = ()  # they hold nothing back when something is judged again
        self._ways = Ways(asking, around.stop, allow_decoy=policy.allow_decoy)
        notice = Notice(around.recorder, measure=policy.measure)
        self._resolver = Resolver(asking, lists, around.stop, around.observer, notice, around.cleared)
        self._attached = Attached(asking, self._resolver, around.stop, around.observer)

    def known(self, target: Target) -> Resolution | None:
        """Return what was found out about a target, if anything was that can be relied on."""
        if not self._asking.is_confirmed(target.reference.repository.host):
            return None
        return self._survey(self._resolver, self._lists, self._around.observer).known(target)

    def forget(self) -> None:
        """Let go what was read: the plan is complete, and whatever is judged again is read again."""
        self._resolver.found.clear()
        self._lists.forget()

    async def plan(self, targets: Sequence[Target], limit: Limit | None) -> Knowledge | None:
        """Read, judge, and make the plan; None: the run was stopped before it was complete."""
        survey = self._survey(self._resolver, self._lists, self._around.observer)
        growing = list(targets)
        while (facts := await self._read(survey, growing)) is not None:
            facts = self._completed(facts)
            plan = judge(facts, self._rules)
            more = await self._ways.find(_tags_only(plan))
            if self._policy.recursive and not more:
                more = await self._attached.extend(growing, plan, facts)
            if self._around.stop:
                return None
            if not more:
                self._warn_where_nothing_is_untagged(facts)
                self._dangling = plan.dangling
                return await self._in_order(trimmed(hold(plan, limit) if limit else plan), facts)
        return None

    async def renew(
        self, saved: Plan, gone: Collection[tuple[Repository, Digest]], limit: Limit | None
    ) -> Knowledge | None:
        """Judge a saved plan again: what the result does is a part of what the saved plan would do.

        `gone`: what an earlier part of the run has deleted already.
        """
        saved = kept_with_parent(saved, gone)
        acts = list(saved.acts)
        targets = [target for item in acts for target in item.targets] + [entry.target for entry in saved.dangling]
        survey = self._survey(self._resolver, self._lists, self._around.observer)
        while (facts := await self._read(survey, targets)) is not None:
            facts = self._completed(facts, acts)
            fresh = judge(facts, self._rules)
            if not await self._ways.find(_tags_only(fresh)):
                plan = merged(saved, with_parents_only(recheck(acts, fresh)), fresh)
                self._dangling = plan.dangling
                return await self._in_order(hold(plan, limit) if limit else plan, facts)
            if self._around.stop:
                return None
        return None

    async def freshen(self, repository: Repository, acts: Sequence[Item], again: bool) -> Recheck | Fresh | None:  # noqa: FBT001
        """Read and judge a repository again, if it was read too long ago or `again`; None: a stop came in between."""
        if self._lists.age(repository) <= STALE and not again:
            return Fresh.AS_IT_WAS
        cleared = self._around.cleared
        lists = TagLists(self._asking, self._around.stop, self._around.clock, cleared)
        resolver = Resolver(self._asking, lists, self._around.stop, Silent(), cleared=cleared)
        targets = [target for item in acts for target in item.targets]
        targets += [entry.target for entry in self._dangling if entry.repository == repository]
        with self._asking.again():
            facts = await self._survey(resolver, lists, Silent()).read(targets, Method.HEAD)
        if facts is None:
            return None
        return recheck(acts, judge(self._completed(facts, acts), self._rules))

    async def _read(self, survey: Survey, targets: Sequence[Target]) -> list[RepositoryFacts] | None:
        """Read in bulk; of answers that were mixed up nothing is left that anything could rest on."""

        def forget() -> None:
            self.forget()
            survey.forget()

        return await self._asking.reliably(lambda: survey.read(targets), forget)

    async def _in_order(self, plan: Plan, facts: Sequence[RepositoryFacts]) -> Knowledge | None:
        """Decide in which repositories tags go before manifests; None: the run was stopped meanwhile."""
        strategy = self._policy.strategy
        repositories = list(worth_asking(plan, strategy))
        await self._ways.find(repositories)
        if self._around.stop:
            return None
        if strategy is Strategy.TAGS_FIRST:
            self._warn_of_no_way(repositories, "manifests are deleted by digest")
        return Knowledge(replace(plan, orders=orders(plan, strategy, self._ways.of)), facts)

    def _warn_where_nothing_is_untagged(self, facts: Sequence[RepositoryFacts]) -> None:
        """Say so where listed tags were to be taken off, and cannot be, as most registries' single tags."""
        if self._policy.shared is Shared.UNTAG:
            self._warn_of_no_way([entry.repository for entry in facts], "what has other tags too is kept")

    def _warn_of_no_way(self, repositories: Iterable[Repository], then: str) -> None:
        for host in sorted({place.host for place in repositories if self._ways.of(place) is None}):
            self._around.observer.warn(f"{host} deletes no tags, so {then}; --allow-decoy permits another way")

    def _completed(self, facts: Sequence[RepositoryFacts], acts: Sequence[Item] = ()) -> list[RepositoryFacts]:
        """Add what is known beside what a survey reads.

        A tag that leads elsewhere now than it did is as good as pinned to what it held: it stays, and what it needs.
        """
        before: dict[Repository, dict[str, Digest]] = {}
        for item in acts:
            for target in item.targets:
                if isinstance(target.reference, TagRef):
                    before.setdefault(item.repository, {})[target.reference.tag] = item.digest
        return [
            replace(
                entry,
                expected=before.get(entry.repository, {}),
                way=self._ways.of(entry.repository),
                unknown=self._attached.failures(entry.repository),
            )
            for entry in facts
        ]

    def _survey(self, resolver: Resolver, lists: TagLists, observer: Observer) -> Survey:
        return Survey(resolver, lists, self._policy, self._rules, self._around.stop, observer)


def _tags_only(plan: Plan) -> Iterator[Repository]:
    """Yield the repositories where tags go without a manifest."""
    yield from (item.repository for item in plan.items if isinstance(item.verdict, Untag))
    yield from (entry.repository for entry in plan.dangling)
