"""Changes one tag: reads it right before, and never sends a change again without reading it again.

No registry has a conditional DELETE or PUT of a tag. So a change names what the tag holds before and after it (`None`:
nothing), and the tag is read in the last moment before each send. The send is one request: the transport repeats none
of it, and takes it back where it waited for more than 5 seconds for its turn, because what was read is too old then.
After everything that would let another request be repeated (a limit, a token that ended, silence, a 5xx) the tag is
read anew, and what it holds decides:

=====================  =============================  =====================================================
the tag holds          nothing was sent yet           a send may have taken effect
=====================  =============================  =====================================================
what it held before    the change is sent             it did not, so the change is sent again
what it is to hold     `Moved`: somebody else did it  `Done`, without a clean answer
anything else          `Moved`                        `Moved`
what cannot be read    `NotSent`                      `Doubt`
=====================  =============================  =====================================================

Where a tag is deleted that led nowhere, `before` and `after` are both nothing, and reading it tells nothing of the DELETE.
Then it is sent again only behind a limit, which is a refusal; where it may have acted, the caller's look at the tag list has
to tell. A tag that led nowhere because the registry cannot read it is `damaged`: it is read whatever type its manifest has,
and damage counts as nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bulkrm.engine.plan.damaged import is_damage
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Unresolved
from bulkrm.model.plan import Item, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, Outcome, Untagged
from bulkrm.model.target import Target


def do_nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a tag that holds `before` (None: nothing), so that it holds `after` (None: nothing).

    `wanted` is asked right before each send; if False, nothing is sent. `cut_off` is called if the run ends while the change
    may be taking effect. `damaged`: the tag led nowhere, and what the registry cannot read under it counts as nothing.
    """

    repository: Repository
    tag: str
    before: Digest | None
    after: Digest | None
    wanted: Callable[[], bool]
    cut_off: Callable[[], None] = do_nothing
    damaged: bool = False

    @property
    def shows(self) -> bool:
        """Tell whether reading the tag afterwards shows whether the change took effect."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Moved:
    """The tag holds `now` (None: nothing), which is not what the change expected, and was left alone."""

    now: Digest | None


@dataclass(frozen=True, slots=True)
class Done:
    """The tag holds `after`. `by_us`: this run changed it, and nobody else.

    `clean`: a success without complaint proves it. Otherwise only a HEAD shows it, and a registry that stopped half-way may
    still list a tag that answers 404.
    """

    by_us: bool = True
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Nothing was sent, because `wanted` said no after the tag was read."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was sent: the tag could not be read, or the registry was never ready for the change in time."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Doubt(Failure):
    """The change may have taken effect. Any other failure is a refusal, by the registry or known from an earlier one."""


Changed = Done | Moved | Unwanted | NotSent | Failure


def settled_by_reading(change: Change, held: Digest | Failure | None, *, sent: bool) -> Changed | None:
    """Return the result if the reading of a tag decides it; None: the change has to be sent, or sent again."""
    if isinstance(held, Failure):
        return in_doubt(unconfirmed(held)) if sent else NotSent(held)
    if sent and held == change.after and change.shows:
        return Done(clean=False)
    if held != change.before:
        return Moved(held)
    if not change.wanted():
        return in_doubt(unconfirmed(None)) if sent else Unwanted()
    return None


def settled_by_answer(result: Done | Failure, *, sent: bool, doubtful: bool) -> Done | Failure:
    """Return the result by an answer. `sent`: an earlier send may have taken effect; `doubtful`: this one may have."""
    if isinstance(result, Failure):
        return in_doubt(result) if sent or doubtful else result
    return Done(clean=False) if sent and not result.by_us else result


def in_doubt(failure: Failure) -> Doubt:
    """Return a failure as that of a change which may have taken effect all the same."""
    return Doubt(failure.code, failure.message, failure.status, failure.hint, failure.reach)


def none_if_damaged(held: Digest | Failure | None) -> Digest | Failure | None:
    """Return what a tag that led nowhere holds now: None also where the registry fails to read it, which is no change."""
    return None if isinstance(held, Failure) and is_damage(Unresolved(held)) else held


def unconfirmed(cause: Failure | None) -> Failure:
    """Return the failure of a change that was sent, and of which it is not known whether it took effect."""
    why = f": {cause.message}" if cause else ""
    hint = "run again: what is gone by then is reported as absent"
    return Failure(FailureCode.UNCONFIRMED, f"whether the change took effect is not known{why}", None, hint)


def tag_of(target: Target) -> str:
    """Return the tag of a target. Raises TypeError for a target that names a digest."""
    if not isinstance(target.reference, TagRef):
        raise TypeError(f"{target.reference} is no tag")
    return target.reference.tag


def untagged(item: Item) -> Untagged:
    """Return the outcome of a tag that is gone while its manifest stays."""
    return Untagged(item.verdict.remaining_tags if isinstance(item.verdict, Untag) else ())


def moved(repository: Repository, tag: str, now: Digest) -> Kept:
    """Return the outcome of a tag that leads to another manifest, `now`."""
    return Kept(KeptReason.MOVED, (f"{repository}:{tag}@{now}",))


def outcome_of(changed: Changed, change: Change, done: Outcome) -> Outcome | None:
    """Return the outcome of a change: `done` if this run made it; None: it was not tried."""
    match changed:
        case Done(by_us):
            return done if by_us else Gone()
        case Moved(now):
            return Gone() if now is None else moved(change.repository, change.tag, now)
        case Unwanted():
            return None
        case NotSent(failure):
            return Failed(failure)
        case Failure():
            return Failed(changed)
