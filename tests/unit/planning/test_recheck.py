"""The second judgement: only what both judgements delete is deleted."""

from bulkrm.model.manifests.manifest import Absent, Unresolved
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.settings import Shared
from bulkrm.planning.recheck import Rechecked, recheck
from tests.unit.planning.test_guards import APP, ONE, TWO, facts, plan, target

LOST = Failure(FailureCode.TIMEOUT, "no answer")
OLD = tuple(plan(facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE})).deletions)


def test_nothing_changed() -> None:
    """What both judgements delete stays as it is."""
    fresh = plan(facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE}))

    assert recheck(OLD, fresh) == Rechecked(OLD, ())


def test_a_new_tag() -> None:
    """A tag that was put on the manifest meanwhile keeps it, for all its targets."""
    result = recheck(OLD, plan(facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE, "new": ONE})))

    assert result.items == ()
    assert [entry.outcome for entry in result.dropped] == [Kept(KeptReason.SHARED, (f"{APP}:new",))] * 2


def test_a_new_tag_that_may_go() -> None:
    """A tag that came since keeps its digest with --shared delete too: the first judgement did not know of it."""
    fresh = plan(facts([("a", ONE), ("b", ONE)], {"a": ONE, "b": ONE, "new": ONE}), policy=Shared.DELETE)

    result = recheck(OLD, fresh)

    assert result.items == ()
    assert [entry.outcome for entry in result.dropped] == [Kept(KeptReason.SHARED, (f"{APP}:new",))] * 2


def test_a_tag_that_moved_to_what_may_go_too() -> None:
    """A tag that leads to another manifest now is kept, although the fresh plan would delete that one."""
    result = recheck(OLD, plan(facts([("a", TWO), ("b", ONE)], {"a": TWO, "b": ONE})))

    assert [(entry.target, entry.outcome) for entry in result.dropped] == [
        (target("a"), Kept(KeptReason.MOVED, (f"{APP}@{TWO.digest}",)))
    ]
    (item,) = result.items
    assert (item.targets, item.tags, item.digest) == ((target("b"),), ("b",), ONE.digest)


def test_all_tags_moved() -> None:
    """A manifest that no target leads to any more is not deleted."""
    result = recheck(OLD, plan(facts([("a", TWO), ("b", TWO)], {"a": TWO, "b": TWO})))

    assert result.items == ()
    assert len(result.dropped) == 2


def test_what_vanished() -> None:
    """What is gone meanwhile, or cannot be read any more, has that as its outcome."""
    result = recheck(OLD, plan(facts([("a", Absent()), ("b", Unresolved(LOST))], {})))

    assert [entry.outcome for entry in result.dropped] == [Gone(), Failed(LOST)]
    assert result.items == ()


def test_only_what_was_doomed() -> None:
    """What only the fresh plan would delete is not deleted."""
    fresh = plan(facts([("a", ONE), ("b", ONE), ("c", TWO)], {"a": ONE, "b": ONE, "c": TWO}))

    assert recheck(OLD, fresh) == Rechecked(OLD, ())
