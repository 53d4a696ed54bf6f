"""A listing page by page: whole, or an error, and in bounds."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import ProtocolError
from bulkrm.model.reference import Repository
from bulkrm.protocol import message
from bulkrm.protocol.listing import progress as listing
from bulkrm.protocol.listing.pages import Page
from bulkrm.protocol.listing.progress import Listing
from bulkrm.protocol.message import PAGE

APP = Repository("registry.example", "team/app")
TAGS = "/v2/team/app/tags/list"


def started() -> Listing:
    """The listing of the tags of team/app, before its first page."""
    return Listing(message.list_tags(APP), 0.0)


def page(*names: str, then: str | None = None) -> Page:
    """A page of these names."""
    return Page(names, None if then is None else f"{TAGS}?{then}", len(names), names[-1] if names else None)


def full(size: int = PAGE) -> Page:
    """A full page without a Link."""
    return page(*(f"t{number:04}" for number in range(size)))


def test_one_page() -> None:
    """A page that is not full, without a Link, is all there is."""
    tags = started()

    assert not tags.take(page("a", "b"), 10, 0.0)
    assert tags.names == ("a", "b")


def test_links() -> None:
    """Links are followed to the end, empty pages in between too, and each name is listed once."""
    tags = started()

    assert tags.take(page("a", then="last=a"), 10, 0.0)
    assert tags.request.target == f"{TAGS}?last=a"
    assert tags.take(page(then="p=3"), 10, 0.0)
    assert not tags.take(page("a", "b"), 10, 0.0)
    assert tags.names == ("a", "b")


def test_a_full_page_without_a_link() -> None:
    """A full page without a Link may not be the last one: the next is asked for by its last entry."""
    tags = started()

    assert tags.take(full(), 10, 0.0)
    assert tags.request.target == f"{TAGS}?n={PAGE}&last=t{PAGE - 1:04}"
    assert not tags.take(full(), 10, 0.0)


def test_a_full_page_of_no_names() -> None:
    """A full page whose entries are no tags is followed by its last entry, and is an error where that is null."""
    tags = started()

    assert tags.take(Page((), None, PAGE, "sha256:x"), 10, 0.0)
    assert tags.request.target == f"{TAGS}?n={PAGE}&last=sha256%3Ax"
    with pytest.raises(ProtocolError):
        started().take(Page((), None, PAGE, None), 10, 0.0)


def test_smaller_pages() -> None:
    """Where the page size is refused less is asked for, then no size; and then any page is followed by its last name."""
    tags = started()

    assert tags.ask_for_less()
    assert tags.request.target == f"{TAGS}?n=100"
    assert tags.ask_for_less()
    assert tags.request.target == TAGS
    assert not tags.ask_for_less()
    assert tags.take(page("a", "b"), 10, 0.0)
    assert tags.request.target == f"{TAGS}?last=b"
    assert tags.take(page("c"), 10, 0.0)
    assert tags.request.target == f"{TAGS}?last=c"
    assert not tags.take(page(), 10, 0.0)
    assert tags.names == ("a", "b", "c")


def test_without_a_size_and_all_at_once() -> None:
    """A registry that knows no pages sends all again, which ends it."""
    tags = started()
    tags.ask_for_less()
    tags.ask_for_less()

    assert tags.take(page("a", "b"), 10, 0.0)
    assert not tags.take(page("a", "b"), 10, 0.0)


def test_without_a_size_and_with_links() -> None:
    """Where a Link came, the page without one is the last."""
    tags = started()
    tags.ask_for_less()
    tags.ask_for_less()

    assert tags.take(page("a", then="last=a"), 10, 0.0)
    assert not tags.take(page("b"), 10, 0.0)


def test_a_full_smaller_page() -> None:
    """A page is full when it has what was asked for."""
    tags = started()
    tags.ask_for_less()

    assert tags.take(full(100), 10, 0.0)
    assert tags.request.target == f"{TAGS}?n=100&last=t0099"


def test_referrers_have_no_size() -> None:
    """The page of referrers without a Link is the last one: they cannot be asked for by a last name."""
    found = Listing(message.list_referrers(APP, Digest.of(b"")), 0.0)

    assert not found.ask_for_less()
    assert not found.take(page("a"), 10, 0.0)


@pytest.mark.parametrize("then", ["n=1000", "last=a&n=2", "n=2&last=a"])
def test_a_circle(then: str) -> None:
    """A page that was asked for before, in whatever order, is an error."""
    tags = started()
    assert tags.take(page("a", then="n=2&last=a"), 10, 0.0)

    with pytest.raises(ProtocolError, match="circle"):
        tags.take(page("b", then=then), 10, 0.0)


def test_bytes_add_up() -> None:
    """All pages together have at most 64 MiB; of the last one only what is left is read."""
    tags = started()
    assert tags.take(page("a", then="p=2"), 30 * 2**20, 0.0)
    assert tags.request.max_body == 32 * 2**20
    assert tags.take(page("b", then="p=3"), 30 * 2**20, 0.0)
    assert tags.request.max_body == 4 * 2**20

    with pytest.raises(ProtocolError, match="MiB"):
        tags.take(page("c", then="p=4"), 4 * 2**20, 0.0)


def test_names_add_up() -> None:
    """All pages together have at most a million names, also where the last page brings one too many."""
    tags = started()
    assert tags.take(page(*map(str, range(1_000_000)), then="p=2"), 1, 0.0)

    with pytest.raises(ProtocolError, match="names"):
        tags.take(page("one-more"), 1, 0.0)


def test_nothing_new_for_too_long() -> None:
    """Pages that bring nothing new end after ten minutes."""
    tags = started()
    assert tags.take(page("a", then="p=2"), 1, 0.0)
    assert tags.take(page("a", then="p=3"), 1, 599.0)

    with pytest.raises(ProtocolError, match="10 minutes"):
        tags.take(page("a", then="p=4"), 1, 601.0)


def endless(names: int, seconds: float) -> None:
    """Follow ever new Links: pages with the same names, or each with another, that take so many seconds each."""
    tags = started()
    for number in range(listing.MAX_PAGES):
        tags.take(page(f"t{number % names}", then=f"p={number}"), 1, number * seconds)


@pytest.mark.parametrize(
    ("names", "seconds", "expected"), [(1, 0.0, "10,000 pages"), (10_000, 0.0, "pages"), (10_000, 500.0, "2 hours")]
)
def test_ever_new_pages(names: int, seconds: float, expected: str) -> None:
    """Pages with ever new Links end after so many of them, or two hours."""
    with pytest.raises(ProtocolError, match=expected):
        endless(names, seconds)
