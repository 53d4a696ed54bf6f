"""Which requests that change something are under way: what a stopped run waits for."""

from types import TracebackType

from bulkrm.engine.stop import Stop
from bulkrm.model.result.effect import Effect
from bulkrm.remote.sending import Sending


class RequestsInFlight:
    """The changes of a run that may be taking effect right now."""

    def __init__(self, stop: Stop) -> None:
        """Begin with none."""
        self._stop = stop
        self._open: dict[Sending, None] = {}  # in order: the first are those that have been under way longest

    def busy(self) -> bool:
        """Tell whether a change may be taking effect; what only waits for its turn need not be waited for."""
        return any(sending.is_open for sending in self._open)

    def of(self, sending: Sending) -> "_Watched":
        """Return a context in which one change is watched."""
        return _Watched(self, sending)

    def unfinished(self) -> "_Watched":
        """Return a context in which there is something to be finished, even where the run is stopped."""
        return self.of(Sending(effect=Effect.OPEN))

    def begin(self, sending: Sending) -> None:
        """Watch one change."""
        self._open[sending] = None

    def end(self, sending: Sending) -> None:
        """Watch it no more; when the last one is over, a stopped run need not wait any longer."""
        del self._open[sending]
        if self._stop and not self.busy():
            self._stop.calm()


class _Watched:
    """One change, as a context: a class, because every deletion goes through it."""

    __slots__ = ("_in_flight", "_sending")

    def __init__(self, in_flight: RequestsInFlight, sending: Sending) -> None:
        self._in_flight = in_flight
        self._sending = sending

    def __enter__(self) -> Sending:
        self._in_flight.begin(self._sending)
        return self._sending

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight.end(self._sending)
