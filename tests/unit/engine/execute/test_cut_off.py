"""What is noted where a block is cut off in the middle of a change."""

import asyncio

import pytest

from bulkrm.engine.execute.cut_off import ANYTHING, CutOff
from bulkrm.model.result.effect import Effect
from bulkrm.remote.sending import Sending


@pytest.mark.parametrize("error", [asyncio.CancelledError, RuntimeError])
@pytest.mark.parametrize(("effect", "expected"), [(Effect.NONE, []), (Effect.OVER, ["a"]), (Effect.OPEN, ["a"])])
def test_a_block_that_an_exception_ends(error: type[BaseException], effect: Effect, expected: list[str]) -> None:
    """The note is taken where something may have acted by then, not only by the time that the block began; the error goes on."""
    noted: list[str] = []
    sending = Sending()

    def send() -> None:
        sending.effect = effect
        raise error

    with pytest.raises(error), CutOff(sending, noted.append, "a"):
        send()

    assert noted == expected


def test_a_block_that_comes_to_its_end() -> None:
    """Nothing is noted, whatever was sent: the result tells."""
    noted: list[str] = []

    with CutOff(ANYTHING, noted.append, "a"):
        pass

    assert noted == []


def test_a_block_of_several_requests() -> None:
    """The note is taken in any case: whoever takes it knows what was sent."""
    noted: list[str] = []

    with pytest.raises(RuntimeError), CutOff(ANYTHING, noted.append, "a"):
        raise RuntimeError

    assert noted == ["a"]
