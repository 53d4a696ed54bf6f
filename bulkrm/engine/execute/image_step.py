"""One image is taken through the delete phase: `next_step` says what comes next, and here it is done."""

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from bulkrm.engine.execute.deletion import Deletion
from bulkrm.engine.execute.first_alone import FirstAlone
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.execute.stages import Stages
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.step_order import StepOrder
from bulkrm.engine.execute.tags.untag import Untagging
from bulkrm.engine.execute.tags.untagged_first import UntaggedFirst
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item, Settled, Untag, UntagMethod
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Kept
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.planning.next_step import (
    UNCONFIRMED,
    AwaitTurn,
    CameTo,
    Known,
    Leave,
    Look,
    NextStep,
    Recheck,
    Record,
    Send,
    next_step,
)
from bulkrm.remote.sending import Sending
from bulkrm.state.errors import StateError


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one execution, which all its steps share."""

    gateway: Gateway
    stop: Stop
    order: StepOrder
    stages: Stages
    first_alone: FirstAlone
    in_flight: RequestsInFlight
    staleness: Staleness
    deletion: Deletion
    untagging: Untagging
    untagged_first: UntaggedFirst
    proof: Proof
    pending: PendingProofs
    outcomes: ItemOutcomes


class ImageStep:
    """One step for one image: deletes it, or takes tags off it."""

    __slots__ = ("_item", "_parts", "_sending", "_step", "_turn")

    def __init__(self, step: DeleteManifest | UntagManifest, parts: Parts, effect: Effect) -> None:
        """`effect`: what earlier parts of the run may have done to the image."""
        self._step = step
        self._item = step.item
        self._parts = parts
        self._sending = Sending(self._is_withdrawn, effect=effect)
        self._turn = parts.first_alone.turn()

    async def run(self) -> None:
        """Do what `next_step` says until that is `Leave`: then every target has its outcome, or waits for a proof."""
        known, parts = Known(self._item, effect=self._sending.effect), self._parts
        try:
            with parts.in_flight.of(self._sending):
                while True:
                    match next_step(known.when(is_stopped=bool(parts.stop))):
                        case Leave():
                            break
                        case Send(item):
                            known = self._after_send(known, await self._send(item))
                        case other:
                            known = await self._do(other, known)
            self._turn.give_back()
            await self._let_follow()
        except StateError as error:
            # The run cannot be recorded any more, so nothing more is deleted; but an earlier send may have deleted this image.
            self._conclude(self._item, Failed(UNCONFIRMED if self._sending.is_open else not_recorded(error)))
            parts.stop.fail_fast()
        except BaseException:
            if self._sending.is_open and not known.is_recorded:
                self._conclude(self._item, Failed(UNCONFIRMED))
            raise
        finally:
            self._turn.give_back()
            parts.order.end(self._step)
            parts.stages.ended(self._step)

    def _send(self, item: Item) -> Coroutine[Any, Any, CameTo]:
        """Send what the item's verdict wants: DELETE of single tags, of all tags and then the manifest, or of the manifest."""
        if not self._is_deletion(item):
            return self._parts.untagging.untag(item, self._parts.staleness)
        if item.tags and self._parts.gateway.traits(item.repository.host).untagged_first:
            return self._parts.untagged_first.delete(item, self._parts.staleness, self._sending)
        return self._parts.deletion.delete(item, self._sending)

    def _after_send(self, known: Known, came_to: CameTo) -> Known:
        return self._open_host(known.came_to(came_to, self._sending.effect))

    def _open_host(self, known: Known) -> Known:
        """Let the other images of the host go, once a send of this one has an outcome that is recorded."""
        if known.is_sent and known.is_recorded:
            self._parts.first_alone.open(self._item.repository.host)
        return known

    async def _do(self, step: NextStep, known: Known) -> Known:
        parts = self._parts
        match step:
            case AwaitTurn():
                await parts.order.come(self._step)
                self._turn = parts.first_alone.turn(*self._keys())
                await self._turn.take()
                return replace(known, is_its_turn=True)
            case Recheck():
                judgement = await parts.staleness.judged(self._item)
                return known.judged(judgement, *self._obstacles(judgement.item))
            case Look():
                return known.looked_up(await parts.deletion.look(self._item))
            case Record(what):
                await self._record(known.newest_item, what)
                return self._open_host(known.recorded(step))
            case _:
                raise AssertionError(step)

    def _keys(self) -> tuple[str, ...]:
        """Return the keys of its turn: its host's, open after the first answer, and its place's, open after the first proof."""
        host, parts = self._item.repository.host, self._parts
        if not self._is_deletion(self._item):
            return (host,)
        return (host, *parts.proof.keys(self._item, untagged_first=parts.gateway.traits(host).untagged_first))

    async def _record(self, item: Item, what: Removal | Failed | Kept | tuple[Settled, ...]) -> None:
        match what:
            case Removal():
                await self._parts.proof.prove(item, self._parts.outcomes.open_targets(item), what)
            case tuple():
                for settled in what:
                    self._parts.outcomes.record(item, (settled.target,), settled.outcome)
            case _:
                self._conclude(item, what)

    def _conclude(self, item: Item, outcome: Failed | Kept) -> None:
        outcomes = self._parts.outcomes
        outcomes.conclude(item, outcomes.open_targets(item), outcome)

    async def _let_follow(self) -> None:
        """Have this deletion proved now, if another step waits for it."""
        repository = self._item.repository
        if self._parts.order.is_awaited(self._item) and self._parts.pending.waits(repository):
            await self._parts.pending.settle(repository)

    def _obstacles(self, item: Item | None) -> tuple[Failure | None, Digest | None]:
        """Return the failure that its request would meet, and a parent that was to go before it and stays."""
        parts, repository = self._parts, self._item.repository
        known = parts.gateway.known_failure(repository)
        if known is not None or item is None:
            return known, None
        if not self._is_deletion(item):
            by_tag = isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.TAG
            return parts.gateway.known_failure_of_untagging(repository) if by_tag else None, None
        after = self._step.after if isinstance(self._step, DeleteManifest) else ()
        kept_parent = next((parent for parent in after if not parts.outcomes.is_gone(repository, parent)), None)
        known = parts.gateway.known_failure_of_deleting(repository)
        return known or (None if kept_parent else parts.proof.expected_failure(item)), kept_parent

    def _is_withdrawn(self) -> bool:
        return bool(self._parts.stop) or self._parts.staleness.is_stale(self._item.repository)

    @staticmethod
    def _is_deletion(item: Item) -> bool:
        return isinstance(item.verdict, Delete)
