"""Waiting times, the rate window and the limit of requests in flight: arithmetic, with the time as an argument."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bulkrm.model.settings import Rate
from bulkrm.protocol.message import Answer
from bulkrm.protocol.pacing.hill_climb import HillClimb, Steering

MAX_PAUSE = 600.0  # seconds that a host may ask to wait, and that one image waits in all
_BACKOFF_BASE = 0.5
_LIMITED_BASE = 0.1
_QUOTAS = (("RateLimit-Remaining", "RateLimit-Reset"), ("X-RateLimit-Remaining", "X-RateLimit-Reset"))
_ANY_DURATION = 10**9  # a larger number of seconds is a UNIX time, not a duration
_BACKOFF_CAP = 30.0

# Requests in flight with `--concurrency auto`: at first, and at most. At 32 distribution on one machine has its full rate.
_START, _MOST = 32, 512
_FULL = 0.9  # a measurement counts only if this share of the allowed requests was in flight; otherwise others limit the rate
_LESS = 0.7  # after a refusal this share of the refused number is tried
_PATIENCE, _MOST_PATIENCE = 5.0, 60.0  # seconds before a refused number is tried again


def limited_backoff(refusals: int) -> float:
    """Seconds to wait after the given number of 429 answers without `Retry-After`: 0.1 doubling to 30."""
    return min(_BACKOFF_CAP, _LIMITED_BASE * 2.0 ** min(refusals - 1, 12))


def quota(headers: Mapping[str, str], wall: float) -> tuple[int, float] | None:
    """Return how many requests the host still answers, and the seconds until that is reset; None if a header is missing.

    The headers are `RateLimit-Remaining` and `RateLimit-Reset` (draft-ietf-httpapi-ratelimit-headers up to 07, in
    seconds; Docker Hub adds a window to the number, `20;w=21600`), or the same with the prefix `X-` (GitHub and the
    Hub's API: a UNIX time).
    """
    for name, until in _QUOTAS:
        if name in headers:
            remaining, reset = _number(headers[name]), _number(headers.get(until))
            if remaining is not None and reset is not None:
                return remaining, max(0.0, reset - wall if reset > _ANY_DURATION else float(reset))
    return None


def _number(text: str | None) -> int | None:
    digits = (text or "").partition(";")[0].strip()
    return int(digits[:12]) if digits.isascii() and digits.isdigit() else None


def backoff(sends: int) -> float:
    """Seconds to wait before sending again after the given number of sends: 0.5 doubling to 30."""
    return min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0 ** min(sends - 1, 10))


def retry_after(value: str | None, wall: float, date: str | None = None) -> float | None:
    """Seconds that `Retry-After` asks for, at least 0: a number, or an HTTP date (RFC 9110 section 10.2.3).

    A date is compared with `date`, the answer's own `Date`, so that a wrong clock on either side does not matter; without
    one, with `wall`. Returns None for a missing or malformed value.
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


def asked_wait(answer: Answer) -> float | None:
    """Seconds that an answer asks to wait by `Retry-After`; None: it does not have the header."""
    return retry_after(answer.headers.get("Retry-After"), answer.wall, answer.headers.get("Date"))


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # "-0000" parses without a zone; HTTP dates are always UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def http_date(wall: float) -> str:
    """Return a UNIX time as an HTTP date (RFC 9110 section 5.6.7)."""
    return datetime.fromtimestamp(wall, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


class RateWindow:
    """Allows at most `rate.requests` grants in any window of `rate.seconds`, by a log of the last grants."""

    __slots__ = ("_grants", "_rate")

    def __init__(self, rate: Rate) -> None:
        """`rate`: the number of grants, and the length of the window in seconds."""
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


class ConcurrencyLimit:
    """How many requests may be in flight: `allowed`, found from the registry's answers, never more than `cap`.

    After refusals it grows additively and shrinks multiplicatively (Chiu and Jain 1989), and avoids the refused number
    for a while, as TCP CUBIC does with its last maximum (RFC 9438). Without refusals throughput steers it
    (`bulkrm.protocol.pacing.hill_climb`). All times are seconds of one monotonic clock.
    """

    __slots__ = (
        "_answers",
        "_ceiling",
        "_good",
        "_most",
        "_patience",
        "_retry_at",
        "_since",
        "_steering",
        "allowed",
        "cap",
    )

    def __init__(self, cap: int | None, steering: Callable[[int], Steering] = HillClimb, *, most: int = _MOST) -> None:
        """Start at `cap`, which most registries accept; without a cap start at 32, and let `steering` change it.

        `most`: a further upper bound, for instance by the limit of open files.
        """
        self.cap = min(cap or _MOST, most)
        self.allowed = min(cap or _START, most)
        self._steering = None if cap else steering(min(_MOST, most))
        self._ceiling: int | None = None  # the smallest number that was refused
        self._good = 0  # the largest number for which a whole round was answered since the last refusal
        self._patience = _PATIENCE
        self._retry_at = 0.0
        self._answers = 0
        self._since: float | None = None
        self._most = 0  # requests in flight together since the measurement began

    def sent(self, in_flight: int) -> None:
        """Count a sent request. `in_flight`: their number with it; if it is the only one, the measurement restarts."""
        if in_flight == 1:
            self._begin()
        self._most = max(self._most, in_flight)

    def answered(self, now: float) -> None:
        """Count one answer that does not ask for a pause."""
        self._answers += 1
        if self._answers < self.allowed:
            return
        if self._ceiling is not None or self._steering is None:
            self._grow(now)
        elif self._since is None:
            self._begin()  # the first round is not measured: its answers belong to requests sent before
            self._since = now
        elif self._steering.is_enough(self._answers / self.allowed, now - self._since):
            self._measure(self._steering, self._answers / (now - self._since), now)

    def refused(self, now: float) -> None:
        """Count one 429, or another answer that asks for a pause. The caller reports each burst of them once."""
        level = self.allowed
        self._ceiling = level if self._ceiling is None else min(level, self._ceiling)
        self.allowed = self._good if 0 < self._good < level else max(1, int(level * _LESS))
        self._good = 0
        self._retry_at = now + self._patience
        self._patience = min(_MOST_PATIENCE, self._patience * 2)
        self._begin()

    def _grow(self, now: float) -> None:
        """Allow one more after a whole round of answers, up to the refused number; beyond it after some time."""
        self._good = self.allowed
        if self._ceiling is not None and self.allowed >= self._ceiling:
            self._ceiling, self._patience = None, _PATIENCE
            if self._steering is not None:
                self._steering.restart(now)
        elif self.allowed < self.cap and (
            self._ceiling is None or self.allowed + 1 < self._ceiling or now >= self._retry_at
        ):
            self.allowed += 1
        self._begin()

    def _measure(self, steering: Steering, rate: float, now: float) -> None:
        if self._most >= self.allowed * _FULL:
            self._good = max(self._good, self.allowed)
            self.allowed = steering.choose(self.allowed, rate, now)
        self._begin()

    def _begin(self) -> None:
        self._answers, self._since, self._most = 0, None, 0
