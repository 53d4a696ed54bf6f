"""What an image is whose tag was removed ahead of its manifest: each row of the table."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    Restored,
    Untagged,
    WouldDelete,
)
from bulkrm.model.target import Target
from bulkrm.planning.image_outcome import GoneAhead, MayBeGone, UnderDecoy, Unlisted, image_outcome

APP = Repository("registry.example", "team/app")
ONE = Digest.of(b"one")
LOST, IN_DOUBT, COVERED = GoneAhead(ONE, Removal.ACCEPTED), MayBeGone(ONE), UnderDecoy(ONE)
TAG, DIGEST = Target(TagRef(APP, "a"), None), Target(DigestRef(APP, ONE), None)
SHARED = Kept(KeptReason.SHARED, (f"{APP}:other",))
MOVED = Kept(KeptReason.MOVED, (f"{APP}:a@{Digest.of(b'two')}",))
REFUSED = Failed(Failure(FailureCode.REFUSED, "HTTP 409", 409, "look"))
OPEN = NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)
ALL = (Deleted(), Deleted((f"{APP}:b",)), Gone(), SHARED, MOVED, REFUSED, OPEN, WouldDelete(), Restored(), Untagged())


def word(outcome: Outcome) -> str:
    if isinstance(outcome, Failed):
        return f"failed {outcome.failure.code} {'unfinished' if outcome.failure.unfinished else ''}".rstrip()
    return str(outcome.status)


@pytest.mark.parametrize(
    ("manifest", "by_tag", "by_digest"),
    [
        (Gone(), "deleted", "deleted"),
        (SHARED, "untagged", "kept"),
        (MOVED, "kept", "kept"),
        (REFUSED, "failed refused unfinished", "failed refused unfinished"),
        (OPEN, "failed unfinished", "failed unfinished"),
        (NotAttempted(NotAttemptedReason.INTERRUPTED), "failed unfinished", "failed unfinished"),
        (Deleted(), "deleted", "deleted"),
        (WouldDelete(), "would-delete", "would-delete"),
    ],
)
def test_a_tag_that_is_gone(manifest: Outcome, by_tag: str, by_digest: str) -> None:
    """A manifest that stays without its tag leaves something to do, or is untagged where a rule keeps it."""
    assert word(image_outcome(TAG, manifest, LOST)) == by_tag
    assert word(image_outcome(DIGEST, manifest, LOST)) == by_digest


@pytest.mark.parametrize("target", [TAG, DIGEST], ids=["tag", "digest"])
@pytest.mark.parametrize("manifest", ALL)
def test_a_tag_that_was_not_removed(target: Target, manifest: Outcome) -> None:
    """The image is what its manifest is."""
    assert image_outcome(target, manifest, None) is manifest


def test_what_is_said_of_it() -> None:
    """The manifest is named, and so are both ways out; what was said of the failure stays."""
    failed, ended = image_outcome(TAG, REFUSED, LOST), image_outcome(TAG, OPEN, LOST)

    assert isinstance(failed, Failed)
    assert isinstance(ended, Failed)
    assert failed.failure.message == "HTTP 409; the tag is gone already"
    assert failed.failure.status == 409
    assert failed.failure.hint == f"look; then `bulkrm resume` deletes {APP}@{ONE}, or `bulkrm undo` puts the tag back"
    assert f"{APP}@{ONE}" in ended.failure.message
    assert image_outcome(TAG, SHARED, LOST) == Untagged(SHARED.because)


@pytest.mark.parametrize("manifest", [REFUSED, OPEN, SHARED])
@pytest.mark.parametrize(
    ("removed", "said"),
    [
        (IN_DOUBT, "the tag may be gone already"),
        (COVERED, "the tag may be gone already, or hold an empty index of bulkrm's"),
    ],
)
def test_a_tag_that_may_be_gone(manifest: Outcome, removed: MayBeGone | UnderDecoy, said: str) -> None:
    """An image whose manifest stays is unfinished, and nobody says that its tag is gone, nor that it is there."""
    outcome = image_outcome(TAG, manifest, removed)

    assert isinstance(outcome, Failed)
    assert outcome.failure.unfinished or outcome.failure.code is FailureCode.UNFINISHED
    assert outcome.failure.message.endswith(said)


@pytest.mark.parametrize("removed", [IN_DOUBT, COVERED])
@pytest.mark.parametrize(
    ("manifest", "expected"),
    [(Gone(), "deleted"), (Deleted(), "deleted"), (MOVED, "kept"), (WouldDelete(), "would-delete")],
)
def test_a_manifest_that_tells_of_its_tag(manifest: Outcome, removed: MayBeGone | UnderDecoy, expected: str) -> None:
    """Where the manifest went, or its tag was seen elsewhere, it does not matter what the removal of the tag came to."""
    assert word(image_outcome(TAG, manifest, removed)) == expected
    assert image_outcome(DIGEST, SHARED, removed) is SHARED


@pytest.mark.parametrize("target", [TAG, DIGEST])
def test_unlisted_tags_that_went_too(target: Target) -> None:
    """A failure names them, each as certain as it is; where the manifest is gone they are removed along, if they are gone."""
    others = Unlisted((f"{APP}:b",), (f"{APP}:c",))
    removed = GoneAhead(ONE, Removal.ACCEPTED, others)

    for manifest in (REFUSED, OPEN):
        outcome = image_outcome(target, manifest, removed)
        assert isinstance(outcome, Failed)
        assert f"unlisted tags that are gone already: {APP}:b" in outcome.failure.message
        assert f"unlisted tags that may be gone: {APP}:c" in outcome.failure.message
    assert image_outcome(target, Gone(), removed) == Deleted((f"{APP}:b",))
