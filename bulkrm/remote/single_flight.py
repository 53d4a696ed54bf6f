"""Single flight: one fetch for all tasks that wait for its result."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from bulkrm.model.errors import RequestFailed

T = TypeVar("T")


def _any(_: object) -> bool:
    return True


class SingleFlight(Generic[T]):
    """A value that one task fetches while the others wait, and that is kept while it is good.

    A failure is shared with the tasks that wait for it, so that a dead server is asked once and not once for each task;
    later tasks fetch again. If the fetching task is cancelled, the next waiting task fetches, and is not cancelled.
    """

    __slots__ = ("_failure", "_failures", "_lock", "value")

    def __init__(self) -> None:
        """`value` is None until a fetch has succeeded."""
        self.value: T | None = None
        self._failure: RequestFailed | None = None
        self._failures = 0
        self._lock = anyio.Lock(fast_acquire=True)

    async def get(self, fetch: Callable[[], Awaitable[T]], good: Callable[[T], bool] = _any) -> T:
        """Return the value, fetched if there is none that `good` accepts. Raises RequestFailed as `fetch` does."""
        seen = self._failures
        async with self._lock:
            if self.value is not None and good(self.value):
                return self.value
            if self._failures != seen and self._failure is not None:
                raise type(self._failure)(self._failure.failure)
            self._failure = None
            try:
                self.value = await fetch()
            except RequestFailed as error:
                self._failure = error
                self._failures += 1
                raise
            return self.value
