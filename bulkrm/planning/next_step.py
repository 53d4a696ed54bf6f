"""What to do next with one image: the one place that decides when it is judged, sent, looked up and given up.

Pure: `next_step` maps what is known of an image (`Known`) to what comes next. `bulkrm.engine.execute.image_step` is the loop
that does it. The first row that holds counts; "it" is the image, and a send is one DELETE, or those of its tags:

=======================================================  ==============================================================
what is known                                            what comes next
=======================================================  ==============================================================
every target has its outcome                             `Leave`
the last send was answered, or a look found it gone,     `Record` that
or the look failed
the run is stopped, and a send may be taking effect      `Record` that it is unconfirmed
it was judged `MAX_JUDGEMENTS` times, or its sends met    `Look`, if a send may have taken effect; then `Record` what
`MAX_TROUBLES` troubles, and it has to be judged again   its last send met
the newest judgement drops some of its targets, and not  `Record` those
because of what a send of ours did
the run is stopped                                       `Leave`: it was not begun, or `resume` looks it up
something that goes before it is not over                `AwaitTurn`
it has no judgement, or an old one                       `Recheck`
it goes, and nothing is known against it                 `Send`
it does not go, and a send may have taken effect         `Look`: the judgement may have seen the effect of that send
it is dropped, or something is known against it          `Record` that
it cannot be judged any more                             `Leave`
=======================================================  ==============================================================

Why it ends: each `Recheck` is counted, each `Send` follows a `Recheck` or is the last, a `Look` follows a send and comes
once after each, and what is recorded is not recorded again.
"""

from dataclasses import dataclass, replace
from enum import Enum

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Settled
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import TROUBLE, Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason

MAX_JUDGEMENTS = 10  # times that an image is judged before it is sent; after so many the host is never ready in time
MAX_TROUBLES = 2  # of its sends that ended because the registry was in trouble for long


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is still deleted of an item (None: nothing, or that cannot be judged any more), and its settled targets."""

    item: Item | None
    dropped: tuple[Settled, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsent:
    """A change was withdrawn, so its image has to be judged again. `last_failure`: that of its last send, if it was sent."""

    last_failure: Failure | None = None


class Finding(Enum):
    """The result of a look or a send that is neither a removal nor a failure.

    `STILL_THERE`: the manifest answers. `RECORDED`: the sender has recorded the outcome of every target.
    """

    STILL_THERE = "still there"
    RECORDED = "recorded"


CameTo = Removal | Failure | Unsent | Finding  # the result of a send


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one image. Each method returns a copy that knows one thing more.

    `expected_failure`: what its request would meet. `kept_parent`: an index that was to go before it and stays.
    `last_failure`: what its last send met, where that was taken back. `is_sent`: the last send came to something.
    `unrecorded`: what a send or a look came to, until that is recorded. `judgements`, `troubles`: how many there were.
    """

    item: Item
    is_its_turn: bool = False
    is_stopped: bool = False
    judgement: Judgement | None = None
    expected_failure: Failure | None = None
    kept_parent: Digest | None = None
    effect: Effect = Effect.NONE
    last_failure: Failure | None = None
    unrecorded: Removal | Failure | None = None
    is_sent: bool = False
    is_looked_up: bool = False
    is_recorded: bool = False
    judgements: int = 0
    troubles: int = 0

    def when(self, *, is_stopped: bool) -> "Known":
        """Learn whether the run is stopped."""
        return self if self.is_stopped == is_stopped else replace(self, is_stopped=is_stopped)

    def judged(self, judgement: Judgement, expected_failure: Failure | None, kept_parent: Digest | None) -> "Known":
        """Learn of a judgement."""
        return replace(
            self,
            judgement=judgement,
            expected_failure=expected_failure,
            kept_parent=kept_parent,
            judgements=self.judgements + 1,
        )

    def came_to(self, what: CameTo, effect: Effect) -> "Known":
        """Learn what a send came to, and what all sends so far may have done."""
        known = self
        match what:
            case Unsent(failure):
                is_trouble = failure is not None and failure.code in TROUBLE
                known = replace(self, judgement=None, last_failure=failure, troubles=self.troubles + is_trouble)
            case Removal() | Failure():
                known = replace(self, unrecorded=what)
            case Finding():
                pass
        return replace(
            known,
            effect=effect,
            is_sent=not isinstance(what, Unsent),
            is_looked_up=False,
            is_recorded=what is Finding.RECORDED,
        )

    def looked_up(self, found: Removal | Failure | Finding) -> "Known":
        """Learn what a look found."""
        return replace(self, is_looked_up=True, unrecorded=None if isinstance(found, Finding) else found)

    def recorded(self, what: "Record") -> "Known":
        """Learn that something was recorded."""
        if isinstance(what.what, tuple) and self.judgement is not None and self.judgement.item is not None:
            return replace(self, judgement=Judgement(self.judgement.item))
        return replace(self, is_recorded=True, unrecorded=None)

    @property
    def newest_item(self) -> Item:
        """The item as the newest judgement leaves it, else as the plan has it."""
        return self.item if self.judgement is None or self.judgement.item is None else self.judgement.item

    @property
    def goes(self) -> bool:
        """Tell whether the newest judgement deletes it, no failure is expected, and no parent is kept."""
        may_go = self.judgement is not None and self.judgement.item is not None
        return may_go and self.expected_failure is None and self.kept_parent is None

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether a send may have taken effect that nobody has looked up yet."""
        return self.effect.may_have_acted and not self.is_looked_up

    @property
    def is_given_up(self) -> bool:
        """Tell whether it has to be judged again, and was judged or failed too often for that."""
        spent = self.judgements >= MAX_JUDGEMENTS or self.troubles >= MAX_TROUBLES
        return spent and self.judgement is None


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """Wait until every step that goes before it is over, and for the keys of its turn (`FirstAlone`)."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """Judge it by what the registry has now, unless it was judged so a short time ago."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request that deletes it, or takes its tags off."""

    item: Item


@dataclass(frozen=True, slots=True)
class Look:
    """Look up by HEAD whether a send took effect."""


@dataclass(frozen=True, slots=True)
class Record:
    """Record the outcome of its targets. A `Removal` is proved first; a tuple has the targets that the judgement dropped."""

    what: Removal | Failed | Kept | tuple[Settled, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing more. A target without an outcome becomes `not-attempted` at the end of the run."""


NextStep = AwaitTurn | Recheck | Send | Look | Record | Leave

UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)


def next_step(known: Known) -> NextStep:
    """Return what comes next, by the table above."""
    return _by_what_is_settled(known) or _by_the_newest_judgement(known)


def _by_what_is_settled(known: Known) -> NextStep | None:
    """Return what comes next for reasons that hold in a stopped run too; None: there are none."""
    if known.is_recorded:
        return Leave()
    if known.unrecorded is not None:
        return Record(Failed(known.unrecorded) if isinstance(known.unrecorded, Failure) else known.unrecorded)
    if known.is_stopped and known.effect is Effect.OPEN:
        return Record(Failed(UNCONFIRMED))
    if known.is_given_up:
        return Look() if known.is_in_doubt else Record(Failed(known.last_failure or _never_in_time(known.item)))
    if known.judgement is not None and known.judgement.dropped and (known.goes or not known.is_in_doubt):
        return Record(known.judgement.dropped)
    return None


def _by_the_newest_judgement(known: Known) -> NextStep:
    if known.is_stopped:
        return Leave()
    if not known.is_its_turn:
        return AwaitTurn()
    if known.judgement is None:
        return Recheck()
    if known.goes:
        return Send(known.newest_item)
    return Look() if known.is_in_doubt else _of_what_stays(known, known.judgement)


def _of_what_stays(known: Known, judgement: Judgement) -> Record | Leave:
    if known.expected_failure is not None:
        return Record(Failed(known.expected_failure))
    if judgement.item is not None and known.kept_parent is not None:
        return Record(Kept(KeptReason.NEEDED, (f"{known.item.repository}@{known.kept_parent}",)))
    return Leave()


def _never_in_time(item: Item) -> Failure:
    what = f"{item.repository} was read {MAX_JUDGEMENTS} times, and each time it took too long until this could be sent"
    return Failure(FailureCode.TIMEOUT, what, None, "run again when the registry is less busy")
