"""What the reading of a tag, and the answer to its change, decide: no registry, no loop."""

import pytest

from bulkrm.engine.execute.tags.tag_change import (
    Change,
    Changed,
    Done,
    Doubt,
    Moved,
    NotSent,
    Unwanted,
    moved,
    none_if_damaged,
    outcome_of,
    settled_by_answer,
    settled_by_reading,
)
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Outcome, Untagged

APP = Repository("r.example", "app")
WAS, IS, OTHER = (Digest.of(name) for name in (b"was", b"is", b"other"))
SILENT = Failure(FailureCode.TIMEOUT, "no answer")
REFUSED = Failure(FailureCode.REFUSED, "no", 409)


def change(before: Digest | None = WAS, after: Digest | None = IS, *, wanted: bool = True) -> Change:
    """A change of the tag `a`."""
    return Change(APP, "a", before, after, lambda: wanted)


def kind(changed: Changed | None) -> type[object]:
    return type(changed)


@pytest.mark.parametrize(
    ("held", "sent", "expected"),
    [
        (WAS, False, type(None)),
        (IS, False, Moved),
        (OTHER, False, Moved),
        (None, False, Moved),
        (SILENT, False, NotSent),
        (WAS, True, type(None)),
        (IS, True, Done),
        (OTHER, True, Moved),
        (None, True, Moved),
        (SILENT, True, Doubt),
    ],
)
def test_the_table_of_readings(held: Digest | Failure | None, expected: type[object], *, sent: bool) -> None:
    """A change is sent, or sent again, only where the tag holds what it held, and what a lost send did is recognised."""
    assert kind(settled_by_reading(change(), held, sent=sent)) is expected


@pytest.mark.parametrize(
    ("held", "sent", "expected"),
    [(WAS, True, type(None)), (None, True, Done), (None, False, Moved), (OTHER, True, Moved)],
)
def test_a_tag_that_is_deleted(held: Digest | None, expected: type[object], *, sent: bool) -> None:
    """A tag that answers nothing after a send is done, without a clean answer; before any send it was somebody else."""
    settled = settled_by_reading(change(after=None), held, sent=sent)

    assert kind(settled) is expected
    assert not (isinstance(settled, Done) and settled.clean)


@pytest.mark.parametrize("sent", [False, True])
def test_a_tag_that_led_nowhere(*, sent: bool) -> None:
    """That nothing answers under it says nothing of its DELETE; what answers there stays."""
    nowhere = change(None, None)

    assert not nowhere.shows
    assert settled_by_reading(nowhere, None, sent=sent) is None
    assert settled_by_reading(nowhere, OTHER, sent=sent) == Moved(OTHER)


@pytest.mark.parametrize(("sent", "expected"), [(False, Unwanted), (True, Doubt)])
def test_what_nobody_wants_any_more(expected: type[object], *, sent: bool) -> None:
    """It is not sent; what was sent before stays in doubt, and a tag that moved is told so all the same."""
    unwanted = change(wanted=False)

    assert kind(settled_by_reading(unwanted, WAS, sent=sent)) is expected
    assert settled_by_reading(unwanted, OTHER, sent=sent) == Moved(OTHER)


@pytest.mark.parametrize(
    ("result", "sent", "doubtful", "expected"),
    [
        (Done(), False, True, Done()),
        (Done(), True, True, Done()),
        (Done(by_us=False), False, True, Done(by_us=False)),
        (Done(by_us=False), True, True, Done(clean=False)),  # it was gone by an earlier send of ours
        (REFUSED, False, False, REFUSED),
        (REFUSED, True, False, Doubt(REFUSED.code, REFUSED.message, REFUSED.status)),
        (SILENT, False, True, Doubt(SILENT.code, SILENT.message)),
    ],
)
def test_answers(result: Done | Failure, expected: Changed, *, sent: bool, doubtful: bool) -> None:
    """A refusal is one only where nothing that was sent can have taken effect, and a 404 is somebody else's only then."""
    assert settled_by_answer(result, sent=sent, doubtful=doubtful) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (Done(), Untagged()),
        (Done(by_us=False), Gone()),
        (Moved(None), Gone()),
        (Moved(OTHER), moved(APP, "a", OTHER)),
        (Unwanted(), None),
        (NotSent(SILENT), Failed(SILENT)),
        (REFUSED, Failed(REFUSED)),
    ],
)
def test_outcomes(changed: Changed, expected: Outcome | None) -> None:
    """What was not sent has no outcome unless something failed, and what moved is kept."""
    assert outcome_of(changed, change(), Untagged()) == expected


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (None, None),
        (OTHER, OTHER),
        (Failure(FailureCode.SERVER_ERROR, "broken", 500), None),
        (Failure(FailureCode.UNEXPECTED_ANSWER, "no manifest", 200), None),
        (Failure(FailureCode.DIGEST_MISMATCH, "other bytes", 200), None),
        (SILENT, SILENT),
        (Failure(FailureCode.NOT_PERMITTED, "no", 403), Failure(FailureCode.NOT_PERMITTED, "no", 403)),
        (Failure(FailureCode.UNEXPECTED_ANSWER, "a page", 404), Failure(FailureCode.UNEXPECTED_ANSWER, "a page", 404)),
    ],
)
def test_damage(held: Digest | Failure | None, expected: Digest | Failure | None) -> None:
    """Only what a registry answers about the tag itself counts as nothing under it."""
    assert none_if_damaged(held) == expected
