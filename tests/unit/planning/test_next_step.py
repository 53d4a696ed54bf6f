"""What comes next for one image: each row of the table, in a running run and in a stopped one."""

from typing import get_args

import pytest

from bulkrm.model.plan import Settled
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.planning.image_state import (
    Barred,
    Dropping,
    Ended,
    GivenUp,
    Going,
    InDoubt,
    LookedUp,
    Queued,
    Recorded,
    State,
    Undecided,
    Unjudged,
    Unsettled,
)
from bulkrm.planning.next_step import (
    UNCONFIRMED,
    AwaitTurn,
    Leave,
    Look,
    NextStep,
    Recheck,
    Record,
    Send,
    next_step,
)
from tests.support.one_image import APP, BROKEN, ITEM, LEFT, MOVED, NEEDED, B

RECORDED, LEAVE = Recorded(), Leave()
UNJUDGED, GOING = Unjudged(ITEM, 1, 1), Going(LEFT, ITEM, 2, 1)
BARRED, UNDECIDED, GIVEN_UP = Barred(ITEM, NEEDED), Undecided(ITEM), GivenUp(ITEM, Failed(BROKEN))
PARTLY, DROPPED = Dropping(ITEM, MOVED, GOING), Dropping(ITEM, MOVED, RECORDED)
DOUBTS = [InDoubt(BARRED), InDoubt(UNDECIDED), InDoubt(DROPPED), InDoubt(GIVEN_UP)]
ROWS: list[tuple[State, NextStep, NextStep]] = [
    (Queued(ITEM), AwaitTurn(Unjudged(ITEM)), LEAVE),
    (UNJUDGED, Recheck(UNJUDGED), LEAVE),
    (PARTLY, Record(ITEM, MOVED, GOING), Record(ITEM, MOVED, GOING)),
    (DROPPED, Record(ITEM, MOVED, RECORDED), Record(ITEM, MOVED, RECORDED)),
    (GOING, Send(GOING), LEAVE),
    *((doubt, Look(doubt), LEAVE) for doubt in DOUBTS[:-1]),
    (DOUBTS[-1], Look(DOUBTS[-1]), Look(DOUBTS[-1])),
    (BARRED, Record(ITEM, NEEDED, RECORDED), LEAVE),
    (UNDECIDED, LEAVE, LEAVE),
    (GIVEN_UP, Record(ITEM, Failed(BROKEN), RECORDED), Record(ITEM, Failed(BROKEN), RECORDED)),
]
ENDS: list[tuple[State, NextStep]] = [
    (Ended(LEFT, Removal.ACCEPTED), Record(LEFT, Removal.ACCEPTED, Recorded(ended=True))),
    (Ended(LEFT, Failed(BROKEN)), Record(LEFT, Failed(BROKEN), Recorded(ended=True))),
    (LookedUp(ITEM, Removal.FOUND_GONE), Record(ITEM, Removal.FOUND_GONE, RECORDED)),
    (LookedUp(ITEM, Failed(BROKEN)), Record(ITEM, Failed(BROKEN), RECORDED)),
    (RECORDED, LEAVE),
    (Recorded(ended=True), LEAVE),
    (Recorded(by_sender=True), LEAVE),
]


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(("state", "expected", "_"), ROWS)
def test_in_a_running_run(state: State, effect: Effect, expected: NextStep, _: NextStep) -> None:
    """The state decides alone what comes next, whatever earlier sends may have done."""
    assert next_step(state, effect, is_stopped=False) == expected


@pytest.mark.parametrize("effect", [Effect.NONE, Effect.OVER])
@pytest.mark.parametrize(("state", "_", "expected"), ROWS)
def test_in_a_stopped_run(state: State, effect: Effect, expected: NextStep, _: NextStep) -> None:
    """Nothing is begun, judged or sent any more; what is certain already is recorded."""
    assert next_step(state, effect, is_stopped=True) == expected


@pytest.mark.parametrize("state", [state for state, *_ in ROWS])
def test_what_may_be_taking_effect_in_a_stopped_run(state: Unsettled) -> None:
    """That its send is not confirmed is recorded of it, whatever else is known, but of tags that lead elsewhere: they moved."""
    unconfirmed = Record(state.item, Failed(UNCONFIRMED), RECORDED)
    step = next_step(state, Effect.OPEN, is_stopped=True)
    if isinstance(state, Dropping):
        assert step == Record(state.item, MOVED, Undecided(state.item))
        step = next_step(Undecided(state.item), Effect.OPEN, is_stopped=True)

    assert step == unconfirmed


@pytest.mark.parametrize("outcome", [Gone(), Kept(KeptReason.MOVED, (f"{APP}:x@{ITEM.digest}",)), NEEDED])
def test_what_a_judgement_says_of_a_manifest_that_may_be_gone(outcome: Gone | Kept) -> None:
    """A tag that is gone, or was to stay on the manifest, may have gone by the send: it is unconfirmed."""
    state = Dropping(ITEM, (Settled(B, outcome),), GOING)

    assert next_step(state, Effect.OPEN, is_stopped=True) == Record(ITEM, Failed(UNCONFIRMED), RECORDED)


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(("state", "expected"), ENDS)
def test_what_was_answered_or_found(state: State, expected: NextStep, effect: Effect, is_stopped: bool) -> None:  # noqa: FBT001 (a case)
    """It is recorded in any run, and an image whose outcomes are recorded is left."""
    assert next_step(state, effect, is_stopped=is_stopped) == expected


def test_every_state_has_its_row() -> None:
    """No state is left out of these tables."""
    assert {type(state) for state, *_ in (*ROWS, *ENDS)} == set(get_args(State))
