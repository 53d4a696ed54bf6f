"""A saved plan is judged again before it is carried out: by `apply`, and by `resume`, which goes on with a run.

`resume` first finds out what became of the requests that the killed run left in flight, and plans again what failed in the
plan itself. What `undo` has put back meanwhile stays.
"""

from dataclasses import replace

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.other_decoys import OtherDecoys
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import Saved
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.plan.planner import Planner, PlanWithFacts
from bulkrm.engine.recover.reconcile import Reconciliation
from bulkrm.engine.recover.undone import RestoredImages
from bulkrm.engine.stop import GRACE
from bulkrm.model.plan import Item, Settled
from bulkrm.model.result.outcome import Gone, Kept, KeptReason
from bulkrm.model.settings import Policy
from bulkrm.planning.judge import enforce_limit
from bulkrm.planning.merge import combined, failed_targets, without_done


class SavedPlanJudge:
    """Judges what is left of one saved plan."""

    def __init__(
        self,
        saved: Saved,
        policy: Policy,
        planner: Planner,
        gateway: Gateway,
        context: RunContext,
        outcomes: Outcomes,
    ) -> None:
        """`outcomes` has the lines of the saved plan, and gets what earlier parts of its run came to."""
        self._saved = saved
        self._policy = policy
        self._planner = planner
        self._gateway = gateway
        self._outcomes = outcomes
        self._context = context

    async def plan(self) -> PlanWithFacts | None:
        """Return what both the saved plan and a fresh judgement delete; None: the run was stopped before that was complete."""
        saved, stop = self._saved, self._context.stop
        self._outcomes.replay(saved.earlier.done)
        with stop.phase():
            await RestoredImages(saved.undone, self._gateway, self._outcomes, self._context).settle(saved.plan)
        for item in saved.plan.items if saved.resumed else ():
            self._gateway.note_answer(item.repository.host)
        reconciliation = Reconciliation(saved.earlier, self._gateway, self._context, self._outcomes, self._policy)
        made = None  # stays None if the phase is cut short
        # This also deletes decoys, and puts back what was under them.
        with stop.phase(GRACE, reconciliation.in_flight.busy):
            await reconciliation.settle(saved.plan)
            made = await self._judge_again()
            if made is not None:
                made = await self._without_other_decoys(made)
            if made is not None:
                await reconciliation.settle_late(made.plan)
        return None if made is None else self._within_the_limit(made)

    async def _judge_again(self) -> PlanWithFacts | None:
        """Judge the targets without outcome again; those that failed in the plan itself are planned anew."""
        saved, outcomes = self._saved, self._outcomes
        gone = {(item.repository, item.digest) for item in saved.plan.deletions if outcomes.went(item)}
        failed = failed_targets(saved.plan) if saved.resumed else ()
        again = {target for target in failed if not outcomes.has(target)}
        left = without_done(saved.plan, lambda target: outcomes.has(target) or target in again)
        limit = None if saved.resumed else self._policy.max_delete
        made = await self._planner.renew(left, gone, limit)
        if made is None or not again:
            return made
        fresh = await self._planner.plan(sorted(again, key=lambda target: str(target.reference)), limit)
        if fresh is None:
            return None
        return PlanWithFacts(combined(made.plan, fresh.plan), (*made.facts, *fresh.facts))

    async def _without_other_decoys(self, made: PlanWithFacts) -> PlanWithFacts:
        """Return the plan where no tag is `moved` that holds another run's decoy: that run works on it, or was stopped."""
        context = self._context
        others = OtherDecoys(TagChanger(self._gateway, RequestsInFlight(context.stop), context.clock), context)
        settled = [await others.told(entry) or entry for entry in made.plan.settled]
        items: list[Item] = []
        for item in made.plan.items:
            entry = _moved(item)
            told = await others.told(entry) if entry is not None else None
            if told is None:
                items.append(item)
            elif isinstance(told.outcome, Gone):
                settled.append(told)
            else:
                items.append(replace(item, verdict=told.outcome))
        return replace(made, plan=replace(made.plan, items=tuple(items), settled=tuple(settled)))

    def _within_the_limit(self, made: PlanWithFacts) -> PlanWithFacts:
        """Enforce the limit of a resumed run, which holds for all its parts: what the earlier ones deleted counts as well."""
        saved, limit = self._saved, self._policy.max_delete
        if limit is None or not saved.resumed:
            return made
        seen = sum({**made.plan.tags, **saved.plan.tags}.values())
        return replace(made, plan=enforce_limit(made.plan, limit, self._outcomes.disappeared, seen))


def _moved(item: Item) -> Settled | None:
    """Return the one target of an item that is kept because its tag has moved; None: it is another item."""
    verdict = item.verdict
    if isinstance(verdict, Kept) and verdict.reason is KeptReason.MOVED and len(item.targets) == 1:
        return Settled(item.targets[0], verdict)
    return None
