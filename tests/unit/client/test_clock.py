"""The real clock, and the one of the tests."""

import asyncio

import pytest

from bulkrm.client.clock import Clock, SystemClock
from tests.support.clock import FakeClock


async def test_the_real_one() -> None:
    """Time goes on, the wall clock is of this century, chance is from 0 to below 1, and no sleep is no sleep."""
    clock: Clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)

    assert clock.monotonic() >= before
    assert 1.7e9 < clock.wall() < 4.1e9
    assert 0 <= clock.random() < 1


async def test_the_fake_one_waits_for_the_test() -> None:
    """Sleepers wake in the order of their ends, and only when the test lets time pass."""
    clock = FakeClock(jitter=0.5)
    woken: list[tuple[float, float]] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for seconds in (3.0, 1.0, 2.0):
            tasks.create_task(sleep(seconds))
        await clock.until_asleep(3)
        await clock.advance(2.5)
        assert woken == [(1.0, 1.0), (2.0, 2.0)]
        await clock.advance(1)

    assert (woken[2], clock.monotonic(), clock.random()) == ((3.0, 3.0), 3.5, 0.5)


async def test_the_fake_one_jumps() -> None:
    """With `auto` the time jumps to the end of whoever would wake first."""
    clock = FakeClock(auto=True, wall=100.0)
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        for seconds in (30.0, 10.0, 20.0):
            tasks.create_task(sleep(seconds))

    assert woken == [10.0, 20.0, 30.0]
    assert clock.wall() == pytest.approx(130.0)
