"""Carries out the step for one image: `next_step` decides what comes next, and the loop here does it."""

from collections.abc import Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any

from bulkrm.engine.execute.deletion import Deletion
from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.obstacles import Obstacles
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.execute.staleness import Staleness, WhileFresh
from bulkrm.engine.execute.step_progress import StepProgress
from bulkrm.engine.execute.tags.untag import Untagging
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Item, Settled
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Kept, NotAttempted
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.image_state import (
    CameTo,
    Ended,
    Finding,
    Judgement,
    LookedUp,
    LookResult,
    Queued,
    Recorded,
    State,
    Unjudged,
)
from bulkrm.planning.next_step import UNCONFIRMED, AwaitTurn, Leave, Look, Recheck, Record, Send, next_step
from bulkrm.remote.sending import Sending
from bulkrm.state.errors import StateError


@valueclass
class Parts:
    """What all steps of one execution share.

    In this order: what a step waits for, what is checked before a send, what sends, and what proves and records the result.
    """

    stop: Stop
    progress: StepProgress
    first_alone: FirstAlone
    in_flight: RequestsInFlight

    staleness: Staleness
    obstacles: Obstacles

    deletion: Deletion
    untagging: Untagging

    proof: Proof
    pending: PendingProofs
    outcomes: ItemOutcomes


class ImageStep:
    """One step for one image: deletes it, or untags it."""

    __slots__ = ("_item", "_parts", "_sending", "_state", "_step", "_turn")

    def __init__(self, step: DeleteManifest | UntagManifest, parts: Parts, effect: Effect) -> None:
        """`effect`: what earlier parts of the run may have done to the image."""
        self._step = step
        self._item = step.item
        self._parts = parts
        self._sending = Sending(WhileFresh(parts.stop, parts.staleness, step.item.repository), effect=effect)
        self._turn = parts.first_alone.turn()
        self._state: State = Queued(step.item)

    async def run(self) -> None:
        """Do what `next_step` says until that is `Leave`: then every target has its outcome, or waits for a proof."""
        parts, sending = self._parts, self._sending
        with self:
            while True:
                match next_step(self._state, sending.effect, is_stopped=bool(parts.stop)):
                    case AwaitTurn(then):
                        await self._take_turn()
                        self._state = then
                    case Recheck(unjudged):
                        self._state = self._judged(unjudged, await parts.staleness.judge_anew_if_stale(self._item))
                    case Send(going):
                        self._state = going.came_to(await self._send(going.item), sending.effect)
                    case Look(in_doubt):
                        self._state = in_doubt.looked_up(await self._look())
                    case Record(item, what, then):
                        await self._record(item, what)
                        self._state = then
                    case Leave():
                        break
            await self._let_others_go()

    async def _take_turn(self) -> None:
        """Wait for earlier steps, then pass the gate of the host, and, where a manifest is deleted, those of its place."""
        parts, item = self._parts, self._item
        gates: tuple[DeletionGate, ...] = ()
        await parts.progress.wait_for_earlier_steps(self._step)
        if isinstance(self._step, DeleteManifest):
            gates = parts.proof.gates(item, untagged_first=parts.deletion.must_be_untagged_first(item))
        self._turn = parts.first_alone.turn(DeletionGate(item.repository.host), *gates)
        await self._turn.take()

    def _judged(self, unjudged: Unjudged, judgement: Judgement) -> State:
        """Return the state after a judgement: `Recorded` if `RemoveTagsAhead` has recorded every outcome already."""
        parts = self._parts
        if judgement.item is None and not judgement.dropped and not parts.outcomes.open_targets(self._item):
            return Recorded()
        effect = self._sending.effect
        if judgement.dropped and isinstance(self._step, DeleteManifest):
            effect = parts.outcomes.effect_on(self._item, effect, judgement)
        return unjudged.judged(judgement, parts.obstacles.of(self._step, judgement.item), effect)

    def _send(self, item: Item) -> Coroutine[Any, Any, CameTo]:
        """Send the requests of the step. `item`: what the newest judgement leaves of it."""
        parts = self._parts
        if isinstance(self._step, UntagManifest):
            return parts.untagging.untag(item, parts.staleness)
        return parts.deletion.delete(item, parts.staleness, self._sending)

    def _look(self) -> Coroutine[Any, Any, LookResult]:
        """Look at what the step removes."""
        return self._look_at_tags() if isinstance(self._step, UntagManifest) else self._parts.deletion.look(self._item)

    async def _look_at_tags(self) -> LookResult:
        """Look at each tag without an outcome. The outcome of those that are gone is recorded here, by the tag list."""
        parts, item = self._parts, self._item
        found: LookResult = Finding.STILL_THERE
        for tag in replace(item, targets=parts.outcomes.open_targets(item)).named_tags:
            looked = await parts.deletion.look(item, tag)
            if isinstance(looked, Removal):
                parts.pending.add(item, looked, item.targets_naming(tag), (tag,))
            elif isinstance(looked, Failure):
                found = looked
        await parts.pending.settle(item.repository)
        return found

    async def _record(self, item: Item, what: Removal | Failed | Kept | NotAttempted | tuple[Settled, ...]) -> None:
        parts = self._parts
        match what:
            case Removal():
                await parts.proof.prove(item, parts.outcomes.open_targets(item), what)
            case tuple():
                for settled in what:
                    parts.outcomes.record_open(item, (settled.target,), settled.outcome)
            case _:
                self._conclude(item, what)

    async def _let_others_go(self) -> None:
        """Open the gate of the host if it has answered a DELETE, give back the turn, and prove what a step waits for."""
        parts, repository = self._parts, self._item.repository
        if isinstance(self._state, Recorded) and self._has_answer(self._state):
            parts.first_alone.open(DeletionGate(repository.host))
        self._turn.give_back()
        if parts.progress.is_awaited(self._item) and parts.pending.waits(repository):
            await parts.pending.settle(repository)

    def _has_answer(self, state: Recorded) -> bool:
        """Tell whether a DELETE of the step was answered. For tags that had all moved, or were gone, none was sent."""
        return state.ended or (state.by_sender and not self._parts.outcomes.need_no_request(self._item))

    def __enter__(self) -> None:
        """Begin the step: a stopped run waits for it, while a send of it may be taking effect."""
        self._parts.in_flight.begin(self._sending)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End the step, and let those go that wait for it.

        Where an error cuts it off, an image is unconfirmed that may be going (`OPEN`), or whose removal is being proved. A
        StateError ends here: the run cannot be recorded any more, so nothing more is deleted.
        """
        parts = self._parts
        try:
            if isinstance(error, StateError):
                # An earlier send may have deleted this image, whatever could not be recorded now.
                self._conclude(self._item, Failed(UNCONFIRMED if self._may_go() else not_recorded(error)))
                parts.stop.fail_fast()
            elif error is not None and self._may_go() and not isinstance(self._state, Recorded):
                self._conclude(self._item, Failed(UNCONFIRMED))
        finally:
            parts.in_flight.end(self._sending)
            self._turn.give_back()
            parts.progress.end(self._step)
        return isinstance(error, StateError)

    def _may_go(self) -> bool:
        """Tell whether a send may be taking effect, or has come to a removal whose proof is not over."""
        state = self._state
        return self._sending.is_open or (isinstance(state, Ended | LookedUp) and isinstance(state.what, Removal))

    def _conclude(self, item: Item, outcome: Failed | Kept | NotAttempted) -> None:
        outcomes = self._parts.outcomes
        outcomes.conclude(item, outcomes.open_targets(item), outcome)
