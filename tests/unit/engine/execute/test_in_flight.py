"""What a stopped run waits for: requests that may be taking effect, and nothing that only stands in a queue."""

from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.stop import Stop
from bulkrm.model.result.effect import Effect
from bulkrm.remote.sending import Sending


async def test_only_what_was_sent_is_waited_for() -> None:
    """A change that waits for its slot is nothing to wait for; from its send to its answer it is."""
    in_flight = RequestsInFlight(Stop())
    with in_flight.of(Sending()):
        assert not in_flight.busy()
    with in_flight.of(Sending(effect=Effect.OPEN)):
        assert in_flight.busy()
    assert not in_flight.busy()


async def test_half_a_step_is_waited_for() -> None:
    """Between a decoy's push and its deletion nothing is sent for a moment, and the run must not end there."""
    in_flight = RequestsInFlight(Stop())

    with in_flight.unfinished():
        assert in_flight.busy()

    assert not in_flight.busy()
