"""The real clock, and the one of the tests."""

import asyncio
import time

import pytest

from bulkrm.remote.clock import Clock, Moment, SystemClock
from tests.support.clock import FakeClock


async def test_the_real_one() -> None:
    """Time goes on, the wall clock is of this century, chance is from 0 to below 1, and no sleep is no sleep."""
    clock: Clock = SystemClock()
    before, moment = clock.monotonic(), Moment.now(clock)
    await clock.sleep(0)

    assert clock.monotonic() >= before
    assert 0 <= moment.until(Moment.now(clock)) < 60
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


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no CLOCK_BOOTTIME")
def test_the_real_one_counts_sleep() -> None:
    """On Linux it is the clock that goes on while the machine sleeps, and not that of `time.monotonic`."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)

    assert before <= SystemClock().sleepless() <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize(
    ("suspended", "wall", "counts_sleep", "expected"),
    [
        (0.0, 0.0, True, 10.0),
        (3600.0, 0.0, True, 3610.0),
        (3600.0, 0.0, False, 3610.0),
        (0.0, -3600.0, True, 10.0),
        (0.0, 3600.0, True, 3610.0),
        (3600.0, -3600.0, True, 3610.0),
    ],
)
def test_how_much_time_passed(*, suspended: float, wall: float, counts_sleep: bool, expected: float) -> None:
    """It is what the clock says that says more: sleep counts, and nothing becomes younger by a clock that is set."""
    clock = FakeClock(counts_sleep=counts_sleep)
    moment = Moment.now(clock)
    clock.skip(10)
    clock.suspend(suspended)
    clock.set_wall(wall)

    assert moment.until(Moment.now(clock)) == pytest.approx(expected)
    assert clock.monotonic() == 10.0
