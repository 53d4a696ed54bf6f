"""One fetch for however many tasks want its result."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from bulkrm.model.errors import RequestFailed

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """A value that is fetched by one task while the others wait, and kept while it is good.

    A failure is shared with those who waited for it, so that a dead server is asked once and not once for each waiter;
    who comes later tries again. When the fetching task is cancelled, the next waiter fetches: nobody inherits the
    cancellation.
    """

    __slots__ = ("_failure", "_failures", "_lock", "value")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.value: T | None = None
        self._failure: RequestFailed | None = None
        self._failures = 0
        self._lock = anyio.Lock()

    async def get(self, fetch: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
        """Return the value, fetched if there is none that is good. Raises RequestFailed as `fetch` does."""
        if self.value is not None and good(self.value):
            return self.value
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
