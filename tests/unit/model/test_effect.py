"""What answers to a deletion prove, and how far that reaches."""

import pytest

from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal, place_of, removal_of


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
