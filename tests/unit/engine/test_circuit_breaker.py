"""When a host is left alone: after trouble in a row, never for answers, and not before it answered once."""

import pytest

from bulkrm.engine.known_failures import CircuitBreaker
from bulkrm.model.result.failure import TROUBLE, Failure, FailureCode

LOST = Failure(FailureCode.CONNECTION_LOST, "it broke")
REFUSED = Failure(FailureCode.REFUSED, "no", 409)


def test_eight_in_a_row_open_it() -> None:
    """The eighth trouble without an answer in between opens it, and it says what the last one was."""
    breaker = CircuitBreaker()
    seen = []
    for _ in range(9):
        breaker.failed(LOST)
        seen.append(breaker.open)

    assert [found is not None for found in seen] == [False] * 7 + [True] * 2
    assert "it broke" in str(seen[-1])


@pytest.mark.parametrize("refusal", [True, False])
def test_an_answer_begins_anew(*, refusal: bool) -> None:
    """Whatever the registry answers, a refusal too, it is there."""
    breaker = CircuitBreaker()
    for _ in range(7):
        breaker.failed(LOST)

    if refusal:
        breaker.failed(REFUSED)
    else:
        breaker.answered()
    breaker.failed(LOST)

    assert breaker.open is None


@pytest.mark.parametrize("code", list(FailureCode))
def test_only_trouble_after_an_answer_may_pass(code: FailureCode) -> None:
    """Of a host that never answered even trouble is final: its name or port is wrong."""
    breaker = CircuitBreaker()
    assert not breaker.counts(Failure(code, ""))

    breaker.answered()

    assert breaker.counts(Failure(code, "")) == (code in TROUBLE)
