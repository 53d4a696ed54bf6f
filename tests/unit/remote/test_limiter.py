"""Slots, rate and pause of one host, on a clock that the test turns."""

import asyncio
from contextlib import suppress

import pytest

from bulkrm.model.settings import Pacing, Rate
from bulkrm.remote.limiter import Limiter
from tests.support.clock import FakeClock


class Crowd:
    """Tasks that each hold a slot until they are let go; `entered` has when each got in, by its number."""

    def __init__(self, limiter: Limiter, clock: FakeClock) -> None:
        self.limiter = limiter
        self.clock = clock
        self.entered: dict[int, float] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._leave: list[asyncio.Event] = []

    async def send(self, count: int, *, hold: bool = True) -> None:
        """Send more of them, and let them go as far as they can."""
        for _ in range(count):
            leave = asyncio.Event()
            if not hold:
                leave.set()
            self._leave.append(leave)
            self.tasks.append(asyncio.create_task(self._one(len(self.tasks), leave)))
        await self.clock.advance(0)

    async def leave(self, number: int) -> None:
        """Let one go."""
        self._leave[number].set()
        await self.clock.advance(0)

    async def end(self) -> None:
        """Send all home."""
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _one(self, number: int, leave: asyncio.Event) -> None:
        async with self.limiter:
            self.limiter.spend()
            self.entered[number] = self.clock.monotonic()
            await leave.wait()


def crowd(concurrency: int | None = None, rate: Rate | None = None) -> Crowd:
    """A crowd before a new limiter."""
    clock = FakeClock()
    return Crowd(Limiter(Pacing(concurrency, rate), clock), clock)


async def test_slots() -> None:
    """As many get in as are allowed; each that leaves lets the next one in, in order."""
    people = crowd(2)
    await people.send(4)
    assert list(people.entered) == [0, 1]
    assert repr(people.limiter) == "<Limiter 2 of 2 in flight>"

    await people.leave(1)
    assert list(people.entered) == [0, 1, 2]

    await people.leave(0)
    await people.leave(2)
    assert list(people.entered) == [0, 1, 2, 3]
    await people.leave(3)
    assert repr(people.limiter) == "<Limiter 0 of 2 in flight>"


async def test_auto() -> None:
    """`auto` begins with its own number."""
    assert crowd().limiter.allowed == 32
    assert crowd(3).limiter.allowed == 3


async def test_nobody_pushes_in() -> None:
    """Who comes while others stand at the door stands behind them, though a slot is free at that moment."""
    people = crowd(1)
    await people.send(3)
    people._leave[0].set()
    await people.send(1)
    await people.leave(1)
    await people.leave(2)

    assert list(people.entered) == [0, 1, 2, 3]
    await people.end()


async def test_rate() -> None:
    """In any ten seconds two get in, however fast they leave."""
    people = crowd(100, Rate(2, 10.0))
    await people.send(5, hold=False)
    assert list(people.entered.values()) == [0.0, 0.0]

    await people.clock.advance(9.9)
    assert len(people.entered) == 2
    await people.clock.advance(100)

    assert list(people.entered.values()) == [0.0, 0.0, 10.0, 10.0, 20.0]


async def test_a_slot_without_a_send_costs_no_rate() -> None:
    """Who gets in and does not send takes nothing of the rate."""
    people = crowd(5, Rate(1, 10.0))
    for _ in range(3):
        async with people.limiter:
            pass
    await people.send(1)

    assert people.entered == {0: 0.0}
    await people.end()


async def test_pause() -> None:
    """Nobody gets in during a pause, and those who are in stay."""
    people = crowd(2)
    await people.send(1)
    people.limiter.pause(30)
    await people.send(2)
    await people.clock.advance(29)
    assert list(people.entered) == [0]

    await people.leave(0)
    await people.clock.advance(1)

    assert people.entered == {0: 0.0, 1: 30.0}  # a refusal halved two to one
    await people.leave(1)
    assert people.entered[2] == 30.0
    await people.end()


async def test_a_longer_pause() -> None:
    """A pause is made longer by another, and never shorter."""
    people = crowd(2)
    people.limiter.pause(10)
    await people.send(1)
    await people.clock.advance(5)
    people.limiter.pause(20)
    people.limiter.pause(1)
    await people.clock.advance(30)

    assert people.entered == {0: 25.0}
    await people.end()


@pytest.mark.parametrize(("later", "allowed"), [(0.0, 5), (9.9, 5), (10.0, 3)])
async def test_one_burst_counts_once(later: float, allowed: int) -> None:
    """Refusals during one pause lessen the concurrency once, one after it again."""
    people = crowd(8)
    people.limiter.pause(10)
    people.clock.skip(later)
    people.limiter.pause(10)

    assert people.limiter._concurrency.allowed == allowed


async def test_growing_again() -> None:
    """After a refusal, successes let more in, up to the cap and no further."""
    people = crowd(4)
    people.limiter.pause(0)
    await people.send(4)
    assert len(people.entered) == 2

    people.clock.skip(10)
    for _ in range(50):
        people.limiter.succeeded()
    await people.leave(0)

    assert len(people.entered) == 4
    assert repr(people.limiter) == "<Limiter 3 of 4 in flight>"
    await people.end()


@pytest.mark.parametrize("who", [1, 2])
async def test_who_waits_is_cancelled(who: int) -> None:
    """A task that is cancelled at the door or behind it takes no slot and holds up nobody."""
    people = crowd(1)
    await people.send(4)
    people.tasks[who].cancel()
    await people.leave(0)
    for number in (1, 2, 3):
        await people.leave(number)

    assert list(people.entered) == [number for number in range(4) if number != who]
    assert repr(people.limiter) == "<Limiter 0 of 1 in flight>"


async def test_who_waits_for_the_pause_is_cancelled() -> None:
    """The same for one that waits for the end of a pause."""
    people = crowd(1)
    people.limiter.pause(10)
    await people.send(2)
    people.tasks[0].cancel()
    await people.clock.advance(10)

    assert people.entered == {1: 10.0}
    await people.end()


async def test_who_is_in_fails() -> None:
    """A slot is free again after an exception."""
    people = crowd(1)
    with pytest.raises(ZeroDivisionError):
        async with people.limiter:
            raise ZeroDivisionError
    await people.send(1)

    assert people.entered == {0: 0.0}
    await people.end()
