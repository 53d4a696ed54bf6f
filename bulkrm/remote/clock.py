"""Time, sleep and randomness as one argument, so that a test can be the one who turns the clock.

Three kinds of time are told apart. `monotonic` is for pauses, rates and time limits: it never jumps, and on most systems
it stands still while the machine sleeps. `wall` is for what others wrote down: dates of tokens and of `Retry-After`. For
how old something is that was read neither is enough, because the world goes on while the machine sleeps, and because
people and NTP set the wall clock back: `Moment` takes whichever clock says that more time has passed.
"""

import random
import sys
import time
from dataclasses import dataclass
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

    def sleepless(self) -> float:
        """Seconds that never jump and go on while the machine sleeps, where the system has a clock that does."""
        ...

    def random(self) -> float:
        """Return a number from 0 to below 1, for jitter."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, by all clocks that may go on while the machine sleeps."""

    wall: float
    sleepless: float

    @classmethod
    def now(cls, clock: Clock) -> "Moment":
        """Look at the clocks."""
        return cls(clock.wall(), clock.sleepless())

    def until(self, later: "Moment") -> float:
        """Seconds to a later moment, by the clock that says more.

        A wall clock that is set forward makes things look older than they are, one that is set back does not make them
        look younger. The sleepless clock alone is not enough: where a virtual machine is paused as a whole it stands
        still, and the wall clock is put right afterwards.
        """
        return max(later.wall - self.wall, later.sleepless - self.sleepless)


# Linux counts sleep in CLOCK_BOOTTIME and not in CLOCK_MONOTONIC_RAW (clock_gettime(2)); macOS has no BOOTTIME, and its
# CLOCK_MONOTONIC_RAW is mach_continuous_time, which counts it (Apple's Libc, gen/clock_gettime.c).
_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else "CLOCK_BOOTTIME", None)


class SystemClock:
    """The real one."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wall(self) -> float:
        """UNIX time."""
        return time.time()  # noqa: TID251 (this is the clock)

    def sleepless(self) -> float:
        """Seconds that never jump; where the system has no clock that counts sleep, those of `monotonic`."""
        return time.monotonic() if _COUNTS_SLEEP is None else time.clock_gettime(_COUNTS_SLEEP)

    def random(self) -> float:
        """Return a number from 0 to below 1."""
        return random.random()  # noqa: S311 (jitter, no secret)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)
