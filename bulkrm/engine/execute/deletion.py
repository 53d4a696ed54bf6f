"""One manifest is deleted by its digest, and what came of it is found out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.effects import Effects
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.proof import Proof, place_key
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.step_order import FirstAlone
from bulkrm.engine.execute.tags.tag_change import unconfirmed
from bulkrm.engine.gateway import Gateway
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode, StillTagged
from bulkrm.model.result.outcome import Failed
from bulkrm.model.target import Target
from bulkrm.remote.sending import Sending, Withdrawn

_GONE = Removal.WAS_GONE
UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)


@dataclass(frozen=True, slots=True)
class Again:
    """It is not done: the run was stopped, or it has to be judged again. `failure`: what the last send met.

    `sent`: one of them may still take effect.
    """

    failure: Failure | None = None
    sent: bool = False


class Deletion:
    """Deletes manifests."""

    def __init__(
        self, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, effects: Effects, proof: Proof
    ) -> None:
        """`effects` take what is not proved at once, and hear of all else; `proof` knows where an answer is believed."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._stop = context.stop
        self._recorder = context.recorder
        self._effects = effects
        self._proof = proof
        self._first_alone = FirstAlone()

    async def delete(self, item: Item, staleness: Staleness, *, sent: bool, untagged: bool = False) -> Again | None:
        """DELETE one manifest and tell what came of it; None: it is done, or kept among what is to be proved.

        `staleness` is asked in the last moment before each send. `sent`: a DELETE of it may have been sent before.
        `untagged`: its tags were taken off before; where they were not, and the registry wants that, it is not done
        either. Raises StateError where the manifest cannot be kept: then nothing was sent.
        """
        key = place_key(item.repository, tagged=self._proof.has_tags(item))
        return await self._first_alone.through(
            key, partial(self._delete, item, staleness, key, sent=sent, untagged=untagged)
        )

    async def _delete(self, item: Item, staleness: Staleness, key: str, *, sent: bool, untagged: bool) -> Again | None:
        known = self._proof.against(item)
        if known is not None:
            self._effects.tell(item, item.targets, Failed(known))
            return None
        await self._recorder.intend(item)
        left = await self._send(item, staleness, sent=sent, untagged=untagged)
        if self._proof.is_known(item):
            self._first_alone.open(key)
        return left

    async def _send(self, item: Item, staleness: Staleness, *, sent: bool, untagged: bool) -> Again | None:
        sending = Sending(withdrawn=lambda: bool(self._stop) or staleness.is_stale(item.repository))
        with self._in_flight.of(sending):
            try:
                result = await self._gateway.call(
                    item.repository, lambda registry: registry.delete(item.repository, item.digest, sending)
                )
                if not isinstance(result, Failure):
                    # What an earlier send of this run deleted was not gone by itself.
                    await self.prove(item, item.targets, Removal.FOUND_GONE if sent and result is _GONE else result)
            except Withdrawn as taken_back:
                if not (sending.is_open and self._stop):
                    return Again(taken_back.failure, sending.is_open or (sending.may_have_acted and not self._stop))
                result = UNCONFIRMED
            except BaseException:
                if sending.is_open:
                    self._effects.tell(item, item.targets, Failed(UNCONFIRMED))
                raise
        if isinstance(result, StillTagged) and not untagged and item.tags:
            self._gateway.learn_untagged_first(item.repository.host)
            return Again()
        if isinstance(result, Failure):
            self._effects.tell(item, item.targets, Failed(result))
        return None

    async def prove(self, item: Item, targets: Sequence[Target], removal: Removal) -> None:
        """Tell what a removal amounts to, or keep it until the tags of its repository are listed."""
        told = await self._proof.outcomes(item, removal)
        if told is None:
            self._effects.add(item, removal, targets, item.tags)
            return
        wanted = set(targets)
        for target, outcome in told:
            if target in wanted:
                self._effects.tell(item, (target,), outcome)

    async def came_to(self, item: Item) -> Removal | Failure | None:
        """Look what a DELETE without an answer came to after all; None: the manifest is still there."""
        held = await self._gateway.call(item.repository, lambda registry: registry.head(item.repository, item.digest))
        if isinstance(held, Failure):
            return unconfirmed(held)
        return Removal.FOUND_GONE if held is None else None
