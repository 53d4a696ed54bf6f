"""What is known against a request before it is sent, and which of several reasons is told."""

from dataclasses import dataclass, replace
from typing import cast

import pytest

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.obstacles import Obstacles
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.stop import Stop
from bulkrm.model.events import ignore
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.planning.image_state import Obstacle
from tests.support.clock import FakeClock
from tests.support.one_image import APP, ITEM, image

PARENT = image("index")
CHILD = DeleteManifest(ITEM, (PARENT.digest,))
HOST, MANIFESTS, TAGS, PLACE = (
    Failure(code, "found out before")
    for code in (FailureCode.BAD_CREDENTIALS, FailureCode.REFUSED, FailureCode.NOT_PERMITTED, FailureCode.TAGS_REMAIN)
)


@dataclass
class Remembered:
    """A gateway and a proof that were told these failures."""

    host: Failure | None = None
    deleting: Failure | None = None
    untagging: Failure | None = None
    place: Failure | None = None

    def repository(self, _: Repository) -> "Remembered":
        return self

    @property
    def known_failure(self) -> Failure | None:
        return self.host

    @property
    def known_failure_of_deleting(self) -> Failure | None:
        return self.deleting

    @property
    def known_failure_of_untagging(self) -> Failure | None:
        return self.untagging

    def expected_failure(self, _: Item) -> Failure | None:
        return self.place


def against(
    step: DeleteManifest | UntagManifest, left: Item | None, remembered: Remembered, parent: Outcome | None = None
) -> Obstacle | None:
    """What is against a step, after its parent came to this."""
    results = Outcomes(lambda _: None, lambda _: None)
    results.open(PARENT.targets)
    outcomes = ItemOutcomes(results, RunContext(ignore, Stop(), FakeClock()), fail_fast=False)
    if parent is not None:
        outcomes.conclude(PARENT, PARENT.targets, parent)
    return Obstacles(cast("Gateway", remembered), cast("Proof", remembered), outcomes).of(step, left)


def untagging(method: UntagMethod) -> Item:
    return replace(ITEM, verdict=Untag(("latest",), method))


def test_nothing_is_known() -> None:
    """Where nothing was found out, a step is sent, also one that left nothing that could be sent."""
    for step in (DeleteManifest(ITEM), UntagManifest(untagging(UntagMethod.TAG))):
        assert against(step, step.item, Remembered()) is None
        assert against(step, None, Remembered()) is None


@pytest.mark.parametrize(
    ("remembered", "expected"),
    [
        (Remembered(HOST, MANIFESTS, TAGS, PLACE), HOST),
        (Remembered(None, MANIFESTS, TAGS, PLACE), MANIFESTS),
        (Remembered(None, None, TAGS, PLACE), PLACE),
        (Remembered(None, None, TAGS, None), None),
    ],
)
def test_a_failure_that_a_deletion_would_meet(remembered: Remembered, expected: Failure | None) -> None:
    """The widest failure is told: that of the host, of deleting manifests, of the place; never that of deleting tags."""
    assert against(DeleteManifest(ITEM), ITEM, remembered) == (Failed(expected) if expected else None)


@pytest.mark.parametrize(
    ("method", "remembered", "expected"),
    [
        (UntagMethod.TAG, Remembered(HOST, MANIFESTS, TAGS, PLACE), HOST),
        (UntagMethod.TAG, Remembered(None, MANIFESTS, TAGS, PLACE), TAGS),
        (UntagMethod.TAG, Remembered(None, MANIFESTS, None, PLACE), None),
        (UntagMethod.DECOY, Remembered(None, MANIFESTS, TAGS, PLACE), None),
    ],
)
def test_a_failure_that_untagging_would_meet(
    method: UntagMethod, remembered: Remembered, expected: Failure | None
) -> None:
    """That tags cannot be deleted is no reason against a decoy, and that manifests cannot is none against either."""
    item = untagging(method)

    assert against(UntagManifest(item), item, remembered) == (Failed(expected) if expected else None)


def test_a_host_that_is_not_asked_any_more() -> None:
    """Its failure is the outcome also where nothing could be judged, and a parent is no matter then."""
    assert against(CHILD, None, Remembered(HOST)) == Failed(HOST)
    assert against(CHILD, None, Remembered(None, MANIFESTS, TAGS, PLACE)) is None


@pytest.mark.parametrize("parent", [None, Failed(MANIFESTS), Kept(KeptReason.SHARED)])
def test_a_parent_that_stays(parent: Outcome | None) -> None:
    """A manifest is kept for an index that was to go before it and has not gone, or of which nobody knows."""
    needed = Kept(KeptReason.NEEDED, (f"{APP}@{PARENT.digest}",))

    assert against(CHILD, ITEM, Remembered(), parent) == needed
    assert against(CHILD, ITEM, Remembered(place=PLACE), parent) == needed
    assert against(CHILD, ITEM, Remembered(deleting=MANIFESTS), parent) == Failed(MANIFESTS)


@pytest.mark.parametrize("parent", [Deleted(), Gone()])
def test_a_parent_that_is_gone(parent: Outcome) -> None:
    """An index that went, or was not there, holds nothing back."""
    assert against(CHILD, ITEM, Remembered(), parent) is None
