"""The time limit of all requests, with a single timer.

aiohttp's `total`, like `asyncio.timeout`, sets a timer for each request and cancels it when the answer comes, which takes a
sixth of a request's CPU time in the client (python -m tests.bench tools). Since the limit is the same for all requests, the
one that began first expires first, and a single timer, for that one, is enough.
"""

import asyncio
from types import TracebackType
from typing import Any, Self


class Deadlines:
    """A context manager that limits the time of its block. Many tasks may be in it at the same time, each once.

    It raises TimeoutError at the end of the block if the time was over. A cancellation for another reason stays a
    cancellation (the counting is that of `asyncio.timeout`, Lib/asyncio/timeouts.py).
    """

    __slots__ = ("_late", "_loop", "_open", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        """`seconds`: the limit. Create it inside the event loop."""
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        # In the order of the deadlines: the deadline of each task, and how often it had been cancelled before.
        self._open: dict[asyncio.Task[Any], tuple[float, int]] = {}
        self._late: dict[asyncio.Task[Any], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """Start the time of the current task."""
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
        """Stop the time of the current task. Raises TimeoutError if it was cancelled because the time was over."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit is left in the task that it is for")
        if self._open.pop(task, None) is None:
            before = self._late.pop(task)
            if task.uncancel() <= before and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _expire(self) -> None:
        """Cancel the tasks whose time is over, and set the timer for the next one."""
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
