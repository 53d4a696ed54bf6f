"""A clock for tests: time moves when the test says, or jumps to the next wake-up when everyone sleeps."""

import asyncio
import time
from dataclasses import dataclass, field

from tests.support.giving_up import SECONDS

# Turns of the loop after which whoever waits for no socket has gone as far as it can.
_TURNS = 50


@dataclass(eq=False, slots=True)
class _Sleeper:
    until: float
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class FakeClock:
    """Implements `bulkrm.remote.clock.Clock`.

    With `auto`, a sleep ends at once: the one that would end first moves the time to its end. Without, `advance` moves
    it. `slept` has the length of every sleep that was begun; `jitter` is the result of `random`. `counts_sleep`: its system
    has a clock that counts the sleep of the machine.
    """

    def __init__(
        self, *, auto: bool = False, jitter: float = 0.0, wall: float = 1_800_000_000.0, counts_sleep: bool = True
    ) -> None:
        self._auto = auto
        self._counts_sleep = counts_sleep
        self._suspended = 0.0
        self._jitter = jitter
        self._wall = wall
        self._now = 0.0
        self._sleepers: list[_Sleeper] = []
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._wall + self._now

    def sleepless(self) -> float:
        return self._now + (self._suspended if self._counts_sleep else 0.0)

    def random(self) -> float:
        return self._jitter

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        sleeper = _Sleeper(self._now + seconds)
        self._sleepers.append(sleeper)
        try:
            await (self._jump(sleeper) if self._auto else sleeper.woken.wait())
        finally:
            self._sleepers.remove(sleeper)

    def skip(self, seconds: float) -> None:
        """Let time pass without waking any task, as if the process of the test had been stopped."""
        self._now += seconds

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: the wall clock goes on, and the monotonic one stops."""
        self._wall += seconds
        self._suspended += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back, as people and NTP do."""
        self._wall += seconds

    async def advance(self, seconds: float) -> None:
        """Let time pass, from the end of one sleep to the next; each task that wakes runs as far as it can."""
        end = self._now + seconds
        await _settle()
        while due := [sleeper for sleeper in self._sleepers if sleeper.until <= end and not sleeper.woken.is_set()]:
            first = min(due, key=lambda sleeper: sleeper.until)
            self._now = max(self._now, first.until)
            first.woken.set()
            await _settle()
        self._now = end

    async def until_asleep(self, sleepers: int) -> None:
        """Wait until this many tasks sleep, in a test whose other tasks wait for real sockets."""
        async with asyncio.timeout(SECONDS):
            while len(self._sleepers) < sleepers:  # noqa: ASYNC110 (the loop has to go on to serve the sockets)
                await asyncio.sleep(0)

    async def _jump(self, sleeper: _Sleeper) -> None:
        while True:
            await asyncio.sleep(0)
            if sleeper is min(self._sleepers, key=lambda other: other.until):
                self._now = max(self._now, sleeper.until)
                return


class SkippingClock(FakeClock):
    """The system's time, and the seconds that somebody wanted to sleep on top of it: nobody does."""

    def __init__(self) -> None:
        super().__init__(auto=True, wall=0.0)

    def monotonic(self) -> float:
        return time.monotonic() + super().monotonic()

    def wall(self) -> float:
        return time.time() + super().wall()  # noqa: TID251 (what other processes say is of that time)

    def sleepless(self) -> float:
        return time.monotonic() + super().sleepless()


async def _settle() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
