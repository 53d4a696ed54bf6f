"""Outcomes and the exit code."""

from dataclasses import fields
from typing import get_args

import pytest

from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NoMatch,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    Signal,
    Status,
    WouldDelete,
    exit_code,
    outcome_of_failure,
)

FAILED = Failed(Failure(FailureCode.TIMEOUT, "no answer"))
DECLINED = NotAttempted(NotAttemptedReason.DECLINED)
REFUSED = Failure(FailureCode.REFUSED, "HTTP 409", 409)
NOT_ASKED = CircuitOpen(FailureCode.SERVER_ERROR, "not asked: 8 requests in a row failed", 503)
TROUBLE = Failure(FailureCode.SERVER_ERROR, "not asked: 8 requests in a row failed", 503)
SHARED, PROTECTED = Kept(KeptReason.SHARED), Kept(KeptReason.PROTECTED)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], 0),
        ([Deleted(), WouldDelete(), Gone(), Gone(no_repository=True), NoMatch(), PROTECTED], 0),
        ([Deleted(), SHARED, PROTECTED], 3),
        ([SHARED, FAILED], 1),
        ([FAILED, SHARED], 1),
        ([SHARED, DECLINED, Deleted()], 1),
        ([NoMatch()], 0),
    ],
)
def test_exit_code(outcomes: list[Outcome], expected: int) -> None:
    """A failure goes before a safety rule, and that before success, in whatever order they came."""
    assert exit_code(outcomes) == expected
    assert exit_code(iter(reversed(outcomes))) == expected


@pytest.mark.parametrize(
    ("signal", "expected"), [(Signal.INTERRUPT, 130), (Signal.TERMINATE, 143), (Signal.HANG_UP, 129)]
)
def test_signals(signal: Signal, expected: int) -> None:
    """A signal goes before everything."""
    assert exit_code([FAILED, SHARED], signal) == expected


@pytest.mark.parametrize("reason", KeptReason)
def test_safety_rules(reason: KeptReason) -> None:
    """Only what the user's own rule keeps is no safety rule."""
    own = ("protected", "undone", "in-use", "newest", "no-date", "no-version", "too-young", "floor")

    assert exit_code([Kept(reason)]) == (0 if reason.value in own else 3)


@pytest.mark.parametrize("reason", NotAttemptedReason)
def test_not_attempted(reason: NotAttemptedReason) -> None:
    """What was not tried is no success, for whatever reason."""
    assert exit_code([NotAttempted(reason)]) == 1


def test_every_status_has_one_outcome() -> None:
    """The statuses of the report and the kinds of outcomes are one to one."""
    assert sorted(kind.status for kind in get_args(Outcome)) == sorted(Status)


@pytest.mark.parametrize("kind", get_args(Outcome))
def test_the_status_is_no_field(kind: type) -> None:
    """A status belongs to the kind and cannot be set."""
    assert "status" not in {field.name for field in fields(kind)}


@pytest.mark.parametrize(
    ("failure", "effect", "expected"),
    [
        (REFUSED, Effect.NONE, Failed(REFUSED)),
        (REFUSED, Effect.OPEN, Failed(REFUSED)),
        (NOT_ASKED, Effect.NONE, NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)),
        (NOT_ASKED, Effect.OVER, Failed(TROUBLE)),
        (NOT_ASKED, Effect.OPEN, Failed(TROUBLE)),
    ],
)
def test_what_a_failure_means_for_an_image(failure: Failure, effect: Effect, expected: Outcome) -> None:
    """An image about which nothing was sent, because its host's circuit is open, was not attempted; any other failed."""
    outcome = outcome_of_failure(failure, effect)

    assert outcome == expected
    assert not (isinstance(outcome, Failed) and isinstance(outcome.failure, CircuitOpen))
