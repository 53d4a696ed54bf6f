"""What to do next with one image: each row of the table, and that it comes to an end whatever happens."""

from dataclasses import replace

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.target import Source, Target
from bulkrm.planning.next_step import (
    MAX_JUDGEMENTS,
    MAX_TROUBLES,
    UNCONFIRMED,
    AwaitTurn,
    Finding,
    Judgement,
    Known,
    Leave,
    Look,
    NextStep,
    Recheck,
    Record,
    Send,
    Unsent,
    next_step,
)

APP = Repository("registry.example", "team/app")
A, B = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("ab"))
ITEM = Item(APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B), Delete(), ("a", "b"))
LEFT = replace(ITEM, targets=(A,))
MOVED = (Settled(B, Kept(KeptReason.MOVED)),)
ALL_MOVED = (Settled(A, Kept(KeptReason.MOVED)), *MOVED)
INDEX = Digest.of(b"an index")
REFUSED = Failure(FailureCode.NOT_PERMITTED, "HTTP 403", 403)
BROKEN = Failure(FailureCode.SERVER_ERROR, "HTTP 502", 502)

NEW = Known(ITEM)
ITS_TURN = replace(NEW, is_its_turn=True)
GOES = ITS_TURN.judged(Judgement(ITEM), None, None)
PARTLY = ITS_TURN.judged(Judgement(LEFT, MOVED), None, None)
DROPPED = ITS_TURN.judged(Judgement(None, ALL_MOVED), None, None)
BARRED = ITS_TURN.judged(Judgement(ITEM), REFUSED, None)
NEEDED = ITS_TURN.judged(Judgement(ITEM), None, INDEX)
UNTOLD = ITS_TURN.judged(Judgement(None), None, None)
SILENT = GOES.came_to(Unsent(BROKEN), Effect.OPEN)
LIMITED = GOES.came_to(Unsent(), Effect.OVER)
IN_TROUBLE = SILENT.judged(Judgement(ITEM), None, None).came_to(Unsent(BROKEN), Effect.OPEN)
NEVER = replace(LIMITED, judgements=MAX_JUDGEMENTS)


def stopped(known: Known) -> Known:
    return known.when(is_stopped=True)


def after(known: Known, effect: Effect) -> Known:
    """What is known if earlier sends may have done this."""
    return replace(known, effect=effect)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # until it is sent
        (NEW, AwaitTurn()),
        (ITS_TURN, Recheck()),
        (GOES, Send(ITEM)),
        (after(GOES, Effect.OPEN), Send(ITEM)),
        (PARTLY, Record(MOVED)),
        (PARTLY.recorded(Record(MOVED)), Send(LEFT)),
        (after(PARTLY, Effect.OPEN), Record(MOVED)),
        # it does not go
        (DROPPED, Record(ALL_MOVED)),
        (DROPPED.recorded(Record(ALL_MOVED)), Leave()),
        (BARRED, Record(Failed(REFUSED))),
        (NEEDED, Record(Kept(KeptReason.NEEDED, (f"{APP}@{INDEX}",)))),
        (UNTOLD, Leave()),
        (replace(UNTOLD, expected_failure=BROKEN), Record(Failed(BROKEN))),
        # it does not go, and this run may be why
        (after(DROPPED, Effect.OPEN), Look()),
        (after(DROPPED, Effect.OVER), Look()),
        (after(BARRED, Effect.OPEN), Look()),
        (after(NEEDED, Effect.OPEN), Look()),
        (after(UNTOLD, Effect.OVER), Look()),
        (after(DROPPED, Effect.OPEN).looked_up(Removal.FOUND_GONE), Record(Removal.FOUND_GONE)),
        (after(DROPPED, Effect.OPEN).looked_up(BROKEN), Record(Failed(BROKEN))),
        (after(DROPPED, Effect.OPEN).looked_up(Finding.STILL_THERE), Record(ALL_MOVED)),
        (after(BARRED, Effect.OPEN).looked_up(Finding.STILL_THERE), Record(Failed(REFUSED))),
        # it was sent
        (GOES.came_to(Removal.DELETED, Effect.OPEN), Record(Removal.DELETED)),
        (GOES.came_to(REFUSED, Effect.NONE), Record(Failed(REFUSED))),
        (GOES.came_to(Finding.RECORDED, Effect.NONE), Leave()),
        (SILENT, Recheck()),
        (LIMITED, Recheck()),
        (GOES.came_to(Unsent(), Effect.NONE), Recheck()),
        # often enough
        (IN_TROUBLE, Look()),
        (IN_TROUBLE.looked_up(Removal.FOUND_GONE), Record(Removal.FOUND_GONE)),
        (IN_TROUBLE.looked_up(Finding.STILL_THERE), Record(Failed(BROKEN))),
        (after(IN_TROUBLE, Effect.NONE), Record(Failed(BROKEN))),
        (NEVER, Look()),
        (replace(GOES, judgements=MAX_JUDGEMENTS), Send(ITEM)),
        # the run is stopped
        (stopped(NEW), Leave()),
        (stopped(ITS_TURN), Leave()),
        (stopped(GOES), Leave()),
        (stopped(BARRED), Leave()),
        (stopped(PARTLY), Record(MOVED)),
        (stopped(PARTLY.recorded(Record(MOVED))), Leave()),
        (stopped(DROPPED), Record(ALL_MOVED)),
        (stopped(LIMITED), Leave()),
        (stopped(SILENT), Record(Failed(UNCONFIRMED))),
        (stopped(IN_TROUBLE), Record(Failed(UNCONFIRMED))),
        (stopped(GOES.came_to(Removal.DELETED, Effect.OPEN)), Record(Removal.DELETED)),
        (stopped(GOES.came_to(REFUSED, Effect.NONE)), Record(Failed(REFUSED))),
        (stopped(after(DROPPED, Effect.OPEN).looked_up(Removal.FOUND_GONE)), Record(Removal.FOUND_GONE)),
    ],
)
def test_each_row(known: Known, expected: NextStep) -> None:
    """What is known decides alone what comes next."""
    assert next_step(known) == expected


def test_who_never_gets_to_send() -> None:
    """An image that was judged so often, and was never sent in time, fails with that."""
    step = next_step(after(NEVER, Effect.NONE))

    assert isinstance(step, Record)
    assert isinstance(step.what, Failed)
    assert step.what.failure.code is FailureCode.TIMEOUT
    assert str(MAX_JUDGEMENTS) in step.what.failure.message


def test_what_counts_as_trouble() -> None:
    """A limit or a missing right is no trouble of the host's: it is judged again as often as any other."""
    known = GOES
    for _ in range(MAX_TROUBLES):
        known = known.came_to(Unsent(REFUSED), Effect.NONE).judged(Judgement(ITEM), None, None)

    assert next_step(known) == Send(ITEM)


def test_a_new_send_has_to_be_looked_up_anew() -> None:
    """What a look found says nothing of a send after it."""
    known = after(DROPPED, Effect.OPEN).looked_up(Finding.STILL_THERE)

    assert next_step(known.came_to(Unsent(), Effect.OPEN).judged(Judgement(None, ALL_MOVED), None, None)) == Look()
