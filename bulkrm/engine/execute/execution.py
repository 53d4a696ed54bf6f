"""The delete phase: many repositories wide, under each host's limiter, one outcome for every target."""

from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.deletion import Deletion
from bulkrm.engine.execute.effects import Effects
from bulkrm.engine.execute.first_alone import FirstAlone
from bulkrm.engine.execute.image_step import ImageStep, Parts
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.execute.remains import Remains
from bulkrm.engine.execute.stages import Stages
from bulkrm.engine.execute.staleness import Rereader, Staleness
from bulkrm.engine.execute.step_order import StepOrder
from bulkrm.engine.execute.tags.decoy import Decoys
from bulkrm.engine.execute.tags.other_decoys import DecoyAwareRereader, OtherDecoys
from bulkrm.engine.execute.tags.tags_first import TagsFirst
from bulkrm.engine.execute.tags.untag import Untagging
from bulkrm.engine.execute.tags.untagged_first import UntaggedFirst
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.stop import GRACE
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Order, Plan
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect
from bulkrm.model.steps import RemoveTagsAhead, Step
from bulkrm.planning.order.sequence import compile_steps


@dataclass(frozen=True, slots=True)
class Before:
    """What an execution rests on beside its plan: what the user allows, and what earlier parts of the run did.

    `begun`: what those may have sent without a known outcome: it was this run that did it.
    """

    allow_decoy: bool = False
    fail_fast: bool = False
    begun: frozenset[tuple[Repository, Digest]] = frozenset()


class Execution:
    """Carries out one plan."""

    def __init__(
        self, plan: Plan, gateway: Gateway, rereader: Rereader, outcomes: Outcomes, context: RunContext, before: Before
    ) -> None:
        """Compile the steps of the plan; nothing is sent yet."""
        acts = tuple(plan.acts)
        self._steps = compile_steps(acts, _in_bulk(plan))
        steps = [step for steps in self._steps.values() for step in steps]
        self._context = context
        self._begun = before.begun
        in_flight, first_alone = RequestsInFlight(context.stop), FirstAlone()
        recorded = ItemOutcomes(outcomes, context.stop, fail_fast=before.fail_fast)
        knowing = DecoyAwareRereader(rereader, OtherDecoys(gateway, context))
        decoys = Decoys(gateway, in_flight, context)
        remains = Remains(decoys, allow_decoy=before.allow_decoy)
        effects = Effects(remains, in_flight, context, recorded.conclude)
        deletion = Deletion(gateway, context)
        self._tags_first = TagsFirst(decoys, recorded)
        self._parts = Parts(
            gateway=gateway,
            stop=context.stop,
            order=StepOrder(steps),
            stages=Stages(context.tell, steps),
            first_alone=first_alone,
            in_flight=in_flight,
            staleness=Staleness(acts, knowing, context.clock, recorded),
            deletion=deletion,
            untagging=Untagging(decoys, effects, recorded),
            untagged_first=UntaggedFirst(gateway, in_flight, context, deletion, recorded),
            proof=Proof(remains, context, effects, first_alone),
            effects=effects,
            outcomes=recorded,
        )

    async def run(self) -> None:
        """Do it. Returns when all is done, or stopped and the grace for what is in flight is over."""
        parts, stop = self._parts, self._context.stop
        parts.stages.begin()
        self._context.recorder.expect({host: _items(steps) for host, steps in self._steps.items()})
        with stop.phase(GRACE, parts.in_flight.busy):
            try:
                await run_jobs(self._steps, parts.gateway.workers, self._carry_out, stop)
                await parts.effects.settle_all(parts.gateway.workers)
            finally:
                parts.effects.give_up()

    def _carry_out(self, step: Step) -> Coroutine[Any, Any, None]:
        """Carry out one step."""
        if isinstance(step, RemoveTagsAhead):
            return self._remove_tags_ahead(step)
        begun = (step.item.repository, step.item.digest) in self._begun
        return ImageStep(step, self._parts, Effect.OVER if begun else Effect.NONE).run()

    async def _remove_tags_ahead(self, step: RemoveTagsAhead) -> None:
        parts = self._parts
        try:
            await parts.order.come(step)
            # It was asked already whether this host deletes: how tags can be taken off is found out by that.
            parts.first_alone.open(step.repository.host)
            if parts.gateway.known(step.repository) is None:
                with parts.gateway.again():
                    await self._tags_first.clear(step, parts.staleness)
        finally:
            parts.order.end(step)
            parts.stages.ended(step)


def _items(steps: Iterable[Step]) -> Iterator[Item]:
    return (step.item for step in steps if not isinstance(step, RemoveTagsAhead))


def _in_bulk(plan: Plan) -> Mapping[Repository, Order]:
    """Return the orders of the repositories whose tags may go all at once, before all their manifests."""
    return {place: order for place, order in plan.orders.items() if place.host not in plan.untagged_first}
