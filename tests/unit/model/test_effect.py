"""What answers to a deletion prove, and what a tag is that was to go."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal, TagState, place_of, removal_of, tag_state
from bulkrm.model.result.failure import Failure, FailureCode

OURS, OTHER, DECOY = (Digest.of(name) for name in (b"ours", b"other", b"decoy"))
UNREAD = Failure(FailureCode.TIMEOUT, "no answer")


@pytest.mark.parametrize(
    ("status", "earlier", "expected"),
    [
        (202, False, Removal.FOUND_GONE),
        (200, False, Removal.FOUND_GONE),
        (500, False, Removal.FOUND_GONE),
        (404, True, Removal.FOUND_GONE),
        (404, False, Removal.WAS_GONE),
    ],
)
def test_removals(status: int, expected: Removal, *, earlier: bool) -> None:
    """Of what a look finds gone, a 404 is somebody else's doing only if nothing was sent before."""
    assert removal_of(status, earlier=earlier) is expected


@pytest.mark.parametrize(
    ("held", "listed", "expected", "remains"),
    [
        (None, False, TagState.GONE, False),
        (None, True, TagState.DANGLING, True),
        (OURS, True, TagState.SERVES, True),
        (OURS, False, TagState.SERVES, True),
        (OTHER, True, TagState.MOVED, False),
        (DECOY, True, TagState.DANGLING, True),
        (UNREAD, True, TagState.UNKNOWN, False),
        (UNREAD, False, TagState.UNKNOWN, False),
    ],
)
def test_tags(held: Digest | Failure | None, expected: TagState, *, listed: bool, remains: bool) -> None:
    """A tag is gone if nothing answers under it and no list has it, and what cannot be read is not known."""
    state = tag_state(OURS, held, listed=listed, decoys={DECOY})

    assert (state, state.remains) == (expected, remains)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (("r.example", "a/b"), ("r.example", "a/c/d"), True),
        (("r.example", "a"), ("r.example", "a/c"), True),
        (("r.example", "a/b"), ("r.example", "b/b"), False),
        (("r.example", "a/b"), ("s.example", "a/b"), False),
    ],
)
def test_places(one: tuple[str, str], two: tuple[str, str], *, same: bool) -> None:
    """A place is a host and the first component of a path."""
    assert (place_of(Repository(*one)) == place_of(Repository(*two))) is same
