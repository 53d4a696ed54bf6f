"""One fetch for all who want its result."""

import asyncio
from contextlib import suppress

import pytest

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.remote.single_flight import SingleFlight

FAILURE = Failure(FailureCode.TIMEOUT, "no answer")


class Special(RequestFailed):
    """A failure that its catcher knows by its type."""


class Source:
    """What is fetched: a number for each time, when `go` says so; `error` is raised instead."""

    def __init__(self) -> None:
        self.fetches = 0
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def fetch(self) -> int:
        self.fetches += 1
        number = self.fetches
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return number


def start(flight: SingleFlight[int], source: Source, good: int = 0) -> asyncio.Task[int]:
    """A task that wants a number from `good` on."""
    return asyncio.create_task(flight.get(source.fetch, lambda number: number >= good))


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_fetch() -> None:
    """Those who come together and those who come later get one value."""
    flight, source = SingleFlight[int](), Source()
    tasks = [start(flight, source) for _ in range(5)]
    await settle()
    tasks += [start(flight, source) for _ in range(5)]
    source.go.set()

    assert [await task for task in tasks] == [1] * 10
    assert await flight.get(source.fetch, bool) == 1
    assert (source.fetches, flight.value) == (1, 1)


async def test_no_longer_good() -> None:
    """A value that is no longer good is fetched again, once for all."""
    flight, source = SingleFlight[int](), Source()
    source.go.set()
    await start(flight, source)

    tasks = [start(flight, source, good=2) for _ in range(5)]

    assert [await task for task in tasks] == [2] * 5


@pytest.mark.parametrize("kind", [RequestFailed, Special])
async def test_a_failure_is_shared(kind: type[RequestFailed]) -> None:
    """A failure goes to all who waited for it, as what it is; who comes later tries again."""
    flight, source = SingleFlight[int](), Source()
    source.error = kind(FAILURE)
    tasks = [start(flight, source) for _ in range(5)]
    await settle()
    tasks += [start(flight, source) for _ in range(5)]
    await settle()
    source.go.set()

    for task in tasks:
        with pytest.raises(kind) as caught:
            await task
        assert caught.value.failure == FAILURE
    assert source.fetches == 1

    source.error = None
    assert await start(flight, source) == 2


async def test_two_failures() -> None:
    """A second failure is the second's, and not the first again."""
    flight, source = SingleFlight[int](), Source()
    source.go.set()
    for number in range(2):
        source.error = RequestFailed(Failure(FailureCode.TIMEOUT, str(number)))
        with pytest.raises(RequestFailed, match=str(number)):
            await start(flight, source)

    assert source.fetches == 2


async def test_cancellation_is_not_inherited() -> None:
    """When the task that fetches is cancelled, the next one fetches, and the others get its value."""
    flight, source = SingleFlight[int](), Source()
    first, *others = [start(flight, source) for _ in range(4)]
    await settle()
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    source.go.set()

    assert first.cancelled()
    assert [await task for task in others] == [2, 2, 2]


async def test_a_waiter_is_cancelled() -> None:
    """A waiter that is cancelled disturbs nobody."""
    flight, source = SingleFlight[int](), Source()
    first, second, third = (start(flight, source) for _ in range(3))
    await settle()
    second.cancel()
    source.go.set()

    assert await first == await third == 1
    assert source.fetches == 1


async def test_a_bug_is_not_kept() -> None:
    """An exception that is a bug goes to the one who fetched, and the next one fetches again."""
    flight, source = SingleFlight[int](), Source()
    source.go.set()
    source.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await start(flight, source)

    source.error = None
    assert await start(flight, source) == 2
