"""Plain lines for pipes and CI systems: one when a phase begins, and one on its progress every half minute."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bulkrm.cli.terminal.console import say
from bulkrm.cli.terminal.display.display import Quiet, pause_line
from bulkrm.cli.terminal.display.pace import PausedHosts, duration, speed
from bulkrm.model.events import Paused

EVERY = 30.0  # seconds between two lines: CI systems end jobs that say nothing for some minutes
STEADY = 150.0  # seconds from which the time left is estimated
_TICK = 1.0  # seconds after which the time is checked again


class Lines(Quiet):
    """Writes the progress in lines. `now`: a monotonic time in seconds. `sleep`: waits before the time is checked again."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        write: Callable[[str], None] = say,
    ) -> None:
        """`write` is called with each line."""
        self._now = now
        self._sleep = sleep
        self._write = write
        self._pauses = PausedHosts()
        self._name: str | None = None
        self._total = self._done = 0
        # The time of the lines of the last minutes, and the steps that were done then; the last line comes last.
        self._lines: deque[tuple[float, int]] = deque([(0.0, 0)])
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to check the time, for the lines on progress."""
        self._task = asyncio.get_running_loop().create_task(self._tick_forever())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop checking the time."""
        self._name = None
        if self._task is not None:
            self._task.cancel()

    def phase(self, name: str, total: int) -> None:
        """Write a line with the name of the phase and its number of steps."""
        self._name, self._total, self._done = name, total, 0
        self._lines = deque([(self._now(), 0)])
        self._write(f"{name}: {total:,}")

    def advance(self) -> None:
        """Count a step."""
        self._done += 1

    def wait(self, pause: Paused) -> None:
        """Write a line on the pause."""
        self._pauses.add(pause, self._now())
        self._write(pause_line(pause))

    def say(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def pause(self) -> None:
        """Write no lines on progress until the next phase, while a question is asked."""
        self._name = None

    def tick(self) -> None:
        """Write a line on progress if the last one is half a minute old, and the phase has steps left or a host pauses."""
        now = self._now()
        line_at, done_at_line = self._lines[-1]
        since = now - line_at
        waiting = self._pauses.left(now)
        is_done = self._done >= self._total
        if self._name is None or since < EVERY or (is_done and waiting is None):
            return
        rate = (self._done - done_at_line) / since
        parts = [f"{self._done:,} of {self._total:,}"] + ([] if is_done else [speed(rate)])
        if rate and not is_done:
            parts.append(f"about {duration((self._total - self._done) / self._steady_rate(now))} left")
        if waiting is not None:
            parts.append(f"waiting {duration(waiting[1])} more for {waiting[0]}")
        self._lines.append((now, self._done))
        self._write(f"{self._name}: {', '.join(parts)}")

    def _steady_rate(self, now: float) -> float:
        """Return the steps a second of the last minutes: repositories are read again in between, and registries pause."""
        while len(self._lines) > 1 and now - self._lines[0][0] > STEADY:
            self._lines.popleft()
        begin, done = self._lines[0]
        return (self._done - done) / (now - begin)

    async def _tick_forever(self) -> None:
        while True:
            await self._sleep(_TICK)
            self.tick()
