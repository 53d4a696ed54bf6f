"""Time, sleep and randomness as one argument, so that tests can replace them.

There are three clocks. `monotonic` is for pauses, rates and time limits: it never jumps, and on most systems it stops while
the machine sleeps. `wall` is for dates that others wrote: those of tokens and `Retry-After`. Neither is enough for the age
of facts, because a registry changes while the machine sleeps, and because people and NTP set the wall clock back. So
`Moment` uses the clock by which more time has passed.
"""

import random
import sys
import time
from typing import Protocol

import anyio

from bulkrm.model.valueclass import valueclass


class Clock(Protocol):
    """Time, sleep and randomness. All times are in seconds."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps."""
        ...

    def wall(self) -> float:
        """UNIX time."""
        ...

    def sleepless(self) -> float:
        """Seconds of a clock that never jumps, and that counts the sleep of the machine if the system has such a clock."""
        ...

    def random(self) -> float:
        """Return a number from 0 to below 1, for jitter."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


@valueclass
class Moment:
    """A point in time, by the two clocks that count the sleep of the machine."""

    wall: float
    sleepless: float

    @classmethod
    def now(cls, clock: Clock) -> "Moment":
        """Return the present moment."""
        return cls(clock.wall(), clock.sleepless())

    def until(self, later: "Moment") -> float:
        """Seconds to a later moment, by the clock by which more time has passed.

        If the wall clock is set forward, facts seem older than they are; if it is set back, they do not seem younger. The
        sleepless clock alone is not enough: it stops while a virtual machine is paused, and the wall clock is corrected
        afterwards.
        """
        return max(later.wall - self.wall, later.sleepless - self.sleepless)


# Linux counts sleep in CLOCK_BOOTTIME and not in CLOCK_MONOTONIC_RAW (clock_gettime(2)); macOS has no BOOTTIME, and its
# CLOCK_MONOTONIC_RAW is mach_continuous_time, which counts it (Apple's Libc, gen/clock_gettime.c).
_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else "CLOCK_BOOTTIME", None)


class SystemClock:
    """The clocks and the random generator of the system."""

    # The functions themselves, without a call around them: each request asks for the time, and more than once.
    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)  # noqa: TID251 (this is the clock)

    def sleepless(self) -> float:
        """Seconds of a clock that counts the sleep of the machine; `monotonic` if the system has no such clock."""
        return time.monotonic() if _COUNTS_SLEEP is None else time.clock_gettime(_COUNTS_SLEEP)

    def random(self) -> float:
        """Return a number from 0 to below 1."""
        return random.random()  # noqa: S311 (jitter, no secret)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await anyio.sleep(seconds)
