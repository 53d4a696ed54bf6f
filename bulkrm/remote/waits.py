"""The user is told of waits that are long enough to be noticed."""

from collections.abc import Callable

from bulkrm.protocol.message import UNREACHABLE, Answer, Broken
from bulkrm.remote.clock import Clock

_NOTICED, _SILENCE = 2.0, 10.0  # seconds
_TIMED_OUT, _SERVER_ERROR = 408, 500


class Waits:
    """The waits for one host: called with each, it says one of them for all the requests that wait."""

    def __init__(self, host: str, clock: Clock, say: Callable[[str], None]) -> None:
        """Take who hears of them."""
        self._host = host
        self._clock = clock
        self._say = say
        self._silent_until = 0.0

    def __call__(self, seconds: float, after: Answer | Broken) -> None:
        """Hear of a wait of so many seconds; `after` is what the last send met."""
        now = self._clock.monotonic()
        if seconds >= _NOTICED and now >= self._silent_until:
            self._silent_until = now + max(seconds, _SILENCE)
            self._say(f"{self._what(after)} {seconds:.0f} s")

    def _what(self, after: Answer | Broken) -> str:
        if isinstance(after, Broken):
            if after.kind == UNREACHABLE:
                return f"cannot reach {self._host}, retrying in"
            return f"{self._host} does not answer as it should; trying again in"
        trouble = after.status == _TIMED_OUT or after.status >= _SERVER_ERROR
        if trouble and "Retry-After" not in after.headers:
            return f"{self._host} does not answer as it should; trying again in"
        return f"{self._host} asks to wait"
