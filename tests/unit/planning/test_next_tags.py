"""What to do next with the tags of one image ahead of its manifest: each row of the table, and that it comes to an end."""

from dataclasses import replace

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.model.target import Source, Target
from bulkrm.planning.image_state import MAX_JUDGEMENTS, Judgement
from bulkrm.planning.next_step import Leave
from bulkrm.planning.next_tags import KnownTags, NextTags, RecheckTags, RecordDropped, SendTags, next_tags

APP = Repository("registry.example", "team/app")
A, B = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("ab"))
ITEM = Item(APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B), Delete(), ("a", "b", "c"))
LEFT = replace(ITEM, targets=(A,))
MOVED = (Settled(B, Kept(KeptReason.MOVED)),)
DISABLED = Failure(FailureCode.DELETION_DISABLED, "HTTP 405", 405)

NEW = KnownTags()
GOES = NEW.judged(Judgement(ITEM), ())
PARTLY = NEW.judged(Judgement(LEFT, MOVED), ())
DROPPED = NEW.judged(Judgement(None, MOVED), ())
UNTOLD = NEW.judged(Judgement(None), ())
OLD = GOES.sent(["a"])


def stopped(known: KnownTags) -> KnownTags:
    return known.when(is_stopped=True, expected_failure=None)


def barred(known: KnownTags) -> KnownTags:
    return known.when(is_stopped=False, expected_failure=DISABLED)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (NEW, RecheckTags()),
        (GOES, SendTags(ITEM, ("a", "b", "c"))),
        (NEW.judged(Judgement(ITEM), {"b"}), SendTags(ITEM, ("a", "c"))),
        (NEW.judged(Judgement(ITEM), {"a", "b", "c"}), Leave()),
        # the newest judgement drops some or all of it, or cannot be made
        (PARTLY, RecordDropped(MOVED)),
        (PARTLY.recorded(), SendTags(LEFT, ("a", "b", "c"))),
        (DROPPED, RecordDropped(MOVED)),
        (DROPPED.recorded(), Leave()),
        (UNTOLD, Leave()),
        # its tags were tried
        (GOES.sent(["a", "b", "c"]), Leave()),
        (OLD, RecheckTags()),
        (OLD.judged(Judgement(ITEM), ()), SendTags(ITEM, ("b", "c"))),
        (OLD.judged(Judgement(ITEM), {"c"}), SendTags(ITEM, ("b",))),
        (OLD.judged(Judgement(None, MOVED), ()), RecordDropped(MOVED)),
        (GOES.sent([]), RecheckTags()),
        # often enough
        (replace(OLD, judgements=MAX_JUDGEMENTS), Leave()),
        (replace(GOES, judgements=MAX_JUDGEMENTS), SendTags(ITEM, ("a", "b", "c"))),
        # the run is stopped, or no tag of the repository goes ahead
        (stopped(NEW), Leave()),
        (stopped(GOES), Leave()),
        (stopped(OLD), Leave()),
        (stopped(PARTLY), RecordDropped(MOVED)),
        (stopped(PARTLY).recorded(), Leave()),
        (barred(NEW), Leave()),
        (barred(GOES), Leave()),
        (barred(PARTLY), RecordDropped(MOVED)),
    ],
)
def test_what_comes_next(known: KnownTags, expected: NextTags) -> None:
    """The first row of the table that holds."""
    assert next_tags(known) == expected


def test_it_ends() -> None:
    """A repository whose readings are always too old by the time of the first tag is judged a bounded number of times."""
    known, judged = NEW, 0
    while True:
        match next_tags(known):
            case RecheckTags():
                known, judged = known.judged(Judgement(ITEM), ()), judged + 1
            case SendTags():
                known = known.sent(())
            case Leave():
                break
            case RecordDropped():
                known = known.recorded()

    assert judged == MAX_JUDGEMENTS


def test_nothing_new() -> None:
    """What is known already makes no copy."""
    assert NEW.when(is_stopped=False, expected_failure=None) is NEW
