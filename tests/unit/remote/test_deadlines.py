"""One timer for all requests: who is late is stopped, and nobody else."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest

from bulkrm.remote.transport.deadlines import Deadlines

FAR = 3600.0


async def limited(deadlines: Deadlines, wait: Callable[[], Awaitable[object]]) -> str:
    """Say how a wait within the limit ended."""
    try:
        with deadlines:
            await wait()
    except TimeoutError:
        return "late"
    return "done"


async def forever() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def test_who_is_late_is_stopped() -> None:
    """What has not ended when its time is over ends with TimeoutError, and its task may go on."""
    deadlines = Deadlines(0)

    assert await limited(deadlines, forever) == "late"
    assert await limited(deadlines, forever) == "late"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_all_that_are_late_are_stopped() -> None:
    """Many may be late at once, each is stopped."""
    deadlines = Deadlines(0)
    ended: list[str] = []

    async def one() -> None:
        ended.append(await limited(deadlines, forever))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)

    assert ended == ["late"] * 10


async def test_who_is_in_time_is_left_alone() -> None:
    """What ended in time is not stopped later, though its task goes on to wait for something else."""
    deadlines = Deadlines(0)
    passed = asyncio.Event()

    with deadlines:
        pass
    asyncio.get_running_loop().call_later(0, asyncio.get_running_loop().call_soon, passed.set)
    await passed.wait()  # the timer was for a moment before this

    assert passed.is_set()


async def test_a_limit_begins_when_it_is_entered() -> None:
    """A timer that was set for somebody before stops nobody whose time is not over."""
    deadlines = Deadlines(FAR)
    with deadlines:
        pass
    assert deadlines._timer is not None
    earlier = deadlines._timer

    async def look() -> None:
        deadlines._expire()  # as if the timer of the one before ran out now

    assert await limited(deadlines, look) == "done"
    assert deadlines._timer is not earlier
    deadlines._timer.cancel()


async def test_a_cancellation_stays_one() -> None:
    """A task that is cancelled from elsewhere is cancelled, not late."""
    deadlines = Deadlines(FAR)
    task = asyncio.ensure_future(limited(deadlines, forever))
    await anyio.lowlevel.checkpoint()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadlines._open


async def test_a_cancellation_and_the_end_of_the_time_at_once() -> None:
    """Where both come at once it is a cancellation: whoever asked for it must not be left waiting."""
    deadlines = Deadlines(FAR)
    task = asyncio.ensure_future(limited(deadlines, forever))
    await anyio.lowlevel.checkpoint()
    deadlines._seconds = 0
    deadlines._open[task] = 0.0, 0

    task.cancel()
    deadlines._expire()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadlines._late


async def test_a_scope_that_is_cancelled() -> None:
    """A cancelled scope of anyio around a request ends it, and leaves the task as it was."""
    deadlines = Deadlines(FAR)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limited(deadlines, forever)

    assert scope.cancelled_caught
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await limited(Deadlines(0), forever) == "late"


async def test_an_error_is_passed_on() -> None:
    """What goes wrong within the limit goes on its way."""
    with pytest.raises(ValueError, match="wrong"), Deadlines(FAR):
        raise ValueError("wrong")


async def test_once_at_a_time() -> None:
    """A task that has a time limit gets no second one."""
    deadlines = Deadlines(FAR)
    with deadlines, pytest.raises(RuntimeError), deadlines:
        pass
