"""What the targets of an image are told, by what was seen of its tags."""

from collections.abc import Mapping

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Untag, Verdict
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, Outcome, Untagged
from bulkrm.model.target import Target
from bulkrm.planning.removal_outcomes import naming_unlisted, outcomes
from bulkrm.planning.tag_state import GONE, TagLook, TagState

APP = Repository("r.example", "app")
DIGEST, OTHER = Digest.of(b"one"), Digest.of(b"two")
A, B = (Target(TagRef(APP, tag), None) for tag in "ab")
BY_DIGEST = Target(DigestRef(APP, DIGEST), None)
SERVES, DANGLING = TagLook(TagState.SERVES, DIGEST), TagLook(TagState.DANGLING)
MOVED, UNKNOWN = TagLook(TagState.MOVED, OTHER), TagLook(TagState.UNKNOWN, Failure(FailureCode.TIMEOUT, "no answer"))


def item(*targets: Target, verdict: Verdict | None = None) -> Item:
    """An image with the tags a, b and c."""
    resolved = Resolved(DIGEST, OCI_MANIFEST, 3)
    return Item(APP, resolved, targets or (A, B), verdict or Delete((f"{APP}:c",)), ("a", "b", "c"))


def word(outcome: Outcome) -> str:
    if isinstance(outcome, Failed):
        return outcome.failure.code.value
    return "moved" if isinstance(outcome, Kept) else outcome.status.value


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ({}, ["deleted", "deleted"]),
        ({"a": GONE}, ["deleted", "deleted"]),
        ({"a": DANGLING}, ["unfinished", "deleted"]),
        ({"a": SERVES}, ["tags-remain", "deleted"]),
        ({"a": MOVED}, ["moved", "deleted"]),
        ({"a": UNKNOWN}, ["unconfirmed", "deleted"]),
        ({"a": TagLook(TagState.UNPROVED)}, ["unconfirmed", "deleted"]),
        ({"a": MOVED, "b": DANGLING}, ["moved", "unfinished"]),
        ({"c": DANGLING}, ["unfinished", "unfinished"]),
        ({"c": SERVES}, ["tags-remain", "tags-remain"]),
        ({"c": MOVED}, ["deleted", "deleted"]),
        ({"c": UNKNOWN}, ["unconfirmed", "unconfirmed"]),
    ],
)
def test_each_tag_answers_for_itself(looks: Mapping[str, TagLook], expected: list[str]) -> None:
    """A listed tag is told what became of it; an unlisted one that lives on keeps all of them from being deleted."""
    told = list(outcomes(item(), Removal.FOUND_GONE, looks))

    assert [target for target, _ in told] == [A, B]
    assert [word(outcome) for _, outcome in told] == expected


@pytest.mark.parametrize(("look", "also"), [(GONE, (f"{APP}:c",)), (MOVED, ())])
def test_also_removed(look: TagLook, also: tuple[str, ...]) -> None:
    """An unlisted tag that somebody pushed anew was not removed."""
    (told,) = outcomes(item(A), Removal.ACCEPTED, {"c": look})

    assert told == (A, Deleted(also))


@pytest.mark.parametrize(("look", "expected"), [(GONE, "absent"), (MOVED, "moved"), (SERVES, "tags-remain")])
def test_what_somebody_else_deleted(look: TagLook, expected: str) -> None:
    """It is absent only if its tag is."""
    (told,) = outcomes(item(A, verdict=Delete()), Removal.WAS_GONE, {"a": look})

    assert word(told[1]) == expected
    assert expected != "absent" or told[1] == Gone()


def test_a_digest_is_gone_with_all_its_tags() -> None:
    """A target without a tag hears of any tag that is left."""
    for looks, expected in (({}, "deleted"), ({"b": DANGLING}, "unfinished"), ({"b": MOVED}, "deleted")):
        (told,) = outcomes(item(BY_DIGEST, verdict=Delete()), Removal.ACCEPTED, looks)

        assert word(told[1]) == expected


def test_untagging() -> None:
    """A tag that was to be taken off is untagged if it is gone."""
    untag = Untag((f"{APP}:c",))
    for look, expected in ((GONE, Untagged(untag.remaining_tags)), (DANGLING, None)):
        (told,) = outcomes(item(A, verdict=untag), Removal.FOUND_GONE, {"a": look})

        assert told[1] == expected if expected else word(told[1]) == "unfinished"


def test_what_is_left_is_unfinished() -> None:
    """Whatever the code: the run can be gone on with, and a hint says how."""
    for look in (DANGLING, SERVES):
        (told,) = outcomes(item(A), Removal.ACCEPTED, {"a": look})

        assert isinstance(told[1], Failed)
        assert told[1].failure.unfinished
        assert "bulkrm" in (told[1].failure.hint or "")


UNCONFIRMED = Failed(Failure(FailureCode.UNCONFIRMED, "no answer"))


def test_unlisted_tags_of_an_image_that_may_be_gone_are_named() -> None:
    """No other line of the report tells of them; where the image is there, or no other tag is on it, nothing is added."""
    told = naming_unlisted(item(), UNCONFIRMED)

    assert isinstance(told, Failed)
    assert told.failure.message == f"no answer; unlisted tags that may be gone: {APP}:c"
    refused = Failed(Failure(FailureCode.NOT_PERMITTED, "HTTP 403"))
    assert naming_unlisted(item(), refused) is refused
    for verdict in (Delete(), Delete(None), Untag((f"{APP}:c",))):
        assert naming_unlisted(item(verdict=verdict), UNCONFIRMED) is UNCONFIRMED


@pytest.mark.parametrize(("looks", "named"), [({"a": DANGLING}, True), ({"a": DANGLING, "c": DANGLING}, False)])
def test_an_unlisted_tag_that_went_is_named_where_a_listed_one_remains(
    looks: Mapping[str, TagLook], *, named: bool
) -> None:
    """The line of a tag that is left over tells of those that are gone, since no other line does."""
    told = dict(outcomes(item(A), Removal.FOUND_GONE, looks))[A]

    assert isinstance(told, Failed)
    assert told.failure.message.endswith(f"unlisted tags that are gone: {APP}:c") is named
