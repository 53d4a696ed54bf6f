"""Changes one tag: reads it right before, and never sends a change again without reading it again.

No registry has a conditional DELETE or PUT of a tag. So a change names what the tag holds before and after it (`None`:
nothing), and the tag is read in the last moment before each send. The send is one request: the transport repeats none
of it, and takes it back where it waited for more than 5 seconds for its turn, because what was read is too old then.
After everything that would let another request be repeated (a limit, a token that ended, silence, a 5xx) the tag is
read anew. What it holds, and the `Effect` of the sends before (`bulkrm.model.result.effect`), decide:

=====================  =============================  =====================================================
the tag holds          effect `NONE`                  effect `OVER` or `OPEN`
=====================  =============================  =====================================================
what it held before    the change is sent             it did not act, so the change is sent again
what it is to hold     `Moved`: somebody else did it  a DELETE is `Removal.FOUND_GONE`, a PUT is `Pushed`
anything else          `Moved`                        `Moved`
what cannot be read    `NotSent`                      `FailedChange` with that effect
=====================  =============================  =====================================================

If its `Permission` is lost after that reading, the change is `Unsent` at effect `NONE`, else a `FailedChange` with its effect.
The answer to a send decides the rest: a success is the `Removal` that it proves, or `Pushed`; a failure is a `FailedChange`
with the effect of all sends together, so that one with effect `NONE` is a refusal.

Where a tag is deleted that led nowhere, `before` and `after` are both nothing, and reading it tells nothing of the DELETE.
Then it is sent again only behind a limit (`OVER`), which is a refusal; where a send is `OPEN`, the caller's look at the tag
list has to tell. A tag that led nowhere because the registry cannot read it is `damaged`: it is read whatever type its manifest
has, and damage counts as nothing.
"""

from dataclasses import dataclass, field

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import FIND_OUT, Failure, FailureCode
from bulkrm.model.result.outcome import Untagged
from bulkrm.model.target import Target
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.tag_state import Changed, FailedChange, Moved, NotSent, Pushed
from bulkrm.remote.sending import Permission, Sending


def _once() -> Sending:
    return Sending(repeatable=False)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A change of a tag that holds `before` (None: nothing), so that it holds `after` (None: nothing).

    `permission` is asked right before each send; if it is lost, nothing is sent. `damaged`: the tag led nowhere, and what
    the registry cannot read under it counts as nothing.
    """

    repository: Repository
    tag: str
    before: Digest | None
    after: Digest | None
    permission: Permission
    damaged: bool = False
    sending: Sending = field(default_factory=_once, init=False)

    @property
    def effect(self) -> Effect:
        """What the sends of the change may have done by now; whoever is cut off in the middle of it asks."""
        return self.sending.effect

    @property
    def shows(self) -> bool:
        """Tell whether reading the tag afterwards shows whether the change took effect."""
        return self.before != self.after


def settled_by_reading(change: Change, held: Digest | Failure | None) -> Changed | None:
    """Return the result if the reading of a tag decides it; None: the change has to be sent, or sent again."""
    effect = change.effect
    if isinstance(held, Failure):
        return FailedChange(unconfirmed(held), effect) if effect.may_have_acted else NotSent(held)
    if effect.may_have_acted and held == change.after and change.shows:
        return Removal.FOUND_GONE if held is None else Pushed()
    if held != change.before:
        return Moved(held)
    if not change.permission.holds():
        return FailedChange(unconfirmed(None), effect) if effect.may_have_acted else Unsent()
    return None


def none_if_damaged(held: Digest | Failure | None) -> Digest | Failure | None:
    """Return what a tag that led nowhere holds now: None also where the registry fails to read it, which is no change."""
    return None if isinstance(held, Failure) and held.shows_damage else held


def unconfirmed(cause: Failure | None) -> Failure:
    """Return the failure of a change that was sent, and of which it is not known whether it took effect."""
    why = f": {cause.message}" if cause else ""
    return Failure(FailureCode.UNCONFIRMED, f"whether the change took effect is not known{why}", None, FIND_OUT)


def tag_of(target: Target) -> str:
    """Return the tag of a target. Raises TypeError for a target that names a digest."""
    if not isinstance(target.reference, TagRef):
        raise TypeError(f"{target.reference} is no tag")
    return target.reference.tag


def untagged(item: Item) -> Untagged:
    """Return the outcome of a tag that is gone while its manifest stays."""
    return Untagged(item.verdict.remaining_tags if isinstance(item.verdict, Untag) else ())
