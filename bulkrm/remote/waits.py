"""Waits that are long enough to be noticed become events."""

from bulkrm.model.events import EventListener, Paused, PauseReason
from bulkrm.protocol.message import UNREACHABLE, Answer, Broken
from bulkrm.remote.clock import Clock

_NOTICED, _SILENCE = 2.0, 10.0  # seconds
_TIMED_OUT, _SERVER_ERROR = 408, 500


class Waits:
    """The waits for one host: called with each, it tells of one of them for all the requests that wait."""

    def __init__(self, host: str, clock: Clock, tell: EventListener) -> None:
        """Take who hears of them."""
        self._host = host
        self._clock = clock
        self._tell = tell
        self._silent_until = 0.0

    def __call__(self, seconds: float, after: Answer | Broken) -> None:
        """Hear of a wait of so many seconds; `after` is what the last send met."""
        now = self._clock.monotonic()
        if seconds >= _NOTICED and now >= self._silent_until:
            self._silent_until = now + max(seconds, _SILENCE)
            self._tell(Paused(self._host, seconds, _reason(after)))


def _reason(after: Answer | Broken) -> PauseReason:
    if isinstance(after, Broken):
        return PauseReason.UNREACHABLE if after.kind == UNREACHABLE else PauseReason.TROUBLE
    trouble = after.status == _TIMED_OUT or after.status >= _SERVER_ERROR
    return PauseReason.TROUBLE if trouble and "Retry-After" not in after.headers else PauseReason.ASKED
