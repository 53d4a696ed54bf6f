"""What the tag list and a HEAD say of a tag after the DELETE of its decoy, and what follows: no registry, no loop."""

import pytest

from bulkrm.engine.execute.tags.dangling import dangling_outcome
from bulkrm.engine.execute.tags.decoy_proof import DecoyRemoval, lingers, stays_listed, stuck, untag_outcome
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Dangling, Item, Untag, UntagMethod
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.tag_state import GONE, FailedChange, Pushed, TagLook, TagState, tag_state

APP = Repository("r.example", "app")
WAS, DECOY, OTHER = (Digest.of(name) for name in (b"was", b"decoy", b"other"))
TARGET = Target(TagRef(APP, "a"), None)
ITEM = Item(APP, Resolved(WAS, OCI_MANIFEST, 3), (TARGET,), Untag((f"{APP}:keep",), UntagMethod.DECOY), ("a", "keep"))
NOWHERE = Dangling(TARGET, UntagMethod.DECOY)
DELETED, FOUND_GONE, WAS_GONE = Removal.ACCEPTED, Removal.FOUND_GONE, Removal.WAS_GONE
REFUSED = Failure(FailureCode.REFUSED, "no", 409)
BROKEN = Failure(FailureCode.SERVER_ERROR, "broken", 503)
SILENT = Failure(FailureCode.TIMEOUT, "no answer")
CIRCUIT_OPEN = CircuitOpen(FailureCode.TIMEOUT, "not asked")
UNANSWERED = Failure(FailureCode.TIMEOUT, "no answer to PUT")
DOUBT = FailedChange(UNANSWERED, Effect.OPEN)
NO, TROUBLE = FailedChange(REFUSED, Effect.NONE), FailedChange(BROKEN, Effect.NONE)


def look(before: Digest | None, held: Digest | Failure | None, *, listed: bool = True) -> TagLook:
    """A tag that held `before`, as it is seen after the DELETE of the decoy."""
    return TagLook(tag_state(before, held, listed=listed, decoys={DECOY}), held) if listed or held else GONE


def word(outcome: Outcome | None) -> str:
    match outcome:
        case None:
            return "later"
        case Failed(failure):
            return failure.code.value + (" unfinished" if failure.unfinished else "")
        case Kept(reason):
            return f"kept {reason.value}"
        case _:
            return outcome.status.value


@pytest.mark.parametrize(
    ("deleted", "held", "listed", "expected"),
    [
        # The decoy was deleted, by a clean answer or not.
        (DELETED, None, False, "untagged"),
        (DELETED, None, True, "later"),
        (DELETED, DECOY, True, "tags-remain unfinished"),
        (DELETED, WAS, True, "tags-remain"),
        (DELETED, OTHER, True, "kept moved"),
        (DELETED, SILENT, True, "unconfirmed"),
        (FOUND_GONE, None, False, "untagged"),
        (FOUND_GONE, None, True, "later"),
        (FOUND_GONE, DECOY, True, "tags-remain unfinished"),
        (WAS_GONE, OTHER, True, "kept moved"),
        # It was not: its tags were put back, unless that failed too.
        (REFUSED, None, False, "untagged"),
        (REFUSED, None, True, "later"),
        (REFUSED, WAS, True, "refused"),
        (REFUSED, DECOY, True, "refused unfinished"),
        (REFUSED, OTHER, True, "kept moved"),
        (REFUSED, SILENT, True, "unconfirmed unfinished"),
    ],
)
def test_a_tag_of_a_manifest_that_stays(
    deleted: Removal | Failure, held: Digest | Failure | None, expected: str, *, listed: bool
) -> None:
    """It is untagged only where the list has it no more; a decoy that is left under it leaves something unfinished."""
    assert word(untag_outcome(ITEM, "a", look(WAS, held, listed=listed), deleted, None)) == expected


@pytest.mark.parametrize(("held", "expected"), [(WAS, "timeout"), (DECOY, "timeout unfinished"), (OTHER, "kept moved")])
def test_a_push_in_doubt(held: Digest, expected: str) -> None:
    """Where it was in doubt whether the decoy was pushed at all, that is why the tag holds what it held."""
    assert word(untag_outcome(ITEM, "a", look(WAS, held), DELETED, UNANSWERED)) == expected


@pytest.mark.parametrize(
    ("answered", "deleted", "held", "listed", "expected"),
    [
        (Pushed(), DELETED, None, False, "deleted"),
        (Pushed(), DELETED, None, True, "kept unreadable"),
        (Pushed(), DELETED, DECOY, True, "unfinished"),
        (Pushed(), DELETED, OTHER, True, "kept moved"),
        (Pushed(), DELETED, SILENT, True, "unfinished"),
        (DOUBT, FOUND_GONE, None, False, "deleted"),
        (DOUBT, WAS_GONE, None, True, "timeout"),
        (Pushed(), BROKEN, DECOY, True, "unfinished"),
        (Pushed(), BROKEN, None, True, "kept unreadable"),
        (Pushed(), REFUSED, None, True, "refused"),
    ],
)
def test_a_tag_that_led_nowhere(
    answered: Pushed | FailedChange,
    deleted: Removal | Failure,
    held: Digest | Failure | None,
    expected: str,
    *,
    listed: bool,
) -> None:
    """It is deleted where the list has it no more; what leads somewhere by then stays."""
    names = {"a", "keep"} if listed else {"keep"}
    removal = DecoyRemoval(DECOY, deleted, names, {"a": look(None, held, listed=listed)})

    outcome = dangling_outcome(NOWHERE, answered, names, removal)

    assert word(outcome).removesuffix(" unfinished") == expected
    assert not isinstance(outcome, Deleted) or outcome.for_good


@pytest.mark.parametrize(
    ("answered", "names", "expected"),
    [
        (DELETED, {"keep"}, "deleted"),
        (FOUND_GONE, {"keep"}, "deleted"),
        (WAS_GONE, {"keep"}, "absent"),
        (DOUBT, {"keep"}, "deleted"),
        (NO, {"keep"}, "absent"),
        (DELETED, {"a"}, "kept unreadable"),
        (TROUBLE, {"a"}, "kept unreadable"),
        (NO, {"a"}, "refused"),
        (DOUBT, {"a"}, "timeout"),
        (FailedChange(CIRCUIT_OPEN, Effect.NONE), {"a"}, "not-attempted"),
        (FailedChange(CIRCUIT_OPEN, Effect.OPEN), {"a"}, "timeout"),
        (DELETED, SILENT, "unconfirmed"),
        (NO, SILENT, "unconfirmed"),
    ],
)
def test_a_tag_that_led_nowhere_and_was_deleted_itself(
    answered: Removal | FailedChange, names: set[str] | Failure, expected: str
) -> None:
    """Without a decoy the list alone tells, and a refusal that the list belies was somebody else's deed."""
    outcome = dangling_outcome(NOWHERE, answered, names, None)

    assert word(outcome) == expected
    assert isinstance(outcome, Gone) is (expected == "absent")


@pytest.mark.parametrize(
    ("held", "deleted", "expected"),
    [
        (DECOY, DELETED, True),
        (DECOY, FOUND_GONE, True),
        (DECOY, REFUSED, False),
        (None, DELETED, True),
        (None, FOUND_GONE, False),
        (None, WAS_GONE, False),
        (WAS, DELETED, False),
        (OTHER, DELETED, False),
        (SILENT, DELETED, False),
    ],
)
def test_what_is_waited_for(held: Digest | Failure | None, deleted: Removal | Failure, *, expected: bool) -> None:
    """A registry is waited for where it may be at work still: not where it refused, or stopped half-way."""
    assert lingers(look(WAS, held), deleted) is expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (GONE, False),
        (TagLook(TagState.DANGLING), True),
        (TagLook(TagState.DANGLING, DECOY), False),
        (TagLook(TagState.UNKNOWN, SILENT), False),
    ],
)
def test_what_a_later_list_tells(seen: TagLook, *, expected: bool) -> None:
    """Only a tag that is listed, or may be, and holds nothing is left to a later list."""
    assert stays_listed(seen) is expected


@pytest.mark.parametrize(
    ("held", "expected"), [(DECOY, True), (SILENT, True), (WAS, False), (OTHER, False), (None, False)]
)
def test_a_decoy_that_is_left(held: Digest | Failure | None, *, expected: bool) -> None:
    """A tag that holds the decoy, or may hold it, is unfinished whatever the code, so that a resume goes on."""
    failure = stuck(APP, "a", DECOY, held)

    assert (failure is not None) is expected
    assert failure is None or failure.code is FailureCode.UNFINISHED
