"""Plain lines for pipes and CI systems: one when a phase begins, and one every half minute that says how far it is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bulkrm.cli.terminal.console import say
from bulkrm.cli.terminal.display.display import Quiet
from bulkrm.cli.terminal.display.pace import Waiting, duration, speed
from bulkrm.cli.terminal.event_words import pause_line
from bulkrm.model.events import Paused

EVERY = 30.0  # seconds between two lines: CI systems end jobs that say nothing for some minutes
_LOOK = 1.0  # seconds between two looks at the time


class Lines(Quiet):
    """Says what happens in lines. Time is read from `now`; `sleep` waits until it is looked at again."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        write: Callable[[str], None] = say,
    ) -> None:
        """Begin without a phase."""
        self._now = now
        self._sleep = sleep
        self._write = write
        self._waiting = Waiting()
        self._name: str | None = None
        self._total = self._done = 0
        self._told_at, self._told = 0.0, 0  # when the last line was written, and how much was done then
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to look at the time."""
        self._task = asyncio.get_running_loop().create_task(self._look_at_the_time())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking at the time."""
        self._name = None
        if self._task is not None:
            self._task.cancel()

    def phase(self, name: str, total: int) -> None:
        """Say what begins, and how much of it there is."""
        self._name, self._total, self._done = name, total, 0
        self._told_at, self._told = self._now(), 0
        self._write(f"{name}: {total}")

    def advance(self) -> None:
        """Count a step."""
        self._done += 1

    def wait(self, pause: Paused) -> None:
        """Say who is waited for."""
        self._waiting.add(pause, self._now())
        self._write(pause_line(pause))

    def say(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def pause(self) -> None:
        """Say nothing more until the next phase: a question waits."""
        self._name = None

    def tick(self) -> None:
        """Write a line where the last one was written long enough ago, and something is left to do."""
        now = self._now()
        since = now - self._told_at
        if self._name is None or since < EVERY or self._done >= self._total:
            return
        rate = (self._done - self._told) / since
        parts = [f"{self._done:,} of {self._total:,}", speed(rate)]
        if rate:
            parts.append(f"about {duration((self._total - self._done) / rate)} left")
        waiting = self._waiting.left(now)
        if waiting is not None:
            parts.append(f"waiting {duration(waiting[1])} more for {waiting[0]}")
        self._told_at, self._told = now, self._done
        self._write(f"{self._name}: {', '.join(parts)}")

    async def _look_at_the_time(self) -> None:
        while True:
            await self._sleep(_LOOK)
            self.tick()
