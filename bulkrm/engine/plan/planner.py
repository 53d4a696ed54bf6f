"""Makes the plan of a run: resolves targets, judges, probes what the judgement depends on, and judges again."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import field, replace
from functools import partial

from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.plan.attached import Attached
from bulkrm.engine.plan.conditions import Chooser, Conditions
from bulkrm.engine.plan.expand import expand
from bulkrm.engine.plan.resolver import ManifestSink, Method, Name, Resolver
from bulkrm.engine.plan.survey import Survey, read_tags
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.plan.untag_probe import UntagProbe
from bulkrm.engine.reading import Basis, Rejudged, Relisted
from bulkrm.model.digest import Digest
from bulkrm.model.events import Warned, WarningKind, ignore
from bulkrm.model.manifests.manifest import IMAGE_TYPES, Resolution, Resolved
from bulkrm.model.plan import Dangling, Delete, Item, Plan, Untag, UntagMethod
from bulkrm.model.reference import HTTPS_PORT, Repository, TagRef
from bulkrm.model.result.failure import CircuitOpen, Failure, TagsOnly
from bulkrm.model.settings import Limit, Policy, Shared, Strategy
from bulkrm.model.target import Line, Target
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.facts import RepositoryFacts
from bulkrm.planning.guards.rules import GuardRules
from bulkrm.planning.judge import enforce_limit, judge
from bulkrm.planning.merge import keep_attached_without_parent, keep_without_parents, merge_fresh
from bulkrm.planning.order.sequence import choose_orders, repositories_to_probe, with_tags_only_hosts
from bulkrm.planning.recheck import may_affect, recheck
from bulkrm.planning.recursion import without_kept_attachments
from bulkrm.selection.conditional import UNCONDITIONAL, RunConditions
from bulkrm.selection.entry import Entry


@valueclass
class PlanWithFacts:
    """A plan, and the facts that it was made from."""

    plan: Plan
    facts: Sequence[RepositoryFacts] = field(default_factory=tuple)


class Planner:
    """Makes the plan of a run, and judges stale repositories again."""

    def __init__(  # noqa: PLR0913, PLR0917 (what a run consists of)
        self,
        policy: Policy,
        rules: GuardRules,
        gateway: Gateway,
        lists: TagLists,
        context: RunContext,
        conditions: RunConditions = UNCONDITIONAL,
        default_port: int = HTTPS_PORT,
    ) -> None:
        """Use `lists`, the tag lists, some of which were read to expand globs; `default_port`: of hosts without a port."""
        self.conditions = Conditions(conditions, gateway, context.stop, context.clock, default_port)
        self._policy = policy
        self._rules = rules
        self._gateway = gateway
        self._lists = lists
        self._context = context
        self._dangling: tuple[Dangling, ...] = ()  # of the plan: later judgements need not keep a repository for them
        self._probe = UntagProbe(gateway, context.stop, allow_decoy=policy.allow_decoy)
        sink = self.conditions.observing(ManifestSink(context.recorder, measure=policy.measure))
        self._resolver = Resolver(gateway, lists, context.stop, context.tell, sink, context.removed_ahead)
        self._survey = Survey(self._resolver, lists, policy, rules, context.stop, context.tell)
        self._attached = Attached(gateway, self._resolver, context.stop, context.tell) if policy.recursive else None

    def resolution_of(self, target: Target) -> Resolution | None:
        """Return the manifest that a target leads to; None: it was not read, or answers of its host may be mixed up."""
        if not self._gateway.is_confirmed(target.reference.repository.host):
            return None
        return self._survey.known(target)

    def forget(self, plan: Plan) -> None:
        """Free the memory of everything that was read for the plan: a later judgement reads it again.

        Only the tag lists of touched repositories are kept, to recognise new tags.
        """
        self._resolver.found.clear()
        self._lists.forget({item.repository for item in plan.changed_items})

    async def plan(self, targets: Sequence[Target], limit: Limit | None) -> PlanWithFacts | None:
        """Read the targets, and return the plan; None: the run was stopped before it was complete. `limit`: `--max-delete`."""
        growing = list(targets)
        while (facts := await self._read(growing, first=True)) is not None:
            plan = judge(facts, self._rules)
            more = await self._probe.find(_tags_only(plan))
            if self._attached is not None and not more:
                more = await self._attached.extend(growing, plan, facts)
            if self._context.stop:
                return None
            if not more:
                self._warn_where_nothing_is_untagged(facts)
                plan = enforce_limit(plan, limit) if limit else plan
                return await self._in_order(without_kept_attachments(plan) if self._attached else plan, facts)
        return None

    async def renew(
        self, saved: Plan, gone: Collection[tuple[Repository, Digest]], limit: Limit | None
    ) -> PlanWithFacts | None:
        """Judge a saved plan again. The result deletes nothing that the saved plan would not delete.

        `gone`: manifests that an earlier part of the run deleted. None: the run was stopped.
        """
        self.conditions.mark_known(saved)
        saved = keep_attached_without_parent(saved, gone)
        changed = list(saved.changed_items)
        targets = [target for item in changed for target in item.targets] + [entry.target for entry in saved.dangling]
        while (facts := await self._read(targets, changed)) is not None:
            fresh = judge(facts, self._rules)
            if not await self._probe.find(_tags_only(fresh)):
                plan = merge_fresh(saved, keep_without_parents(recheck(changed, fresh)), fresh)
                return await self._in_order(enforce_limit(plan, limit) if limit else plan, facts)
            if self._context.stop:
                return None
        return None

    def basis(self, repository: Repository) -> Basis:
        """Return when a repository was read for the plan, and the tags that it had."""
        return self._lists.basis(repository)

    async def list_again(self, repository: Repository, changed: Sequence[Item], basis: Basis) -> Relisted | None:
        """Read the tag list again, and the new tags in it; None: the run was stopped, or the circuit of the host is open.

        That takes one request, one more for each new tag, and another for each new tag that is not a plain image.
        """
        lists, resolver = self._new_readers()
        with self._gateway.second_reading():
            await lists.read([repository], ignore)
            listed = lists.get(repository)
            names = listed if isinstance(listed, tuple) else ()
            new: list[Name] = [(repository, tag) for tag in sorted({*names} - {*basis.names})]
            await read_tags(resolver, new)
            found = [resolver.found[name] for name in new if name in resolver.found]
            whole = [one.digest for one in found if isinstance(one, Resolved) and one.media_type not in IMAGE_TYPES]
            await resolver.resolve([(repository, digest) for digest in whole], Method.ANY)
            is_affected = await self.conditions.affected_by_new_tags(
                repository,
                {tag: resolver.found[repository, tag] for _, tag in new if (repository, tag) in resolver.found},
            )
        if self._context.stop or self._is_broken(repository):
            return None
        deletions = {item.digest for item in changed if isinstance(item.verdict, Delete)}
        found = [
            resolver.found.get((repository, one.digest), one) if isinstance(one, Resolved) else one for one in found
        ]
        unknown = listed is None or isinstance(listed, Failure)
        fresh = replace(lists.basis(repository), whole=basis.whole)
        return Relisted(fresh, unknown or is_affected or any(may_affect(deletions, one) for one in found))

    async def judge_again(self, repository: Repository, changed: Sequence[Item]) -> Rejudged | None:
        """Read and judge a repository again, for the items `changed`; None: the run was stopped, or the host cannot be read."""
        lists, resolver = self._new_readers()
        lists.touch(repository)
        targets = [target for item in changed for target in item.targets]
        targets += [entry.target for entry in self._dangling if entry.repository == repository]
        with self._gateway.second_reading():
            survey = Survey(resolver, lists, self._policy, self._rules, self._context.stop, ignore)
            facts = await survey.read(targets, Method.HEAD)
            if facts is not None:
                facts = await self.conditions.complete(self._completed(facts, changed), lists, ignore)
        if facts is None or self._context.stop or self._is_broken(repository):
            return None
        return Rejudged(recheck(changed, judge(facts, self._rules)), lists.basis(repository))

    async def lines(self, entries: Sequence[Entry]) -> Sequence[Line]:
        """Return the lines of the report: the images that the entries name, and choose by labels and the like.

        After a stop, all lines that are known are returned.
        """
        lists, stop, tell = self._lists, self._context.stop, self._context.tell
        expanded = partial(expand, entries, self._gateway, lists, stop, tell)
        lines = await self._gateway.read_reliably(expanded, self._forget)
        chooser = Chooser(self.conditions, self._resolver, stop, tell)
        if not chooser.has_work:
            return lines
        return await self._gateway.read_reliably(partial(chooser.choose, lines), self._forget)

    def _is_broken(self, repository: Repository) -> bool:
        """Tell whether the circuit of the host is open, so that the failures of requests tell nothing about a repository."""
        return isinstance(self._gateway.repository(repository).known_failure, CircuitOpen)

    def _new_readers(self) -> tuple[TagLists, Resolver]:
        """Return new, empty readers; they only know the tags that this run removed ahead."""
        context = self._context
        gateway = self._gateway.for_rereading()
        lists = TagLists(gateway, context.stop, context.clock, context.removed_ahead)
        return lists, Resolver(gateway, lists, context.stop, ignore, removed_ahead=context.removed_ahead)

    async def _read(
        self, targets: Sequence[Target], changed: Sequence[Item] = (), *, first: bool = False
    ) -> list[RepositoryFacts] | None:
        """Read the facts of all targets, also those for conditions; if answers were mixed up, read them all again.

        `first`: for the judgement that makes the plan. None: the run was stopped.
        """

        async def read() -> list[RepositoryFacts] | None:
            facts = await self._survey.read(targets)
            if facts is not None:
                tell = self._context.tell
                facts = await self.conditions.complete(self._completed(facts, changed), self._lists, tell, first=first)
            return None if self._context.stop else facts

        return await self._gateway.read_reliably(read, self._forget)

    def _forget(self) -> None:
        self._survey.forget()
        self._resolver.found.clear()
        self._lists.forget(())
        self.conditions.facts.forget()

    async def _in_order(self, plan: Plan, facts: Sequence[RepositoryFacts]) -> PlanWithFacts | None:
        """Return the plan with the order of requests in each repository; None: the run was stopped meanwhile."""
        strategy = self._policy.strategy
        self._dangling = plan.dangling
        plan = self._with_traits(plan)
        repositories = list(repositories_to_probe(plan, strategy))
        await self._probe.find(repositories)
        if self._context.stop:
            return None
        if strategy is Strategy.TAGS_FIRST:
            plan = with_tags_only_hosts(plan, self._tags_only(repositories))
            self._warn_of_undeletable_tags(repositories, "manifests are deleted by digest")
        return PlanWithFacts(replace(plan, orders=choose_orders(plan, strategy, self._method_of_tags_first)), facts)

    def _method_of_tags_first(self, repository: Repository) -> UntagMethod | Failure | None:
        """Return how tags can be removed before manifests; a Failure on hosts that delete no manifests."""
        return self._gateway.traits(repository.host).tags_only or self._probe.of(repository)

    def _with_traits(self, plan: Plan) -> Plan:
        """Return the plan with the traits of the hosts on which it deletes something."""
        hosts = {host: self._gateway.traits(host) for host in {item.repository.host for item in plan.changed_items}}
        return replace(
            plan,
            untagged_first=frozenset(host for host, traits in hosts.items() if traits.untagged_first),
            no_undo=frozenset(host for host, traits in hosts.items() if not traits.restorable),
        )

    def _tags_only(self, repositories: Iterable[Repository]) -> dict[str, TagsOnly]:
        """Return the hosts of these repositories that delete tags only, and warn about them."""
        known = {repository.host: self._gateway.traits(repository.host).tags_only for repository in repositories}
        found = {host: why for host, why in sorted(known.items()) if why is not None}
        for host in found:
            text = f"{host} deletes tags, and no manifests: the tags go, and the manifests stay"
            self._context.tell(Warned(WarningKind.MANIFESTS_STAY, text))
        return found

    def _warn_where_nothing_is_untagged(self, facts: Sequence[RepositoryFacts]) -> None:
        """Warn about hosts on which `--shared untag` cannot remove single tags."""
        if self._policy.shared is Shared.UNTAG:
            self._warn_of_undeletable_tags([entry.repository for entry in facts], "what has other tags too is kept")

    def _warn_of_undeletable_tags(self, repositories: Iterable[Repository], then: str) -> None:
        for host in sorted({repository.host for repository in repositories if self._probe.of(repository) is None}):
            text = f"{host} deletes no tags, so {then}; --allow-decoy permits another way"
            self._context.tell(Warned(WarningKind.TAGS_STAY, text))

    def _completed(self, facts: Sequence[RepositoryFacts], changed: Sequence[Item] = ()) -> list[RepositoryFacts]:
        """Return the facts of a survey with those that it does not read: probes, referrers, and earlier digests of tags.

        A tag that has moved since an earlier judgement is kept, as if the list had pinned it.
        """
        attached, before = self._attached, dict[Repository, dict[str, Digest]]()
        for item in changed:
            for target in item.targets:
                if isinstance(target.reference, TagRef):
                    before.setdefault(item.repository, {})[target.reference.tag] = item.digest
        return [
            replace(
                entry,
                expected=before.get(entry.repository, {}),
                untag_method=self._probe.of(entry.repository),
                unknown=attached.failures(entry.repository) if attached is not None else {},
                absent=attached.absent(entry.repository) if attached is not None else frozenset(),
            )
            for entry in facts
        ]


def _tags_only(plan: Plan) -> Iterator[Repository]:
    """Yield the repositories in which tags are removed without a manifest."""
    yield from (item.repository for item in plan.items if isinstance(item.verdict, Untag))
    yield from (entry.repository for entry in plan.dangling)
