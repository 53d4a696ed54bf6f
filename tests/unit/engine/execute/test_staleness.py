"""What was read grows old: when it is read again, who still goes then, and what must not be said twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.reading import Basis, Reading, Rejudged, Relisted
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import ignore
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST, Absent, Children, Resolution, Resolved, Unresolved
from bulkrm.model.plan import Item, Settled, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Kept, KeptReason, Untagged
from bulkrm.model.target import Source, Target
from bulkrm.planning.image_state import Judgement
from bulkrm.planning.recheck import Rechecked, may_affect
from bulkrm.remote.clock import Moment
from tests.support.clock import FakeClock

APP = Repository("registry.example", "team/app")
A, B, C = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("abc"))
ITEM = Item(
    APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B, C), Untag((f"{APP}:keep",)), ("a", "b", "c", "keep")
)
HOUR = 3600.0


@dataclass
class Judge:
    """Takes `c` away at first, and what `drops` says next; a reading takes so many seconds of the clock."""

    clock: FakeClock
    took: float = 0.0
    may_affect: bool = False
    drops: list[Target | None] = field(default_factory=lambda: [C])
    judged: int = 0
    listed: int = 0

    def _basis(self) -> Basis:
        began = Moment.now(self.clock)
        self.clock.skip(self.took)
        reading = Reading(began, self.took)
        return Basis(reading, Reading(began, 0.0), ("a", "b", "c", "keep"))

    def basis(self, _: Repository) -> Basis:
        return self._basis()

    async def list_again(self, _: Repository, __: Sequence[Item], basis: Basis) -> Relisted:
        self.listed += 1
        return Relisted(replace(basis, listing=Reading(Moment.now(self.clock), 0.0)), self.may_affect)

    async def judge_again(self, _: Repository, changed: Sequence[Item]) -> Rejudged:
        self.judged += 1
        (item,) = changed
        drop = self.drops.pop(0) if self.drops else None
        left = replace(item, targets=tuple(target for target in item.targets if target is not drop))
        dropped = (Settled(drop, Kept(KeptReason.MOVED)),) if drop else ()
        return Rejudged(Rechecked((left,), dropped), self._basis())


def of(judge: Judge) -> tuple[Staleness, Outcomes]:
    """What judges the item again, and the outcomes that it records."""
    outcomes = Outcomes(ignore, lambda _: None)
    outcomes.open([A, B, C])

    recorded = ItemOutcomes(outcomes, RunContext(ignore, Stop(), judge.clock), fail_fast=False)
    return Staleness([ITEM], judge, judge.clock, recorded), outcomes


def record(outcomes: Outcomes, judgement: Judgement) -> None:
    """Give what a judgement drops its outcome, as whoever asked for it does."""
    for settled in judgement.dropped:
        outcomes.record(settled.target, settled.outcome)


async def test_what_is_young_is_not_read_again() -> None:
    """Within a minute everything goes as the plan has it."""
    judge = Judge(FakeClock())
    staleness, _ = of(judge)
    assert await staleness.judge_anew_if_stale(ITEM) == Judgement(ITEM)
    judge.clock.skip(60)

    assert await staleness.judge_anew_if_stale(ITEM) == Judgement(ITEM)
    assert (judge.judged, judge.listed) == (0, 0)


async def test_what_it_drops_is_told_until_it_is_recorded() -> None:
    """What does not go any more is told until it has its outcome, and what is young enough is not judged again."""
    judge = Judge(FakeClock())
    staleness, outcomes = of(judge)
    assert not staleness.is_stale(APP)
    judge.clock.skip(61)

    first, second = await staleness.judge_anew_if_stale(ITEM), await staleness.judge_anew_if_stale(ITEM)
    record(outcomes, first)
    third = await staleness.judge_anew_if_stale(ITEM)

    assert first.item is not None
    assert first.item.targets == (A, B)
    assert first == second
    assert [settled.target for settled in first.dropped] == [C]
    assert third == replace(first, dropped=())
    assert judge.judged == 1


async def test_again_and_again() -> None:
    """It is judged again all through the deletions, and what one judgement kept no later one deletes."""
    judge = Judge(FakeClock(), drops=[C, B, None])
    staleness, _ = of(judge)
    for left in ((A, B, C), (A, B), (A,), (A,)):
        looked = await staleness.judge_anew_if_stale(ITEM)
        assert looked.item is not None
        assert looked.item.targets == left
        judge.clock.skip(61)

    assert judge.judged == 3
    assert {settled.target for settled in (await staleness.judge_anew_if_stale(ITEM)).dropped} == {B, C}


async def test_what_went_since_does_not_go_again() -> None:
    """A tag that was taken off before its image had to be judged again, by a judgement that still knows that tag."""
    judge = Judge(FakeClock())
    staleness, outcomes = of(judge)
    assert not staleness.is_stale(APP)
    judge.clock.skip(61)
    judgement = await staleness.judge_anew_if_stale(ITEM)
    assert judgement.item is not None
    record(outcomes, judgement)
    outcomes.record(A, Untagged((f"{APP}:keep",)), ITEM.resolved)

    left = await staleness.judge_anew_if_stale(judgement.item)
    outcomes.record(B, Untagged((f"{APP}:keep",)), ITEM.resolved)
    none = await staleness.judge_anew_if_stale(judgement.item)

    assert left.item is not None
    assert left.item.targets == (B,)
    assert none == Judgement(None)


@pytest.mark.parametrize("counts_sleep", [True, False])
async def test_sleep_counts(*, counts_sleep: bool) -> None:
    """A machine that slept for an hour reads again, by the clock that counts sleep or by the wall clock."""
    judge = Judge(FakeClock(counts_sleep=counts_sleep), took=90)
    staleness, _ = of(judge)
    await staleness.judge_anew_if_stale(ITEM)
    judge.clock.suspend(HOUR)

    await staleness.judge_anew_if_stale(ITEM)

    assert judge.judged == 1


@pytest.mark.parametrize(("seconds", "judged"), [(-HOUR, 0), (HOUR, 1)])
async def test_a_wall_clock_that_is_set(seconds: float, judged: int) -> None:
    """Set back it makes nothing younger; set forward it makes everything older, once."""
    judge = Judge(FakeClock(), drops=[])
    staleness, _ = of(judge)
    await staleness.judge_anew_if_stale(ITEM)
    judge.clock.set_wall(seconds)
    await staleness.judge_anew_if_stale(ITEM)
    await staleness.judge_anew_if_stale(ITEM)
    assert judge.judged == judged
    judge.clock.skip(61)

    await staleness.judge_anew_if_stale(ITEM)

    assert judge.judged == judged + 1


async def test_a_long_reading_is_good_for_longer() -> None:
    """What took 90 seconds is read whole after 450, and its list of tags each minute."""
    judge = Judge(FakeClock(), took=90, drops=[])
    staleness, _ = of(judge)
    for _ in range(111):
        await staleness.judge_anew_if_stale(ITEM)
        if judge.clock.monotonic() < 450:
            assert judge.judged == 0
        judge.clock.skip(10)

    assert judge.judged == 2
    assert judge.clock.monotonic() == 90 + 1110 + 2 * 90
    assert judge.listed <= 1200 / 60


async def test_a_new_tag_that_touches() -> None:
    """Where the list of tags has something new that matters, the repository is judged again at once."""
    judge = Judge(FakeClock(), took=90, may_affect=True)
    staleness, _ = of(judge)
    await staleness.judge_anew_if_stale(ITEM)
    assert (judge.listed, judge.judged) == (1, 1)

    looked = await staleness.judge_anew_if_stale(ITEM)

    assert looked.item is not None
    assert looked.item.targets == (A, B)


ONE, OTHER = Digest.of(b"one"), Digest.of(b"other")
UNREAD = Failure(FailureCode.SERVER_ERROR, "HTTP 500")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Resolved(ONE, OCI_MANIFEST, 3), True),
        (Resolved(OTHER, OCI_MANIFEST, 3), False),
        (Absent(), False),
        (Unresolved(UNREAD), True),
        (Resolved(OTHER, OCI_INDEX, 3), True),
        (Resolved(OTHER, OCI_INDEX, 3, Children((ONE,))), True),
        (Resolved(OTHER, OCI_INDEX, 3, Children((Digest.of(b"third"),))), False),
        (Resolved(OTHER, OCI_INDEX, 3, Children((), (Digest.of(b"third"),))), True),
    ],
)
def test_what_touches(found: Resolution, *, expected: bool) -> None:
    """A new tag matters if it leads to what goes, or to an index that names it or may, or cannot be read."""
    assert may_affect({ONE}, found) is expected
