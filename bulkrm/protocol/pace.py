"""How fast: arithmetic of waiting, with the time as an argument."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bulkrm.model.settings import Rate

# `--concurrency auto` starts here: on one machine, distribution 2.8.2 answers no faster with more in flight.
AUTO_CONCURRENCY = 32
MAX_PAUSE = 600.0  # seconds that a host may ask to wait, and that one image waits in all
_BACKOFF_BASE = 0.5
_BACKOFF_CAP = 30.0


def backoff(sends: int) -> float:
    """Seconds to wait before sending again, after so many sends: 0.5 doubling to 30."""
    return min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0 ** min(sends - 1, 10))


def retry_after(value: str | None, wall: float, date: str | None = None) -> float | None:
    """Seconds that `Retry-After` asks for, at least 0: a number, or an HTTP date (RFC 9110 section 10.2.3).

    A date is compared with the answer's own `Date`, so that a wrong clock on either side does not matter, else with
    `wall`. Returns None where there is no readable value.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(date) if date else None
    return max(0.0, until - (wall if now is None else now))


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # "-0000" parses without a zone; HTTP dates are always UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def http_date(wall: float) -> str:
    """Write a UNIX time as an HTTP date."""
    return datetime.fromtimestamp(wall, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


class RateWindow:
    """At most `rate.requests` grants in any window of `rate.seconds`: a log of the last grants."""

    __slots__ = ("_grants", "_rate")

    def __init__(self, rate: Rate) -> None:
        """Start with an empty window."""
        self._rate = rate
        self._grants: deque[float] = deque(maxlen=rate.requests)

    def delay(self, now: float) -> float:
        """Seconds until the next grant is allowed."""
        if len(self._grants) < self._rate.requests:
            return 0.0
        return max(0.0, self._grants[0] + self._rate.seconds - now)

    def grant(self, now: float) -> None:
        """Note a grant."""
        self._grants.append(now)


@dataclass(slots=True)
class Concurrency:
    """How many requests may be in flight: halved by a refusal, one more for every full round of successes.

    Additive increase, multiplicative decrease (Chiu and Jain 1989), between 1 and `cap`.
    """

    cap: int
    now: float = 0.0

    def __post_init__(self) -> None:
        """Begin at the cap: most registries take it, and the first refusal halves it."""
        self.now = float(self.cap)

    @property
    def allowed(self) -> int:
        """Whole requests."""
        return max(1, int(self.now))

    def succeeded(self) -> None:
        """Count one answer that was no refusal."""
        if self.now < self.cap:
            self.now = min(float(self.cap), self.now + 1.0 / self.now)

    def refused(self) -> None:
        """Count one 429 (or what else asked for a pause); answers to one burst count once, the caller sees to that."""
        self.now = max(1.0, self.now / 2.0)
