"""One run from entries to outcomes; read it from top to bottom to see the way of a reference."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import chain

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.execution import Execution, ExecutionOptions
from bulkrm.engine.execute.tags.dangling import DanglingTags
from bulkrm.engine.execute.verify import Verifier, expectations
from bulkrm.engine.execute.verify_deleted import removed_references
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.plan.planner import Planner, PlanWithFacts
from bulkrm.engine.plan.tag_lists import TagLists
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.recover.saved_plan import SavedPlanJudge
from bulkrm.model.events import PlanMade, Warned, WarningKind
from bulkrm.model.manifests.manifest import Absent, Resolved, Unresolved
from bulkrm.model.plan import Item, Plan, Settled
from bulkrm.model.reference import TagRef
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    WouldDelete,
    outcome_of_failure,
)
from bulkrm.model.result.report import ConditionReads, ImageResult, Verification
from bulkrm.model.target import Line, Target
from bulkrm.planning.explain import explain
from bulkrm.planning.guards.graph import orphans
from bulkrm.planning.guards.rules import GuardRules, TrackedPatterns
from bulkrm.planning.image_outcome import image_outcome
from bulkrm.planning.order.sequence import steps_of
from bulkrm.planning.verdict_outcomes import outcome_of_verdict, would
from bulkrm.remote.registries import Registries
from bulkrm.selection.entry import Entry
from bulkrm.selection.selectors.min_keep import newest_to_keep
from bulkrm.state.errors import StateError

Confirm = Callable[[Plan], Awaitable[bool]]


class Run:
    """One run. `plan_and_execute` does all of it; a dry run ends before the delete phase."""

    def __init__(self, job: Job, registries: Registries, context: RunContext) -> None:
        """Build the parts of the run; nothing is sent yet."""
        self._job = job
        self._context = context
        self._stop = context.stop
        self._gateway = Gateway(registries)
        self._outcomes = Outcomes(context.tell, context.stop.crash, context.recorder.outcome)
        self._lists = TagLists(self._gateway, context.stop, context.clock, context.removed_ahead)
        self._protection = TrackedPatterns(job.protect)
        self._ignoring = TrackedPatterns(job.ignore, "--ignore-unreadable")
        least = job.conditions.min_keep
        self._rules = GuardRules(job.policy.shared, self._protection.match, self._ignoring.match, least, newest_to_keep)
        self._planner = Planner(
            job.policy, self._rules, self._gateway, self._lists, context, job.conditions, job.default_port
        )
        self._verifier: Verifier | None = None
        self.waited = 0.0  # seconds that the question took, which do not count as time of the run
        self.explained: tuple[str, ...] = ()
        self.plan: Plan | None = None
        self.verification: Verification | None = None

    @property
    def condition_reads(self) -> ConditionReads:
        """How many manifests and configs were read for conditions."""
        facts = self._planner.conditions.facts
        return ConditionReads(facts.manifests_asked, facts.configs_asked)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines of the report, as far as they are known by now."""
        return self._outcomes.lines

    @property
    def orphans(self) -> int:
        """How many manifests and tags are left unreferenced by the deletions, or would be."""
        return orphans(self.plan.deletions, self._outcomes.went) if self.plan else 0

    async def plan_and_execute(self, confirm: Confirm) -> Sequence[ImageResult]:
        """Plan, ask, delete and verify; return one result for every image and every pattern without images.

        `confirm` is asked once, when the plan is complete and something would go. Raises nothing: a bug stops the run,
        is kept in the stop, and raised by the caller when the report is out.
        """
        try:
            plan = await self._prepare()
            if plan is not None and self._job.policy.dry_run:
                self._record_what_would_be_done(plan)
            elif plan is not None and await self._ask(plan, confirm) and await self._record_plan(plan):
                await self._carry_out(plan)
        except Exception as bug:  # noqa: BLE001 (kept, and raised again when the report is complete)
            self._stop.crash(bug)
        return self._close()

    async def _prepare(self) -> Plan | None:
        """Make the plan, record the outcomes of what is not deleted, and free what was read; None: the run was stopped."""
        work = self._job.work
        made = await (self._plan_again(work) if isinstance(work, Saved) else self._plan_list(work))
        if made is None:
            return None
        self._outcomes.add(_attached_targets(made.plan))
        self._warn(made)
        if self._stop:
            return None
        plan = self.plan = made.plan
        self._settle(plan)
        self._note(made)
        self._planner.forget(plan)
        self._context.tell(PlanMade(plan))
        return plan

    async def _plan_list(self, entries: Sequence[Entry]) -> PlanWithFacts | None:
        """Return the plan of a list; None where the run was stopped before it was complete."""
        self._outcomes.open(await self._planner.lines(entries))
        targets = [line for line in self._outcomes.lines if isinstance(line, Target)]
        made = None  # stays None if the phase is cut short
        with self._stop.phase():
            made = await self._planner.plan(targets, self._job.policy.max_delete)
        if made is None:
            self._settle_what_is_known(targets)
        return made

    async def _plan_again(self, saved: Saved) -> PlanWithFacts | None:
        """Return what is left of a saved plan; None as for a list."""
        self._outcomes.open(saved.lines)
        policy, planner, gateway = self._job.policy, self._planner, self._gateway
        return await SavedPlanJudge(saved, policy, planner, gateway, self._context, self._outcomes).plan()

    def _note(self, made: PlanWithFacts) -> None:
        """Take from the facts, before they are freed, the texts of `--explain`, and what `--verify` expects to stay."""
        lines = (explain(image, made.plan, made.facts, self._rules) for image in self._job.explain)
        self.explained = tuple(chain.from_iterable(lines))
        if self._job.policy.verify:
            self._verifier = Verifier(self._gateway, self._context, expectations(made))

    def _warn(self, made: PlanWithFacts) -> None:
        """Tell of patterns that matched nothing, and of files of images in use that are about other hosts."""
        for patterns in (self._protection, self._ignoring):
            patterns.mark_used(made.facts)
            for text in patterns.unused_warnings():
                self._context.tell(Warned(WarningKind.UNUSED_PATTERN, text))
        for warning in self._planner.conditions.unrelated_hosts(self._job.hosts):
            self._context.tell(warning)

    def _settle(self, plan: Plan) -> None:
        """Record the outcomes of the targets that are not deleted."""
        for entry in plan.settled:
            if not self._outcomes.has(entry.target):
                self._record_image(entry.target, self._removed_before(entry) or outcome_of_verdict(entry.outcome))
        for item in plan.items:
            if isinstance(item.verdict, Kept | Failed):
                self._record(item, outcome_of_verdict(item.verdict))

    def _removed_before(self, entry: Settled) -> Deleted | None:
        """Return `deleted` for a dangling tag that is gone now, if an earlier part of the run tried to remove it."""
        reference, work = entry.target.reference, self._job.work
        if not (isinstance(work, Saved) and isinstance(entry.outcome, Gone) and isinstance(reference, TagRef)):
            return None
        return Deleted(for_good=True) if (reference.repository, reference.tag) in work.earlier.dangling else None

    def _settle_what_is_known(self, targets: Sequence[Target]) -> None:
        """Record the outcomes that are certain although the plan was cut short: absent and unreadable targets."""
        for target in targets:
            match self._planner.resolution_of(target):
                case Absent(no_repository):
                    self._outcomes.record(target, Gone(no_repository))
                case Unresolved(failure):
                    self._outcomes.record(target, outcome_of_failure(failure))
                case _:
                    pass

    def _record_what_would_be_done(self, plan: Plan) -> None:
        for item in plan.changed_items:
            self._record(item, would(item))
        for entry in plan.dangling:
            self._outcomes.record(entry.target, WouldDelete(for_good=True))

    async def _ask(self, plan: Plan, confirm: Confirm) -> bool:
        """Ask; False: nothing is to be deleted. Nobody is asked where nothing would go, or a failure ends the run."""
        if self._job.policy.fail_fast and self._outcomes.has_failures:
            self._stop.fail_fast()
            return False
        if next(plan.changed_items, None) is None and not plan.dangling:
            return False
        begin = self._context.clock.monotonic()
        try:
            return await confirm(plan)
        finally:
            self.waited += self._context.clock.monotonic() - begin

    async def _record_plan(self, plan: Plan) -> bool:
        """Record the plan before anything is deleted. False: that failed, so every image has failed and nothing is deleted."""
        try:
            await self._context.recorder.planned(plan, self._outcomes.lines)
        except StateError as error:
            self._record_failure(plan, Failed(not_recorded(error)))
            return False
        return True

    def _record_failure(self, plan: Plan, failed: Failed) -> None:
        for item in plan.changed_items:
            self._record(item, failed)
        for entry in plan.dangling:
            self._outcomes.record(entry.target, failed)

    async def _carry_out(self, plan: Plan) -> None:
        """Delete, and verify the result if that is wanted."""
        gateway, context, outcomes, policy = self._gateway, self._context, self._outcomes, self._job.policy
        if self._verifier is not None:
            await self._verifier.before()
        if plan.dangling:
            await DanglingTags(gateway, context, outcomes).remove(plan.dangling, fail_fast=policy.fail_fast)
        options = ExecutionOptions(policy.allow_decoy, policy.fail_fast, self._job.begun)
        await Execution(steps_of(plan), gateway, context, self._planner, outcomes, options).run()
        if self._verifier is not None:
            self.verification = await self._verifier.after(removed_references(plan, outcomes))

    def _close(self) -> Sequence[ImageResult]:
        """Record the images without an outcome: not attempted, or unfinished if a tag was removed ahead. Return the results."""
        reason = self._stop.reason or NotAttemptedReason.DECLINED
        for target in self._outcomes.open_targets():
            self._record_image(target, NotAttempted(reason))
        return self._outcomes.close(reason)

    def _record(self, item: Item, outcome: Outcome) -> None:
        for target in item.targets:
            self._record_image(target, outcome, item.resolved)

    def _record_image(self, target: Target, manifest: Outcome, resolved: Resolved | None = None) -> None:
        """Record the outcome of an image by that of its manifest; an earlier part of the run may have removed its tag."""
        removed = self._context.removed_ahead.removed(target)
        self._outcomes.record(target, image_outcome(target, manifest, removed), resolved)


def _attached_targets(plan: Plan) -> list[Target]:
    """Return the targets of a plan that the list does not name; they get lines in the report too."""
    targets = [target for item in plan.items for target in item.targets] + [entry.target for entry in plan.settled]
    return [target for target in targets if target.parent is not None]
