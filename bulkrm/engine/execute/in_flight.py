"""Requests in flight that change something, and unfinished work: a stopped run waits for both."""

from types import TracebackType
from typing import Literal

from bulkrm.engine.stop import Stop
from bulkrm.remote.sending import Sending


class UnfinishedWork:
    """Work of which a part is done, such as a decoy that has to be deleted, or a removal that has to be proved."""

    __slots__ = ()

    @property
    def is_open(self) -> Literal[True]:
        """Always true: a stopped run waits for it."""
        return True


class RequestsInFlight:
    """The changes of a run that are under way, queued ones included, and its unfinished work."""

    def __init__(self, stop: Stop) -> None:
        """`stop`: the stop that is told when the last change is over."""
        self._stop = stop
        self._open: dict[Sending | UnfinishedWork, None] = {}  # in order, so that `busy` meets the longest ones first

    def busy(self) -> bool:
        """Tell whether a change may be taking effect right now, or work is unfinished. Queued requests do not count."""
        return any(each.is_open for each in self._open)

    def of(self, sending: Sending | UnfinishedWork) -> "_Watched":
        """Return a context in which one change, or some work, is watched."""
        return _Watched(self, sending)

    def unfinished(self) -> "_Watched":
        """Return a context of unfinished work."""
        return self.of(UnfinishedWork())

    def begin(self, sending: Sending | UnfinishedWork) -> None:
        """Watch one change, or some work."""
        self._open[sending] = None

    def end(self, sending: Sending | UnfinishedWork) -> None:
        """Watch it no more. When the last one is over, the stop is told, so that a stopped run ends."""
        del self._open[sending]
        if self._stop and not self.busy():
            self._stop.end_grace()


class _Watched:
    """One change, or some work, as a context. It is a class because every deletion enters one, and a generator is slower."""

    __slots__ = ("_in_flight", "_sending")

    def __init__(self, in_flight: RequestsInFlight, sending: Sending | UnfinishedWork) -> None:
        self._in_flight = in_flight
        self._sending = sending

    def __enter__(self) -> None:
        self._in_flight.begin(self._sending)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight.end(self._sending)
