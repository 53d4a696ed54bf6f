"""What the delete phase records, and which manifests went by that."""

import pytest

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import ignore
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository, TagRef
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
)
from bulkrm.model.target import Source, Target
from tests.support.clock import FakeClock

APP = Repository("registry.example", "team/app")
A, B = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("ab"))
ITEM = Item(APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B), Delete(), ("a", "b"))
REMAINS = Failed(Failure(FailureCode.TAGS_REMAIN, "it stays"))


def recording(ahead: RemovedAhead | None = None, *, fail_fast: bool = False) -> tuple[ItemOutcomes, Outcomes, Stop]:
    """What records, where it records, and what a failure stops."""
    stop = Stop()
    outcomes = Outcomes(lambda _: None, lambda _: None)
    outcomes.open([A, B])
    context = RunContext(ignore, stop, FakeClock(), removed_ahead=ahead or RemovedAhead())
    return ItemOutcomes(outcomes, context, fail_fast=fail_fast), outcomes, stop


@pytest.mark.parametrize(
    ("first", "second", "gone"),
    [
        (Deleted(), Deleted(), True),
        (Gone(), Gone(), True),
        (Deleted(), REMAINS, False),
        (REMAINS, Deleted(), False),
        (Deleted(), Kept(KeptReason.MOVED), False),
    ],
)
def test_what_went(first: Outcome, second: Outcome, *, gone: bool) -> None:
    """A manifest went if no tag of it stays: what waits for it may go only then."""
    recorded, _, _ = recording()
    assert not recorded.is_gone(APP, ITEM.digest)
    recorded.conclude(ITEM, (A,), first)
    recorded.conclude(ITEM, (B,), second)

    assert recorded.is_gone(APP, ITEM.digest) is gone


def test_what_is_told_of_a_tag_alone() -> None:
    """A tag that is left alone says nothing of the manifest that it held."""
    recorded, _, _ = recording()
    recorded.record(ITEM, (A,), Kept(KeptReason.MOVED))
    recorded.conclude(ITEM, recorded.open_targets(ITEM), Deleted())

    assert recorded.is_gone(APP, ITEM.digest)


def test_each_target_has_one_outcome() -> None:
    """What has its outcome keeps it; to record a second one is a bug, unless only the open ones are meant."""
    recorded, outcomes, _ = recording()
    recorded.record(ITEM, (A,), Kept(KeptReason.MOVED))
    recorded.record_open(ITEM, (A, B), Deleted())

    assert (outcomes.outcome(A), outcomes.outcome(B)) == (Kept(KeptReason.MOVED), Deleted())
    assert recorded.open_targets(ITEM) == ()
    with pytest.raises(RuntimeError):
        recorded.record(ITEM, (A,), Deleted())


def test_a_tag_that_was_removed_ahead() -> None:
    """An image whose tag is gone is unfinished where its manifest stays; one whose tag is there is what its manifest is."""
    ahead = RemovedAhead()
    ahead.add(APP, "a", ITEM.digest, Removal.ACCEPTED)
    recorded, outcomes, _ = recording(ahead)
    recorded.conclude(ITEM, (A, B), REMAINS)

    lost = outcomes.outcome(A)
    assert isinstance(lost, Failed)
    assert (lost.failure.code, lost.failure.unfinished) == (FailureCode.TAGS_REMAIN, True)
    assert outcomes.outcome(B) == REMAINS


@pytest.mark.parametrize("outcome", [REMAINS, NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)])
@pytest.mark.parametrize("fail_fast", [True, False])
def test_fail_fast(outcome: Outcome, *, fail_fast: bool) -> None:
    """The first image that fails or is not attempted stops the run where the user wants that, and nothing else does."""
    recorded, _, stop = recording(fail_fast=fail_fast)
    recorded.conclude(ITEM, (A,), Deleted())
    assert not stop
    recorded.conclude(ITEM, (B,), outcome)

    assert stop.reason is (NotAttemptedReason.FAIL_FAST if fail_fast else None)
