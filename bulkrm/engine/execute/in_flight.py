"""Requests in flight that change something, for which a stopped run waits."""

from types import TracebackType

from bulkrm.engine.stop import Stop
from bulkrm.model.result.effect import Effect
from bulkrm.remote.sending import Sending


class RequestsInFlight:
    """The changes of a run that are under way, queued ones included."""

    def __init__(self, stop: Stop) -> None:
        """`stop`: the stop that is told when the last change is over."""
        self._stop = stop
        self._open: dict[Sending, None] = {}  # in order, so that `busy` meets the longest ones first

    def busy(self) -> bool:
        """Tell whether a change may be taking effect right now. Queued requests do not count."""
        return any(sending.is_open for sending in self._open)

    def of(self, sending: Sending) -> "_Watched":
        """Return a context in which one change is watched."""
        return _Watched(self, sending)

    def unfinished(self) -> "_Watched":
        """Return a context that a stopped run waits for, such as a decoy that has to be deleted."""
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
