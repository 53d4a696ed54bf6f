"""What a tag is that was to go, by each way in which it may be seen, and what its image is told by that alone."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, NotAttempted, NotAttemptedReason, Outcome, Untagged
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.tag_state import (
    Changed,
    FailedChange,
    Moved,
    NotSent,
    Pushed,
    TagLook,
    TagState,
    look_after,
    may_be_made,
    moved,
    outcome_of,
    served,
    tag_state,
)

APP = Repository("r.example", "app")
OURS, OTHER, DECOY = (Digest.of(name) for name in (b"ours", b"other", b"decoy"))
SILENT = Failure(FailureCode.TIMEOUT, "no answer")
REFUSED = Failure(FailureCode.REFUSED, "no", 409)
CIRCUIT_OPEN = CircuitOpen(FailureCode.TIMEOUT, "not asked")


@pytest.mark.parametrize(
    ("held", "listed", "expected", "remains"),
    [
        (None, False, TagState.GONE, False),
        (None, None, TagState.UNPROVED, False),
        (None, True, TagState.DANGLING, True),
        (OURS, True, TagState.SERVES, True),
        (OURS, False, TagState.SERVES, True),
        (OURS, None, TagState.SERVES, True),
        (OTHER, True, TagState.MOVED, False),
        (DECOY, True, TagState.DANGLING, True),
        (SILENT, True, TagState.UNKNOWN, False),
        (SILENT, False, TagState.UNKNOWN, False),
    ],
)
def test_a_reading(held: Digest | Failure | None, expected: TagState, *, listed: bool | None, remains: bool) -> None:
    """A tag is gone if nothing answers under it and the list, which was read, lacks it; what cannot be read is not known."""
    state = tag_state(OURS, held, listed=listed, decoys={DECOY})

    assert (state, state.remains) == (expected, remains)


@pytest.mark.parametrize(
    ("by_digest", "expected"),
    [
        (None, TagLook(TagState.SERVES, OURS)),
        (OURS, TagLook(TagState.MOVED, OURS)),
        (SILENT, TagLook(TagState.UNKNOWN, SILENT)),
    ],
)
def test_a_tag_that_holds_what_it_held(by_digest: Digest | Failure | None, expected: TagLook) -> None:
    """It outlives its manifest where the digest is gone; one that answers again was pushed, and silence says neither."""
    assert served(OURS, by_digest) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (Removal.ACCEPTED, TagLook(TagState.GONE)),
        (Removal.FOUND_GONE, TagLook(TagState.UNPROVED)),
        (Removal.WAS_GONE, TagLook(TagState.ABSENT)),
        (Moved(None), TagLook(TagState.ABSENT)),
        (Moved(OTHER), TagLook(TagState.MOVED, OTHER)),
        (Moved(DECOY), TagLook(TagState.DANGLING, DECOY)),
        (FailedChange(REFUSED, Effect.NONE), TagLook(TagState.SERVES, OURS)),
        (FailedChange(SILENT, Effect.OVER), TagLook(TagState.UNKNOWN, SILENT)),
        (FailedChange(SILENT, Effect.OPEN), TagLook(TagState.UNKNOWN, SILENT)),
        (NotSent(SILENT), TagLook(TagState.UNKNOWN, SILENT)),
        (Unsent(), None),
        (Pushed(), None),
    ],
)
def test_the_result_of_a_change(changed: Changed, expected: TagLook | None) -> None:
    """Only a clean answer says that a tag is gone, and only a refusal that it is as it was."""
    assert look_after(changed, OURS, decoys={DECOY}) == expected


def test_a_refusal_to_remove_a_decoy() -> None:
    """The tag holds the decoy still, which is nothing of anybody's."""
    refused = FailedChange(REFUSED, Effect.NONE)

    assert look_after(refused, DECOY, decoys={DECOY}) == TagLook(TagState.DANGLING, DECOY)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (Removal.ACCEPTED, True),
        (Removal.FOUND_GONE, True),
        (Removal.WAS_GONE, True),
        (Pushed(), True),
        (FailedChange(SILENT, Effect.OPEN), True),
        (FailedChange(SILENT, Effect.OVER), True),
        (FailedChange(REFUSED, Effect.NONE), False),
        (NotSent(SILENT), False),
        (Unsent(), False),
        (Moved(None), False),
    ],
)
def test_what_may_be_made(changed: Changed, *, expected: bool) -> None:
    """A change is made, or may be, by its proof or by the effect of its sends."""
    assert may_be_made(changed) is expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (Removal.ACCEPTED, Untagged()),
        (Removal.FOUND_GONE, Untagged()),
        (Removal.WAS_GONE, Gone()),
        (Pushed(), Untagged()),
        (Moved(None), Gone()),
        (Moved(OTHER), moved(APP, "a", OTHER)),
        (Unsent(), None),
        (NotSent(SILENT), Failed(SILENT)),
        (NotSent(CIRCUIT_OPEN), NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)),
        (FailedChange(REFUSED, Effect.NONE), Failed(REFUSED)),
        (FailedChange(SILENT, Effect.OPEN), Failed(SILENT)),
        (FailedChange(CIRCUIT_OPEN, Effect.NONE), NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)),
        (FailedChange(CIRCUIT_OPEN, Effect.OVER), Failed(CIRCUIT_OPEN.as_failure)),
    ],
)
def test_outcomes(changed: Changed, expected: Outcome | None) -> None:
    """What was not sent has no outcome unless something failed, and what moved is kept."""
    assert outcome_of(changed, APP, "a", Untagged()) == expected
