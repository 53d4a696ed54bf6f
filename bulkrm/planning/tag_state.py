"""Judges a tag that a run tries to remove, by what was seen of it: the one place that says what each observation means.

Pure. A tag is seen in three ways: HEAD reads it, the tag list has it or not, and a change of its own has a result (`Changed`).
`tag_state` and `served` judge the first two, `look_after` the third, each by its part of this table:

===========================================  ============  ==================================================================
what was seen                                `TagState`    means
===========================================  ============  ==================================================================
HEAD: 404, and it is not listed              `GONE`        it is gone, whoever removed it
HEAD: 404, and nobody read the list          `UNPROVED`    it may be listed: distribution stops half-way
HEAD: 404, and it is listed                  `DANGLING`    it serves again as soon as somebody pushes its manifest
HEAD: a decoy of this run                    `DANGLING`    it is there, and holds nothing of anybody's
HEAD: what it held, and its digest is gone   `SERVES`      it outlives its manifest
HEAD: what it held, and its digest answers   `MOVED`       somebody pushed the manifest anew
HEAD: another manifest                       `MOVED`       somebody pushed that
HEAD of the tag, or of its digest, failed    `UNKNOWN`     nothing: a reading that failed is no sign of a push
-------------------------------------------  ------------  ------------------------------------------------------------------
change: `Removal.ACCEPTED`                   `GONE`        a clean answer; where a registry is known to lie it is read again
change: `Removal.FOUND_GONE`                 `UNPROVED`    it answers 404 after a DELETE without a clean answer
change: `Removal.WAS_GONE`, `Moved(None)`    `ABSENT`      it answered 404 before anything was sent
change: `Moved`                                            as a HEAD that read this
change: `FailedChange` with effect `NONE`    `SERVES`      it was refused; right before that the tag was read
change: any other `FailedChange`, `NotSent`  `UNKNOWN`     it may have acted, or the tag could not be read
===========================================  ============  ==================================================================

An `Unsent` change was not tried, so nothing was seen. Only of `GONE` a report says `deleted`.
"""

from collections.abc import Collection
from enum import Enum

from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Gone, Kept, KeptReason, Outcome, outcome_of_failure
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.image_state import Unsent


class TagState(Enum):
    """The state of a tag that a run tried to remove, with its manifest or alone: see the table above."""

    GONE = "gone"
    UNPROVED = "unproved"
    ABSENT = "absent"
    DANGLING = "dangling"
    SERVES = "serves"
    MOVED = "moved"
    UNKNOWN = "unknown"

    @property
    def remains(self) -> bool:
        """Tell whether the tag was not removed: it is dangling, or leads to its manifest."""
        return self in (TagState.DANGLING, TagState.SERVES)


@valueclass
class TagLook:
    """The state of a tag that a run tried to remove, and the digest that it leads to (None: none; Failure: unknown)."""

    state: TagState
    held: Digest | Failure | None = None


GONE = TagLook(TagState.GONE)


@valueclass
class Pushed:
    """The tag holds what it is to hold, which this run pushed."""


@valueclass
class Moved:
    """The tag holds `now` (None: nothing), which is not what the change expected, and was left alone."""

    now: Digest | None


@valueclass
class NotSent:
    """Nothing was sent: the tag could not be read, or the registry was never ready for the change in time."""

    failure: Failure


@valueclass
class FailedChange:
    """The change was not seen to take effect. `effect` `NONE`: it was refused, now or by what is known from earlier.

    With any other effect it may have acted all the same, so the tag has to be looked up.
    """

    failure: Failure
    effect: Effect


# The result of one change. `Unsent`: nothing was sent, because the permission was lost by the time that the tag was read.
Changed = Removal | Pushed | Moved | Unsent | NotSent | FailedChange


def tag_state(
    was: Digest | None, held: Digest | Failure | None, *, listed: bool | None, decoys: Collection[Digest] = ()
) -> TagState:
    """Return the state of a tag by its reading. `was`: its digest before; `held`: its digest by HEAD (None: 404).

    `listed`: whether the tag list has it (None: nobody looked). `decoys`: digests of the decoys of this run. That the digest of
    one that `SERVES` is gone remains to be read (`served`).
    """
    if isinstance(held, Failure):
        return TagState.UNKNOWN
    if held is None:
        return _SILENT[listed]
    if held in decoys:
        return TagState.DANGLING
    return TagState.SERVES if held == was else TagState.MOVED


def served(held: Digest, by_digest: Digest | Failure | None) -> TagLook:
    """Return what was seen of a tag that holds what it held. `by_digest`: what the HEAD of that digest came to, after that."""
    if isinstance(by_digest, Failure):
        return TagLook(TagState.UNKNOWN, by_digest)
    return TagLook(TagState.SERVES if by_digest is None else TagState.MOVED, held)


def look_after(changed: Changed, was: Digest | None, *, decoys: Collection[Digest] = ()) -> TagLook | None:
    """Return what the result of its removal shows of a tag; None: that was not tried. `was`, `decoys`: as for `tag_state`."""
    match changed:
        case Removal():
            return _REMOVED[changed]
        case Moved(None):
            return _REMOVED[Removal.WAS_GONE]
        case Moved(now):
            return TagLook(tag_state(was, now, listed=True, decoys=decoys), now)
        case FailedChange(_, Effect.NONE):
            return TagLook(TagState.SERVES if was not in decoys else TagState.DANGLING, was)
        case FailedChange(failure) | NotSent(failure):
            return TagLook(TagState.UNKNOWN, failure)
        case Unsent() | Pushed():
            return None


def may_be_made(changed: Changed) -> bool:
    """Tell whether the tag holds what it is to hold after the change, or may."""
    return isinstance(changed, Removal | Pushed) or (
        isinstance(changed, FailedChange) and changed.effect.may_have_acted
    )


def moved(repository: Repository, tag: str, now: Digest) -> Kept:
    """Return the outcome of a tag that leads to another manifest, `now`."""
    return Kept(KeptReason.MOVED, (f"{repository}:{tag}@{now}",))


def outcome_of(changed: Changed, repository: Repository, tag: str, done: Outcome) -> Outcome | None:
    """Return the outcome of a tag by the result of its change: `done` if this run made it; None: it was not tried."""
    if isinstance(changed, Pushed):
        return done
    if isinstance(changed, NotSent | FailedChange):
        return outcome_of_failure(changed.failure, changed.effect if isinstance(changed, FailedChange) else Effect.NONE)
    look = look_after(changed, None)
    if look is None:
        return None
    if look.state is TagState.ABSENT:
        return Gone()
    return moved(repository, tag, look.held) if isinstance(look.held, Digest) else done


_SILENT = {None: TagState.UNPROVED, False: TagState.GONE, True: TagState.DANGLING}  # by whether the tag is listed
_REMOVED = {
    Removal.ACCEPTED: GONE,
    Removal.FOUND_GONE: TagLook(TagState.UNPROVED),
    Removal.WAS_GONE: TagLook(TagState.ABSENT),
}
