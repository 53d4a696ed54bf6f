"""The delete phase: carries out the steps of a plan, many at once, each host's under its limiter.

The unit of work is a step (`model.steps`). `ImageStep` deletes one manifest, or removes tags of one that stays; one
`RemoveTagsAhead` removes the tags of many manifests of a repository. `StepProgress` says which step waits for which,
`FirstAlone` lets the first deletions of a host and a place go alone, `next_step` decides what comes next for an image.
"""

from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.deletion import Deletion
from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone
from bulkrm.engine.execute.image_step import ImageStep, Parts
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.leftover_tags import LeftoverTags
from bulkrm.engine.execute.obstacles import Obstacles
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.step_progress import StepProgress
from bulkrm.engine.execute.tags.decoy import Decoys
from bulkrm.engine.execute.tags.other_decoys import DecoyAwareRereader, OtherDecoys
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.tags_first import TagsFirst
from bulkrm.engine.execute.tags.untag import UntagByTag, Untagging
from bulkrm.engine.execute.tags.untag_by_decoy import UntagByDecoy
from bulkrm.engine.execute.tags.untagged_first import UntaggedFirst
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.reading import Rereader
from bulkrm.engine.stop import GRACE
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect
from bulkrm.model.steps import RemoveTagsAhead, Step
from bulkrm.model.valueclass import valueclass


@valueclass
class ExecutionOptions:
    """What an execution needs beside its steps.

    `begun`: manifests about which earlier parts of the run may have sent requests. Those that are gone count as deleted by
    this run.
    """

    allow_decoy: bool = False
    fail_fast: bool = False
    begun: frozenset[tuple[Repository, Digest]] = frozenset()


class Execution:
    """Carries out the steps of one plan."""

    def __init__(
        self,
        steps: Mapping[str, Sequence[Step]],
        gateway: Gateway,
        context: RunContext,
        rereader: Rereader,
        outcomes: Outcomes,
        options: ExecutionOptions,
    ) -> None:
        """Wire the parts of the execution; nothing is sent yet. `steps`: those of each host, in their order."""
        self._context, self._gateway, self._begun = context, gateway, options.begun
        self._steps = steps
        in_order = tuple(chain.from_iterable(steps.values()))

        # The requests that change tags.
        in_flight = RequestsInFlight(context.stop)
        changer = TagChanger(gateway, in_flight, context.clock)
        decoys = Decoys(gateway, in_flight, context)
        others = OtherDecoys(changer, context)

        # Outcomes, and the proofs that they need.
        first_alone = FirstAlone()
        recorded = ItemOutcomes(outcomes, context, fail_fast=options.fail_fast)
        leftover_tags = LeftoverTags(gateway, in_flight, context, decoys, allow_decoy=options.allow_decoy)
        pending = PendingProofs(leftover_tags, in_flight, context, recorded.conclude)
        proof = Proof(leftover_tags, context, pending, recorded, first_alone)

        # Steps that remove tags: ahead of manifests, and of those that stay.
        self._tags_first = TagsFirst(gateway, in_flight, context, decoys, others, recorded)
        by_tag = UntagByTag(changer, in_flight, context, first_alone, pending, recorded)
        by_decoy = UntagByDecoy(changer, in_flight, decoys, others, pending, recorded)

        self._parts = Parts(
            stop=context.stop,
            progress=StepProgress(in_order, context.tell),
            first_alone=first_alone,
            in_flight=in_flight,
            staleness=Staleness(tuple(_items(in_order)), DecoyAwareRereader(rereader, others), context.clock, recorded),
            obstacles=Obstacles(gateway, proof, recorded),
            deletion=Deletion(gateway, context, UntaggedFirst(gateway, in_flight, context, recorded)),
            untagging=Untagging(context, pending, by_tag, by_decoy),
            proof=proof,
            pending=pending,
            outcomes=recorded,
        )

    async def run(self) -> None:
        """Carry out all steps. Returns when they are over; in a stopped run at the latest when its grace is over."""
        parts, stop = self._parts, self._context.stop
        parts.progress.begin()
        self._context.recorder.expect({host: _items(steps) for host, steps in self._steps.items()})
        with stop.phase(GRACE, parts.in_flight.busy):
            try:
                await run_jobs(self._steps, self._gateway.workers, self._carry_out, stop)
                await parts.pending.settle_all(self._gateway.workers)
            finally:
                parts.pending.give_up()

    def _carry_out(self, step: Step) -> Coroutine[Any, Any, None]:
        """Carry out one step."""
        if isinstance(step, RemoveTagsAhead):
            return self._remove_tags_ahead(step)
        begun = (step.item.repository, step.item.digest) in self._begun
        return ImageStep(step, self._parts, Effect.OVER if begun else Effect.NONE).run()

    async def _remove_tags_ahead(self, step: RemoveTagsAhead) -> None:
        parts = self._parts
        try:
            await parts.progress.wait_for_earlier_steps(step)
            # The probe of how tags can be removed has shown already whether this host deletes: no first DELETE has to go alone.
            parts.first_alone.open(DeletionGate(step.repository.host))
            if self._gateway.repository(step.repository).known_failure is None:
                with self._gateway.second_reading():
                    await self._tags_first.remove(step, parts.staleness)
        finally:
            parts.progress.end(step)


def _items(steps: Iterable[Step]) -> Iterator[Item]:
    return (step.item for step in steps if not isinstance(step, RemoveTagsAhead))
