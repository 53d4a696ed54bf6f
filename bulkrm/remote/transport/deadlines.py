"""One time limit for all requests under way, with one timer for all of them.

aiohttp's `total`, like `asyncio.timeout`, sets a timer for each request and takes it back when the answer comes: a
sixth of what a request costs the client (python -m tests.bench tools). The limit is the same for all, so who began
first is late first, and one timer, for that one, is enough.
"""

import asyncio
from types import TracebackType
from typing import Any, Self


class Deadlines:
    """As a context manager it limits what the current task does in it. Many tasks may be in it at once, each once.

    Leaving it raises TimeoutError where the time was over. A cancellation from elsewhere stays one (the accounting is
    that of `asyncio.timeout`, Lib/asyncio/timeouts.py).
    """

    __slots__ = ("_late", "_loop", "_open", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        """Take the limit. Create it inside the event loop."""
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        # In order: until when each may go on, and how often its task had been cancelled before.
        self._open: dict[asyncio.Task[Any], tuple[float, int]] = {}
        self._late: dict[asyncio.Task[Any], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """Begin with the current task."""
        task = asyncio.current_task()
        if task is None or task in self._open:
            raise RuntimeError("a time limit is for a task, and once at a time")
        until = self._loop.time() + self._seconds
        self._open[task] = until, task.cancelling()
        if self._timer is None:
            self._timer = self._loop.call_at(until, self._expire)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End with the current task. Raises TimeoutError where it was stopped because its time was over."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit is left in the task that it is for")
        if self._open.pop(task, None) is None:
            before = self._late.pop(task)
            if task.uncancel() <= before and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _expire(self) -> None:
        """Stop who is late, and wait for the next."""
        now = self._loop.time()
        self._timer = None
        while self._open:
            task, (until, before) = next(iter(self._open.items()))
            if until > now:
                self._timer = self._loop.call_at(until, self._expire)
                return
            del self._open[task]
            self._late[task] = before
            task.cancel()
