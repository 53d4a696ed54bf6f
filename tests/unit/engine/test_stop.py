"""Why a run stops: the first cause counts, and a phase knows how much time is left."""

import anyio
import pytest

from bulkrm.engine.stop import GRACE, Stop
from bulkrm.model.result.outcome import NotAttemptedReason, Signal


class Bug(Exception):  # noqa: N818 (it is one)
    """What no code of ours expects."""


def test_running() -> None:
    """A run that nothing stopped has no reason."""
    stop = Stop()

    assert not stop
    assert (stop.reason, stop.signal, stop.bug) == (None, None, None)


def test_the_first_cause_counts() -> None:
    """A failure that stopped the run is the reason, whatever follows; a signal and a bug are remembered all the same."""
    stop = Stop()

    stop.fail_fast()
    stop.crash(Bug("first"))
    stop.crash(Bug("second"))
    stop.interrupt(Signal.TERMINATE)

    assert stop.reason is NotAttemptedReason.FAIL_FAST
    assert str(stop.bug) == "first"
    assert stop.signal is Signal.TERMINATE


async def test_grace() -> None:
    """A signal leaves ten seconds to what is being deleted and none to what is being read; the second none at all."""
    reading, deleting = Stop(), Stop()

    with reading.phase():
        reading.interrupt(Signal.INTERRUPT)
        read_until = anyio.current_effective_deadline() - anyio.current_time()
    with deleting.phase(GRACE):
        deleting.interrupt(Signal.INTERRUPT)
        first = anyio.current_effective_deadline() - anyio.current_time()
        deleting.interrupt(Signal.TERMINATE)
        second = anyio.current_effective_deadline()

    assert read_until <= 0
    assert 9 < first <= 10
    assert second == float("-inf")
    assert (deleting.signal, deleting.reason) == (Signal.INTERRUPT, NotAttemptedReason.INTERRUPTED)


async def test_the_end_of_a_phase_is_quiet() -> None:
    """What a stop cancels ends its phase, and the code behind it goes on."""
    stop = Stop()
    reached = False

    with stop.phase():
        stop.interrupt(Signal.INTERRUPT)
        await anyio.sleep_forever()
        reached = True

    assert not reached
    assert stop


@pytest.mark.parametrize("busy", [True, False])
async def test_grace_only_for_what_is_worth_it(busy: bool) -> None:  # noqa: FBT001
    """Where nothing is taking effect just now, a stop ends the phase at once."""
    stop = Stop()

    with stop.phase(GRACE, lambda: busy):
        stop.interrupt(Signal.INTERRUPT)
        seconds = anyio.current_effective_deadline() - anyio.current_time()

    assert (seconds > GRACE - 1) if busy else (seconds <= 0)


async def test_calm() -> None:
    """When the last thing worth the grace is done the phase ends; without a stop that means nothing."""
    stop = Stop()

    with stop.phase(GRACE, lambda: True):
        stop.end_grace()
        before = anyio.current_effective_deadline()
        stop.interrupt(Signal.INTERRUPT)
        stop.end_grace()
        await anyio.sleep_forever()

    assert before == float("inf")


async def test_a_phase_that_raises_is_over() -> None:
    """A stop after it ends nothing of it, but the phase around it, with the grace of that one."""
    stop, reached = Stop(), False

    with stop.phase(GRACE):
        with pytest.raises(Bug), stop.phase():
            raise Bug
        stop.interrupt(Signal.INTERRUPT)
        left = anyio.current_effective_deadline() - anyio.current_time()
        stop.interrupt(Signal.INTERRUPT)
        await anyio.lowlevel.checkpoint()
        reached = True

    assert 9 < left <= 10
    assert not reached
