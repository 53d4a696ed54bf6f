"""What the reading of a tag, and the answer to its change, decide: no registry, no loop."""

from dataclasses import replace

import pytest

from bulkrm.engine.execute.tags.tag_change import Change, none_if_damaged, settled_by_reading, unconfirmed
from bulkrm.engine.stop import Stop, UntilStopped
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.tag_state import Changed, FailedChange, Moved, NotSent, Pushed
from bulkrm.remote.sending import ALWAYS

APP = Repository("r.example", "app")
STOPPED = Stop()
STOPPED.fail_fast()
WAS, IS, OTHER = (Digest.of(name) for name in (b"was", b"is", b"other"))
SILENT = Failure(FailureCode.TIMEOUT, "no answer")
REFUSED = Failure(FailureCode.REFUSED, "no", 409)
NOT_ASKED = CircuitOpen(FailureCode.SERVER_ERROR, "not asked", 503)
CIRCUIT_OPEN = CircuitOpen(FailureCode.TIMEOUT, "not asked")


def change(
    before: Digest | None = WAS, after: Digest | None = IS, effect: Effect = Effect.NONE, *, permitted: bool = True
) -> Change:
    """A change of the tag `a`, whose sends may have done this by now."""
    made = Change(APP, "a", before, after, ALWAYS if permitted else UntilStopped(STOPPED))
    made.sending.effect = effect
    return made


UNREAD = FailedChange(unconfirmed(SILENT), Effect.OPEN)


@pytest.mark.parametrize(
    ("held", "effect", "expected"),
    [
        (WAS, Effect.NONE, None),
        (IS, Effect.NONE, Moved(IS)),
        (OTHER, Effect.NONE, Moved(OTHER)),
        (None, Effect.NONE, Moved(None)),
        (SILENT, Effect.NONE, NotSent(SILENT)),
        (WAS, Effect.OPEN, None),
        (IS, Effect.OPEN, Pushed()),
        (OTHER, Effect.OPEN, Moved(OTHER)),
        (None, Effect.OPEN, Moved(None)),
        (SILENT, Effect.OPEN, UNREAD),
        (WAS, Effect.OVER, None),
        (IS, Effect.OVER, Pushed()),
        (SILENT, Effect.OVER, replace(UNREAD, effect=Effect.OVER)),
    ],
)
def test_the_table_of_readings(held: Digest | Failure | None, effect: Effect, expected: Changed | None) -> None:
    """A change is sent, or sent again, only where the tag holds what it held, and what a lost send did is recognised."""
    assert settled_by_reading(change(effect=effect), held) == expected


@pytest.mark.parametrize(
    ("held", "effect", "expected"),
    [
        (WAS, Effect.OPEN, None),
        (None, Effect.OPEN, Removal.FOUND_GONE),
        (None, Effect.OVER, Removal.FOUND_GONE),
        (None, Effect.NONE, Moved(None)),
        (OTHER, Effect.OPEN, Moved(OTHER)),
    ],
)
def test_a_tag_that_is_deleted(held: Digest | None, effect: Effect, expected: Changed | None) -> None:
    """A tag that answers nothing after a send is found gone, without a clean answer; before any send somebody else did it."""
    assert settled_by_reading(change(after=None, effect=effect), held) == expected


@pytest.mark.parametrize("effect", Effect)
def test_a_tag_that_led_nowhere(effect: Effect) -> None:
    """That nothing answers under it says nothing of its DELETE; what answers there stays."""
    nowhere = change(None, None, effect)

    assert not nowhere.shows
    assert settled_by_reading(nowhere, None) is None
    assert settled_by_reading(nowhere, OTHER) == Moved(OTHER)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Effect.NONE, Unsent()),
        (Effect.OVER, FailedChange(unconfirmed(None), Effect.OVER)),
        (Effect.OPEN, FailedChange(unconfirmed(None), Effect.OPEN)),
    ],
)
def test_a_permission_that_is_lost(effect: Effect, expected: Changed) -> None:
    """It is not sent; what was sent before may have acted still, and a tag that moved is told so all the same."""
    without = change(effect=effect, permitted=False)

    assert settled_by_reading(without, WAS) == expected
    assert settled_by_reading(without, OTHER) == Moved(OTHER)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (None, None),
        (OTHER, OTHER),
        (Failure(FailureCode.SERVER_ERROR, "broken", 500), None),
        (Failure(FailureCode.UNEXPECTED_ANSWER, "no manifest", 200), None),
        (Failure(FailureCode.DIGEST_MISMATCH, "other bytes", 200), None),
        (SILENT, SILENT),
        (NOT_ASKED, NOT_ASKED),
        (Failure(FailureCode.NOT_PERMITTED, "no", 403), Failure(FailureCode.NOT_PERMITTED, "no", 403)),
        (Failure(FailureCode.UNEXPECTED_ANSWER, "a page", 404), Failure(FailureCode.UNEXPECTED_ANSWER, "a page", 404)),
    ],
)
def test_damage(held: Digest | Failure | None, expected: Digest | Failure | None) -> None:
    """Only what a registry answers about the tag itself counts as nothing under it."""
    assert none_if_damaged(held) == expected
