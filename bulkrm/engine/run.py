"""One run from entries to report; read it from top to bottom to see the way of a reference."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bulkrm.client.registries import Registries
from bulkrm.engine.around import Around
from bulkrm.engine.asking import Asking
from bulkrm.engine.book import Book
from bulkrm.engine.execute import STALE, Execution
from bulkrm.engine.expand import expand
from bulkrm.engine.observer import Observer, Silent
from bulkrm.engine.protection import Protection
from bulkrm.engine.resolve import Method, Resolver
from bulkrm.engine.survey import Survey
from bulkrm.engine.tag_lists import TagLists
from bulkrm.model.manifest import Absent, Unresolved
from bulkrm.model.outcome import Failed, Gone, NotAttemptedReason, WouldDelete
from bulkrm.model.plan import Doomed, Item, Plan
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.report import ImageResult
from bulkrm.model.settings import Policy
from bulkrm.model.target import Target
from bulkrm.planning.guards import Rules
from bulkrm.planning.judge import judge
from bulkrm.planning.recheck import Recheck, recheck
from bulkrm.selection.entry import Entry
from bulkrm.selection.pattern import ProtectPattern

Confirm = Callable[[Plan], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do."""

    entries: Sequence[Entry]
    protect: tuple[ProtectPattern, ...]
    policy: Policy


class Run:
    """One run. `perform` does all of it; a dry run ends before the delete phase."""

    def __init__(self, job: Job, registries: Registries, around: Around) -> None:
        """Take the job; nothing is sent yet."""
        self._job = job
        self._around = around
        self._stop = around.stop
        self._asking = Asking(registries)
        self._book = Book(around.observer, around.stop.crash)
        self._lists = TagLists(self._asking, around.stop, around.clock)
        self._protection = Protection(job.protect)
        self._rules = Rules(job.policy.shared, self._protection.of)

    async def perform(self, confirm: Confirm) -> tuple[ImageResult, ...]:
        """Plan, ask, delete; return one result for every image and every pattern without images.

        `confirm` is asked once, when the plan is complete and something would go. Raises nothing: a bug stops the run,
        is kept in the stop, and raised by the caller when the report is out.
        """
        try:
            plan = await self._plan()
            if plan is not None and not self._stop:
                self._settle(plan)
                await self._act(plan, confirm)
        except Exception as bug:  # noqa: BLE001 (kept, and raised again when the report is complete)
            self._stop.crash(bug)
        return self._book.close(self._stop.reason or NotAttemptedReason.DECLINED)

    async def _plan(self) -> Plan | None:
        """Return the plan, or None where the run was stopped before it was complete."""
        around, job = self._around, self._job
        lines = await expand(job.entries, self._asking, self._lists, around.stop, around.observer)
        self._book.open(lines)
        targets = [line for line in lines if isinstance(line, Target)]
        survey = self._survey(self._lists, around.observer)
        facts = None
        with around.stop.phase():
            facts = await survey.read(targets)
        if facts is None:
            self._settle_what_is_known(survey, targets)
            return None
        plan = judge(facts, self._rules, job.policy.max_delete)
        self._protection.look_at(facts)
        for warning in self._protection.unused():
            around.observer.warn(warning)
        return plan

    async def _act(self, plan: Plan, confirm: Confirm) -> None:
        doomed = tuple(plan.doomed)
        if self._job.policy.dry_run:
            for item in doomed:
                also = item.verdict.also_removed if isinstance(item.verdict, Doomed) else ()
                for target in item.targets:
                    self._book.record(target, WouldDelete(also), item.resolved)
        elif self._job.policy.fail_fast and self._book.has_failures:
            self._stop.fail_fast()
        elif doomed and await confirm(plan):
            execution = Execution(self._asking, self._freshen, self._book, self._around)
            await execution.run(doomed, fail_fast=self._job.policy.fail_fast)

    async def _freshen(self, repository: Repository, doomed: Sequence[Item], again: bool) -> Recheck | None:  # noqa: FBT001
        """Read and judge a repository again, if it was read too long ago or `again`; None: a stop came in between."""
        if self._lists.age(repository) <= STALE and not again:
            return Recheck(tuple(doomed), ())
        lists = TagLists(self._asking, self._stop, self._around.clock)
        facts = await self._survey(lists, Silent()).read(
            [target for item in doomed for target in item.targets], Method.HEAD
        )
        if facts is None:
            return None
        # A tag that leads elsewhere now is as good as pinned to what it held: it stays, and what it needs with it.
        before = {
            target.reference.tag: item.digest
            for item in doomed
            for target in item.targets
            if isinstance(target.reference, TagRef)
        }
        return recheck(doomed, judge([replace(entry, expected=before) for entry in facts], self._rules))

    def _survey(self, lists: TagLists, observer: Observer) -> Survey:
        resolver = Resolver(self._asking, lists, self._stop, observer)
        return Survey(resolver, lists, self._job.policy, self._stop, observer)

    def _settle(self, plan: Plan) -> None:
        """Record what will not be deleted."""
        for entry in plan.settled:
            self._book.record(entry.target, entry.outcome)
        for item in plan.items:
            if not isinstance(item.verdict, Doomed):
                for target in item.targets:
                    self._book.record(target, item.verdict, item.resolved)

    def _settle_what_is_known(self, survey: Survey, targets: Sequence[Target]) -> None:
        """Record what a plan that was cut short found out for good."""
        for target in targets:
            match survey.known(target):
                case Absent(no_repository):
                    self._book.record(target, Gone(no_repository))
                case Unresolved(failure):
                    self._book.record(target, Failed(failure))
                case _:
                    pass
