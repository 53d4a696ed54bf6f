"""Limits the requests to one registry host: their number in flight, and their rate.

A slot is held for one send, and never while waiting. Requests that cannot be sent yet queue at a lock: only the first of
them waits for a free slot, the end of a pause and the rate; the others follow in order.
"""

from types import TracebackType

import anyio

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import Failure
from bulkrm.model.settings import Pacing
from bulkrm.protocol.pacing.pace import MAX_PAUSE, ConcurrencyLimit, RateWindow
from bulkrm.remote.clock import Clock


class Limiter:
    """Slots, rate and pause of one host. Create it inside the event loop.

    A slot is for one send; many tasks may have one at the same time. `take` it, or `wait` for it, and `release` it; as an
    async context manager the limiter does so.
    """

    def __init__(self, pacing: Pacing, clock: Clock) -> None:
        """`pacing`: the caps of the host."""
        self._clock = clock
        self._connections = pacing.connections
        self._concurrency = ConcurrencyLimit(pacing.concurrency, most=pacing.connections)
        self._window = RateWindow(pacing.rate) if pacing.rate else None
        self._in_flight = 0
        self._paused_until = 0.0
        self._refused_since: float | None = None
        self._closed: Failure | None = None
        self._queue = anyio.Lock()
        self._queued = 0
        self._freed: anyio.Event | None = None

    def __repr__(self) -> str:
        """Return the number of requests in flight and their limit, for debugging."""
        return f"<Limiter {self._in_flight} of {self._concurrency.allowed} in flight>"

    @property
    def allowed(self) -> int:
        """The number of requests that may be in flight now; more workers than that would be idle."""
        return self._concurrency.allowed

    def pause(self, seconds: float) -> None:
        """Send nothing to this host for `seconds`. The refusals of one burst reduce the concurrency once."""
        now = self._clock.monotonic()
        self._refused_since = now if self._refused_since is None else self._refused_since
        if now >= self._paused_until:
            self._concurrency.refused(now)
        self._paused_until = max(self._paused_until, now + seconds)

    def has_room(self, others: int) -> bool:
        """Tell whether one more connection may be opened in the caller's slot, beside `others` without a request in flight."""
        return self._in_flight + others <= self._connections

    def spend(self) -> None:
        """Count one send. Call it in the slot, right before the send, without an await in between."""
        self._concurrency.sent(self._in_flight)
        if self._window is not None:
            self._window.grant(self._clock.monotonic())

    def succeeded(self) -> None:
        """Count an answer that does not ask for a pause."""
        self._refused_since = None
        self._concurrency.answered(self._clock.monotonic())

    def rest(self, remaining: int, seconds: float) -> bool:
        """Pause before a quota is used up: the host allows `remaining` more requests in the next `seconds`.

        Returns True if the host is paused.
        """
        pauses = remaining <= self._in_flight and 0 < seconds <= MAX_PAUSE
        if pauses:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)
        return pauses

    def close(self, failure: Failure) -> None:
        """Fail all waiting and later requests: the host has refused for too long."""
        self._closed = failure

    @property
    def refused_for(self) -> float:
        """Seconds since the first of the refusals in a row; 0 if the last answer was not one."""
        return 0.0 if self._refused_since is None else self._clock.monotonic() - self._refused_since

    def take(self) -> bool:
        """Take a slot if one is free, and no other task waits for it."""
        if self._queued or not self._open():
            return False
        self._in_flight += 1
        return True

    async def wait(self) -> None:
        """Take a slot; wait for it in order if none is free. Raises RequestFailed if the host has refused for too long."""
        if self.take():
            return
        self._queued += 1
        try:
            async with self._queue:
                while not self._open():
                    await self._wait_for_change()
                self._in_flight += 1
        finally:
            self._queued -= 1

    async def _wait_for_change(self) -> None:
        if self._closed is not None:
            raise RequestFailed(self._closed)
        if self._in_flight >= self._concurrency.allowed:
            self._freed = anyio.Event()
            await self._freed.wait()
        else:
            await self._clock.sleep(self._delay())

    def release(self) -> None:
        """Release a slot."""
        self._in_flight -= 1
        if self._freed is not None:
            self._freed.set()

    async def __aenter__(self) -> None:
        """Take a slot, as `wait` does."""
        await self.wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the slot."""
        self.release()

    def _open(self) -> bool:
        if self._in_flight >= self._concurrency.allowed:
            return False
        # For speed: there is nearly always neither a rate nor a pause, and then the clock is not needed.
        return (self._window is None and not self._paused_until) or self._delay() <= 0

    def _delay(self) -> float:
        """Return the seconds until a request may be sent; zero or less: now."""
        now = self._clock.monotonic()
        return max(self._paused_until - now, self._window.delay(now) if self._window else 0.0)
