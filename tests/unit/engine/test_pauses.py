"""The pauses between looks at what a registry still shows."""

from bulkrm.engine.pauses import Pauses
from bulkrm.engine.stop import Stop
from bulkrm.model.result.effect import PATIENCE
from bulkrm.model.result.outcome import Signal
from tests.support.clock import FakeClock


async def test_it_ends() -> None:
    """Each pause is longer than the one before, and after the last one there is no further look."""
    clock = FakeClock(auto=True)
    pauses = Pauses(clock, Stop())

    waited = [await pauses.take() for _ in range(len(PATIENCE) + 2)]

    assert waited == [True] * len(PATIENCE) + [False] * 2
    assert clock.slept == list(PATIENCE) == sorted(set(PATIENCE))
    assert pauses.taken == len(PATIENCE)


async def test_a_stopped_run_does_not_wait() -> None:
    """What was seen last is all that a run sees once it is stopped; a pause that had begun is over first."""
    clock, stop = FakeClock(auto=True), Stop()
    pauses = Pauses(clock, stop)
    assert await pauses.take()
    stop.interrupt(Signal.INTERRUPT)

    assert not await pauses.take()
    assert clock.slept == [PATIENCE[0]]
