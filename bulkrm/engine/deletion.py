"""One manifest is deleted by its digest, and what came of it is found out."""

from bulkrm.client.host import Footprint, Withdrawn
from bulkrm.client.registry import Removal
from bulkrm.engine.around import Around, Record
from bulkrm.engine.asking import Asking
from bulkrm.engine.flights import Flights
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.outcome import Deleted, Failed, Gone, Outcome
from bulkrm.model.plan import Doomed, Item

_UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)


class Deletion:
    """Deletes manifests."""

    def __init__(self, asking: Asking, flights: Flights, around: Around, record: Record) -> None:
        """`record` hears what became of an item's targets."""
        self._asking = asking
        self._flights = flights
        self._stop = around.stop
        self._recorder = around.recorder
        self._record = record

    async def delete(self, item: Item, judged: float) -> bool:
        """DELETE one manifest and record it; False: it is not done, the run was stopped or has to judge again.

        `judged`: the moment of the clock at which the item was found to be deletable. Raises StateError where the
        manifest cannot be kept: then nothing was sent.
        """
        await self._recorder.intend(item)
        host = item.repository.host
        footprint = Footprint(withdrawn=lambda: bool(self._stop) or self._asking.paused_since(host, judged))
        with self._flights.of(footprint):
            try:
                result = await self._asking.of(
                    item.repository, lambda registry: registry.delete(item.repository, item.digest, footprint)
                )
            except Withdrawn:
                if not (footprint.possible and self._stop):
                    return False
                result = _UNCONFIRMED
            except BaseException:
                if footprint.possible:
                    self._record(item, item.targets, Failed(_UNCONFIRMED))
                raise
        self._record(item, item.targets, _outcome(item, result))
        return True


def _outcome(item: Item, result: Removal | Failure) -> Outcome:
    if isinstance(result, Failure):
        return Failed(result)
    also = item.verdict.also_removed if isinstance(item.verdict, Doomed) else ()
    return Deleted(also) if result is Removal.DELETED else Gone()
