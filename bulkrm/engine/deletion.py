"""One manifest is deleted by its digest, and what came of it is found out."""

from dataclasses import dataclass

from bulkrm.client.host import Footprint, Withdrawn
from bulkrm.client.registry import Removal
from bulkrm.engine.around import Around, Record
from bulkrm.engine.asking import Asking
from bulkrm.engine.flights import Flights
from bulkrm.engine.staleness import Staleness
from bulkrm.engine.tags import unconfirmed
from bulkrm.model.failure import Failure, FailureCode, StillTagged
from bulkrm.model.outcome import Deleted, Failed, Gone, Outcome
from bulkrm.model.plan import Doomed, Item

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

    def __init__(self, asking: Asking, flights: Flights, around: Around, record: Record) -> None:
        """`record` hears what became of an item's targets."""
        self._asking = asking
        self._flights = flights
        self._stop = around.stop
        self._recorder = around.recorder
        self._record = record

    async def delete(self, item: Item, staleness: Staleness, *, untagged: bool = False) -> Again | None:
        """DELETE one manifest and record it; None: it is done.

        `staleness` is asked in the last moment before each send. `untagged`: its tags were taken off before; where they
        were not, and the registry wants that, it is not done either. Raises StateError where the manifest cannot be kept:
        then nothing was sent.
        """
        await self._recorder.intend(item)
        footprint = Footprint(withdrawn=lambda: bool(self._stop) or staleness.is_stale(item.repository))
        with self._flights.of(footprint):
            try:
                result = await self._asking.of(
                    item.repository, lambda registry: registry.delete(item.repository, item.digest, footprint)
                )
            except Withdrawn as taken_back:
                if not (footprint.possible and self._stop):
                    return Again(taken_back.failure, footprint.possible)
                result = UNCONFIRMED
            except BaseException:
                if footprint.possible:
                    self._record(item, item.targets, Failed(UNCONFIRMED))
                raise
        if isinstance(result, StillTagged) and not untagged and item.tags:
            self._asking.learn_untagged_first(item.repository.host)
            return Again()
        self._record(item, item.targets, _outcome(item, result))
        return None

    async def came_to(self, item: Item) -> Outcome | None:
        """Look what a DELETE without an answer came to after all; None: the manifest is still there."""
        held = await self._asking.of(item.repository, lambda registry: registry.head(item.repository, item.digest))
        if isinstance(held, Failure):
            return Failed(unconfirmed(held))
        return _outcome(item, Removal.DELETED) if held is None else None


def _outcome(item: Item, result: Removal | Failure) -> Outcome:
    if isinstance(result, Failure):
        return Failed(result)
    also = item.verdict.also_removed if isinstance(item.verdict, Doomed) else ()
    return Deleted(also) if result is Removal.DELETED else Gone()
