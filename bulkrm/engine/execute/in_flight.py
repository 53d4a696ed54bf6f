"""Which requests that change something are under way: what a stopped run waits for."""

from types import TracebackType

from bulkrm.engine.stop import Stop
from bulkrm.remote.host import Footprint


class RequestsInFlight:
    """The changes of a run that may be taking effect right now."""

    def __init__(self, stop: Stop) -> None:
        """Begin with none."""
        self._stop = stop
        self._open: dict[Footprint, None] = {}  # in order: the first are those that have been under way longest

    def busy(self) -> bool:
        """Tell whether a change may be taking effect; what only waits for its turn need not be waited for."""
        return any(footprint.possible for footprint in self._open)

    def of(self, footprint: Footprint) -> "_Watched":
        """Return a context in which one change is watched."""
        return _Watched(self, footprint)

    def unfinished(self) -> "_Watched":
        """Return a context in which there is something to be finished, even where the run is stopped."""
        return self.of(Footprint(possible=True))

    def begin(self, footprint: Footprint) -> None:
        """Watch one change."""
        self._open[footprint] = None

    def end(self, footprint: Footprint) -> None:
        """Watch it no more; when the last one is over, a stopped run need not wait any longer."""
        del self._open[footprint]
        if self._stop and not self.busy():
            self._stop.calm()


class _Watched:
    """One change, as a context: a class, because every deletion goes through it."""

    __slots__ = ("_footprint", "_in_flight")

    def __init__(self, in_flight: RequestsInFlight, footprint: Footprint) -> None:
        self._in_flight = in_flight
        self._footprint = footprint

    def __enter__(self) -> Footprint:
        self._in_flight.begin(self._footprint)
        return self._footprint

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight.end(self._footprint)
