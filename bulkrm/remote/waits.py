"""Tells events about waits that are long enough for users to notice."""

from bulkrm.model.events import EventListener, Paused, PauseReason
from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, REQUEST_TIMEOUT
from bulkrm.protocol.message import UNREACHABLE, Answer, NoAnswer
from bulkrm.remote.clock import Clock

_NOTICED, _SILENCE = 2.0, 10.0  # seconds


class Waits:
    """A function that is called with each wait for one host, and tells one event for all requests that wait."""

    def __init__(self, host: str, clock: Clock, tell: EventListener) -> None:
        """`host`: in normal form, for the events; `tell`: receives them."""
        self._host = host
        self._clock = clock
        self._tell = tell
        self._silent_until = 0.0

    def __call__(self, seconds: float, after: Answer | NoAnswer) -> None:
        """Tell a wait, unless it is short or another one was told recently. `after`: the last answer, or its failure."""
        now = self._clock.monotonic()
        if seconds >= _NOTICED and now >= self._silent_until:
            self._silent_until = now + max(seconds, _SILENCE)
            self._tell(Paused(self._host, seconds, _reason(after)))


def _reason(after: Answer | NoAnswer) -> PauseReason:
    if isinstance(after, NoAnswer):
        return PauseReason.UNREACHABLE if after.kind == UNREACHABLE else PauseReason.TROUBLE
    trouble = after.status == REQUEST_TIMEOUT or after.status >= INTERNAL_SERVER_ERROR
    return PauseReason.TROUBLE if trouble and "Retry-After" not in after.headers else PauseReason.ASKED
