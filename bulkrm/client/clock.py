"""Time, sleep and randomness as one argument, so that a test can be the one who turns the clock."""

import random
import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """What the client needs of time. All values are in seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    def wall(self) -> float:
        """UNIX time."""
        ...

    def random(self) -> float:
        """Return a number from 0 to below 1, for jitter."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The real one."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wall(self) -> float:
        """UNIX time."""
        return time.time()  # noqa: TID251 (this is the clock)

    def random(self) -> float:
        """Return a number from 0 to below 1."""
        return random.random()  # noqa: S311 (jitter, no secret)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)
