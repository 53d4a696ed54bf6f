"""The delete phase: many repositories wide, under each host's limiter, one outcome for every target."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bulkrm.engine.circuit_breaker import TROUBLE
from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.deletion import UNCONFIRMED, Again, Deletion
from bulkrm.engine.execute.effects import Effects
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.execute.remains import Remains
from bulkrm.engine.execute.stages import Stages
from bulkrm.engine.execute.staleness import Rereader, Staleness
from bulkrm.engine.execute.step_order import FirstAlone, StepOrder
from bulkrm.engine.execute.tags.other_decoys import KnowingDecoys, OtherDecoys
from bulkrm.engine.execute.tags.tags_first import TagsFirst
from bulkrm.engine.execute.tags.untag import Untagging
from bulkrm.engine.execute.tags.untagged_first import UntaggedFirst
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import GRACE
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item, Order, Plan, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest
from bulkrm.model.target import Target
from bulkrm.planning.order.sequence import compile_steps
from bulkrm.state.errors import StateError

_TROUBLES = 2  # of these times that the registry was in trouble for so long


@dataclass(frozen=True, slots=True)
class Before:
    """What an execution rests on beside its plan.

    `begun`: what earlier parts of the run may have sent without a known outcome: it was this run that did it.
    """

    allow_decoy: bool = False
    begun: frozenset[tuple[Repository, Digest]] = frozenset()


_LOOKS = 10  # times that a manifest is judged before it is sent; more is a host that never relents


class Execution:
    """Carries out one plan."""

    def __init__(
        self, plan: Plan, gateway: Gateway, rereader: Rereader, outcomes: Outcomes, context: RunContext, before: Before
    ) -> None:
        """`before`: what is known of earlier parts of the run, and what the user allows."""
        acts = tuple(plan.acts)
        self._steps = compile_steps(acts, _in_bulk(plan))
        self._gateway = gateway
        self._outcomes = outcomes
        self._stop = context.stop
        self._stages = Stages(context.tell, (step for steps in self._steps.values() for step in steps))
        self._recorder = context.recorder
        self._fail_fast = False
        self._in_flight = RequestsInFlight(context.stop)
        knowing = KnowingDecoys(rereader, OtherDecoys(gateway, context))
        self._look = Staleness(acts, knowing, context.clock, outcomes, self._record)
        self._begun = before.begun
        remains = Remains(gateway, self._in_flight, context, before.allow_decoy)
        self._effects = Effects(remains, self._in_flight, context, self._concluded)
        self._proof = Proof(remains, context)
        self._deletion = Deletion(gateway, self._in_flight, context, self._effects, self._proof)
        self._untagging = Untagging(gateway, self._in_flight, context, self._effects, self._record)
        self._untagged_first = UntaggedFirst(gateway, self._in_flight, context, self._deletion, outcomes, self._record)
        self._tags_first = TagsFirst(gateway, self._in_flight, context, self._record_early)
        self._order = StepOrder(step for steps in self._steps.values() for step in steps)
        self._first_alone = FirstAlone()
        self._gone: set[tuple[Repository, Digest]] = set()
        self._stays: set[tuple[Repository, Digest]] = set()  # deleted or not: a tag of it is there still
        self._settled: set[Target] = set()

    async def run(self, *, fail_fast: bool) -> None:
        """Do it. Returns when all is done, or stopped and the grace for what is in flight is over."""
        self._fail_fast = fail_fast
        self._stages.begin()
        self._recorder.expect({host: _items(steps) for host, steps in self._steps.items()})
        with self._stop.phase(GRACE, self._in_flight.busy):
            try:
                await run_jobs(self._steps, self._gateway.workers, self._step, self._stop)
                await self._effects.settle_all(self._gateway.workers)
            finally:
                self._effects.give_up()

    async def _step(self, step: Step) -> None:
        try:
            await self._order.come(step)
            if isinstance(step, RemoveTagsAhead):
                await self._clear(step)
            else:
                # Until one DELETE was really sent, each goes alone: a registry that does not delete hears of it once.
                await self._first_alone.through(step.item.repository.host, partial(self._take_up, step))
                if self._order.is_awaited(step.item) and self._effects.waits(step.item.repository):
                    await self._effects.settle(step.item.repository)
        finally:
            self._order.end(step)
            self._stages.ended(step)

    async def _clear(self, step: RemoveTagsAhead) -> None:
        # It was asked already whether this host deletes: how tags can be taken off is found out by that.
        self._first_alone.open(step.repository.host)
        if self._gateway.known(step.repository) is None:
            with self._gateway.again():
                await self._tags_first.clear(step, self._look)

    async def _take_up(self, step: DeleteManifest | UntagManifest) -> None:
        """Judge, do it, and judge again where what that rests on grew too old before it was sent."""
        again, troubles = Again(), 0
        for _ in range(_LOOKS):
            if self._settled and self._settled.issuperset(step.item.targets):
                return
            item = await self._judged(step, again)
            if item is None:
                return
            try:
                left = await self._do(item, sent=again.sent or self._is_begun(item))
            except StateError as error:
                # What cannot be kept is not deleted, this one nor any other.
                self._record(item, item.targets, Failed(not_recorded(error)))
                self._stop.fail_fast()
                return
            if left is None:
                self._first_alone.open(item.repository.host)
                return
            again = Again(left.failure, again.sent or left.sent)
            troubles += left.failure is not None and left.failure.code in TROUBLE
            if troubles == _TROUBLES:
                break
        came_to = await self._deletion.came_to(step.item) if again.sent else None
        if isinstance(came_to, Removal):
            await self._deletion.prove(step.item, self._open_targets(step), came_to)
            return
        failure = came_to or again.failure or _never_in_time(step.item.repository)
        self._concluded(step.item, self._open_targets(step), Failed(failure))

    async def _do(self, item: Item, *, sent: bool) -> Again | None:
        if isinstance(item.verdict, Untag):
            return await self._untagging.untag(item, self._look)
        if item.tags and self._gateway.traits(item.repository.host).untagged_first:
            return await self._untagged_first.delete(item, self._look, sent=sent)
        return await self._deletion.delete(item, self._look, sent=sent)

    def _is_begun(self, item: Item) -> bool:
        return (item.repository, item.digest) in self._begun

    async def _judged(self, step: DeleteManifest | UntagManifest, again: Again) -> Item | None:
        """Return the item as it is to go now; None: it is not, and that is written down, or the run was stopped.

        What was sent before without an answer may have taken effect meanwhile; of a stopped run nobody knows.
        """
        try:
            item = None if self._stop else await self._looked_at(step, again)
        except BaseException:
            self._leave(step, again)
            raise
        if self._stop:
            self._leave(step, again)
            return None
        return item

    async def _looked_at(self, step: DeleteManifest | UntagManifest, again: Again) -> Item | None:
        looked = await self._look.judged(step.item)
        barred = self._barred(looked.item, step) if looked.item is not None else None
        goes = looked.item is not None and barred is None
        sent = again.sent or self._is_begun(step.item)
        came_to = await self._deletion.came_to(step.item) if sent and not goes else None
        if isinstance(came_to, Failure):
            self._concluded(step.item, self._open_targets(step), Failed(came_to))
            return None
        if came_to is not None:
            await self._deletion.prove(step.item, self._open_targets(step), came_to)
            return None
        self._look.settle(step.item, looked)
        if looked.item is None and not looked.dropped:
            self._record_what_is_known(step)
        if looked.item is not None and barred is not None and not self._stop:
            self._record(looked.item, looked.item.targets, barred)
        return looked.item if goes else None

    def _record_what_is_known(self, step: DeleteManifest | UntagManifest) -> None:
        """Write down why nobody can tell any more whether something goes: its host is not asked any more."""
        known = self._gateway.known(step.item.repository)
        if known is not None and not self._stop:
            self._record(step.item, self._open_targets(step), Failed(known))

    def _leave(self, step: DeleteManifest | UntagManifest, again: Again) -> None:
        """Say of what a stopped run leaves that it may be gone, if so."""
        if again.sent:
            self._record(step.item, self._open_targets(step), Failed(UNCONFIRMED))

    def _open_targets(self, step: DeleteManifest | UntagManifest) -> tuple[Target, ...]:
        return tuple(target for target in step.item.targets if not self._outcomes.has(target))

    def _barred(self, item: Item, step: DeleteManifest | UntagManifest) -> Failed | Kept | None:
        """Say why this need not, or must not, be asked of the registry any more."""
        known = self._gateway.known(item.repository)
        if known is None and isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.TAG:
            known = self._gateway.known_of_tags(item.repository)
        if known is None and isinstance(item.verdict, Delete):
            known = self._gateway.known_of_manifests(item.repository)
        if known is not None:
            return Failed(known)
        parents = step.after if isinstance(step, DeleteManifest) else ()
        staying = next((parent for parent in parents if not self._is_gone(item.repository, parent)), None)
        return Kept(KeptReason.NEEDED, (f"{item.repository}@{staying}",)) if staying else None

    def _is_gone(self, repository: Repository, digest: Digest) -> bool:
        """Tell whether a manifest went, and every tag of it."""
        return (repository, digest) in self._gone and (repository, digest) not in self._stays

    def _concluded(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Hear what came of deleting a manifest: what waits for it may go if it went."""
        self._record(item, targets, outcome)
        went = self._gone if isinstance(outcome, Deleted | Gone) else self._stays
        went.add((item.repository, item.digest))

    def _record_early(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Write down what became of targets before their manifest's turn, which counts for the others then."""
        self._record(item, [target for target in targets if not self._outcomes.has(target)], outcome)
        self._settled.update(targets)

    def _record(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        for target in targets:
            if target not in self._settled:
                self._outcomes.record(target, outcome, item.resolved)
        if isinstance(outcome, Failed) and self._fail_fast:
            self._stop.fail_fast()


def _items(steps: Iterable[Step]) -> Iterator[Item]:
    return (step.item for step in steps if not isinstance(step, RemoveTagsAhead))


def _never_in_time(repository: Repository) -> Failure:
    what = f"{repository} was read {_LOOKS} times, and each time it took too long until this could be sent"
    return Failure(FailureCode.TIMEOUT, what, None, "run again when the registry is less busy")


def _in_bulk(plan: Plan) -> Mapping[Repository, Order]:
    """Return the orders of the repositories whose tags may go all at once, before all their manifests."""
    return {place: order for place, order in plan.orders.items() if place.host not in plan.untagged_first}
