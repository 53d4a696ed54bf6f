"""What to do next with one image: the one place that decides when it is judged, sent, looked up and given up.

Pure: `next_step` looks at what is known of the image and says what comes next. The loop that does it is
`bulkrm.engine.execute.image_step`. The first row that holds counts:

=======================================================  ==============================================================
what is known                                            what comes next
=======================================================  ==============================================================
every target has its outcome                             `Leave`
the last send was answered, or a look found it gone,     `Record` that
or could not tell
the run is stopped, and a send may be taking effect      `Record` that it is unconfirmed
it was judged too often, or its host is in trouble       `Look`, if a send may have acted; then `Record` what stood in
again and again, and it is to be judged once more        the way
the newest judgement drops some of its targets, and no   `Record` those
send explains that
the run is stopped                                       `Leave`: nobody has begun it, or whoever resumes looks it up
something that goes before it is not over                `AwaitTurn`
it has no judgement, or an old one                       `Recheck`
it goes, and nothing is known against it                 `Send`
it does not go, and a send may have acted                `Look`: the new judgement may only see what this run did
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

MAX_READINGS = 10  # times that an image is judged before it is sent; more is a host that never relents
MAX_TROUBLES = 2  # of its sends that ended because the registry was in trouble for long


@dataclass(frozen=True, slots=True)
class Judgement:
    """What still goes of an item (None: nothing, or nobody can tell any more), and what became of its other targets."""

    item: Item | None
    dropped: tuple[Settled, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsent:
    """A change was taken back: it has to be judged again. `met`: what its last send met, if it was sent."""

    met: Failure | None = None


class Finding(Enum):
    """What a look found, or a send came to, that is neither a removal nor a failure.

    `STILL_THERE`: the manifest answers. `RECORDED`: whoever did it has recorded every target.
    """

    STILL_THERE = "still there"
    RECORDED = "recorded"


CameTo = Removal | Failure | Unsent | Finding  # what a send, or a look, came to


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one image; each method returns what is known after one thing more.

    `against`: the failure that its request would meet. `staying`: an index that was to go before it and stays. `met`: what
    its last send met that was taken back. `is_sent`: the last send came to something. `answered`: what a send or a look
    came to, until that is recorded.
    """

    item: Item
    is_its_turn: bool = False
    is_stopped: bool = False
    judgement: Judgement | None = None
    against: Failure | None = None
    staying: Digest | None = None
    effect: Effect = Effect.NONE
    met: Failure | None = None
    answered: Removal | Failure | None = None
    is_sent: bool = False
    is_looked_up: bool = False
    is_recorded: bool = False
    readings: int = 0
    troubles: int = 0

    def when(self, *, is_stopped: bool) -> "Known":
        """Learn whether the run is stopped."""
        return self if self.is_stopped == is_stopped else replace(self, is_stopped=is_stopped)

    def judged(self, judgement: Judgement, against: Failure | None, staying: Digest | None) -> "Known":
        """Learn of a judgement."""
        return replace(self, judgement=judgement, against=against, staying=staying, readings=self.readings + 1)

    def came_to(self, what: CameTo, effect: Effect) -> "Known":
        """Learn what a send came to, and what all sends so far may have done."""
        judgement, met, troubles, answered = self.judgement, self.met, self.troubles, self.answered
        match what:
            case Unsent(met):
                judgement, troubles = None, troubles + (met is not None and met.code in TROUBLE)
            case Removal() | Failure():
                answered = what
            case Finding():
                pass
        return replace(
            self,
            judgement=judgement,
            effect=effect,
            met=met,
            answered=answered,
            is_sent=not isinstance(what, Unsent),
            is_looked_up=False,
            is_recorded=what is Finding.RECORDED,
            troubles=troubles,
        )

    def looked_up(self, found: Removal | Failure | Finding) -> "Known":
        """Learn what a look found."""
        return replace(self, is_looked_up=True, answered=None if isinstance(found, Finding) else found)

    def recorded(self, what: "Record") -> "Known":
        """Learn that something was recorded."""
        if isinstance(what.what, tuple) and self.judgement is not None and self.judgement.item is not None:
            return replace(self, judgement=Judgement(self.judgement.item))
        return replace(self, is_recorded=True, answered=None)

    @property
    def newest_item(self) -> Item:
        """The item as the newest judgement leaves it, else as the plan has it."""
        return self.item if self.judgement is None or self.judgement.item is None else self.judgement.item

    @property
    def goes(self) -> bool:
        """Tell whether it is to go by the newest judgement, and nothing is known against it."""
        may_go = self.judgement is not None and self.judgement.item is not None
        return may_go and self.against is None and self.staying is None

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether it has to be looked up before anything else is said of it."""
        return self.effect.may_have_acted and not self.is_looked_up

    @property
    def is_given_up(self) -> bool:
        """Tell whether it would have to be judged again, and was so often enough."""
        spent = self.readings >= MAX_READINGS or self.troubles >= MAX_TROUBLES
        return spent and self.judgement is None


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """Wait until every step that goes before it is over, and nobody else is the first to try."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """Judge it by what the registry has now, unless it was judged so a short time ago."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request that deletes it, or takes its tags off."""

    item: Item


@dataclass(frozen=True, slots=True)
class Look:
    """Look what became of a change that may have taken effect."""


@dataclass(frozen=True, slots=True)
class Record:
    """Record what became of its targets. A removal is proved first; a tuple is of those that do not go any more."""

    what: Removal | Failed | Kept | tuple[Settled, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing more. What has no outcome then gets that of the run's end: not attempted."""


NextStep = AwaitTurn | Recheck | Send | Look | Record | Leave

UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)


def next_step(known: Known) -> NextStep:
    """Say what comes next, by the table above."""
    return _by_what_is_settled(known) or _by_the_newest_judgement(known)


def _by_what_is_settled(known: Known) -> NextStep | None:
    """Say what comes next whether the run is stopped or not; None: that makes a difference."""
    if known.is_recorded:
        return Leave()
    if known.answered is not None:
        return Record(Failed(known.answered) if isinstance(known.answered, Failure) else known.answered)
    if known.is_stopped and known.effect is Effect.OPEN:
        return Record(Failed(UNCONFIRMED))
    if known.is_given_up:
        return Look() if known.is_in_doubt else Record(Failed(known.met or _never_in_time(known.item)))
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
    if known.against is not None:
        return Record(Failed(known.against))
    if judgement.item is not None and known.staying is not None:
        return Record(Kept(KeptReason.NEEDED, (f"{known.item.repository}@{known.staying}",)))
    return Leave()


def _never_in_time(item: Item) -> Failure:
    what = f"{item.repository} was read {MAX_READINGS} times, and each time it took too long until this could be sent"
    return Failure(FailureCode.TIMEOUT, what, None, "run again when the registry is less busy")
