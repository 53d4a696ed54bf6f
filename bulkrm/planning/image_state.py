"""The states of one image in the delete phase, and how they follow each other.

Pure; `next_step` says what comes next in each state. What can happen in a state is a method of its class that returns the state
after it, and nothing else can happen in it. "It" is the image, and a send is one DELETE, or those of its tags:

- `Queued` becomes `Unjudged` when its turn has come.
- `Unjudged` becomes `Going`, `Barred` or `Undecided` by a judgement. Where that drops targets, `Dropping` comes in between.
- `Going` becomes `Ended`, or `Recorded` if the sender has recorded every outcome. If its send was withdrawn, it becomes
  `Unjudged` again, or `GivenUp` after `MAX_JUDGEMENTS` judgements or `MAX_TROUBLES` troubles.
- `InDoubt` comes in between where it is not sent again, and an earlier send may have taken effect: the judgement may have seen
  that effect. By a look it becomes `LookedUp`, or what it would have become without a doubt.
- What is recorded becomes `Recorded`, the last state; `Dropping` becomes what is left then. An image whose targets all have
  their outcome when it is judged, because `RemoveTagsAhead` recorded them, becomes `Recorded` at once.

What a judgement says of a target that it drops may be true only if no send took effect: a tag that answers 404 may have gone by
the send, with its manifest or without it, and a manifest that is to be kept may be gone. So a dropped target is still part of
`Dropping`, and of a doubt about it, until its outcome is recorded, and an absent tag stays with its image:

=============================================  ===================================================================
after a send that may have taken effect        the outcome of a target that the judgement drops
=============================================  ===================================================================
the judgement deletes the rest of the image    that of the judgement: it has read the manifest; of an absent tag that of the
                                               image, from which `image_outcome` infers that of a tag that went before
a look finds the manifest                      that of the judgement; of an absent tag that of the others, or unfinished
a look finds that the manifest is gone         that of the image: the proof of its removal reads every tag of it
the look fails                                 `moved` if it was read to lead elsewhere, else `unconfirmed`
the run is stopped, and a send is `OPEN`       `moved` if it was read to lead elsewhere, else `unconfirmed`
=============================================  ===================================================================

Where the manifest is there, a tag that is gone may have been removed by somebody else, as well as by a send that went no
further. Nothing tells the two apart, so it counts as removed by this run: `undo` would know nothing of an absent one.

It ends, because only `Going` leads back, to `Unjudged`, and the judgements are counted.

`item` is what the outcome of a state is recorded for: the item as the newest judgement leaves it, or as the plan has it if
there is no judgement. Targets that have their outcome keep it.
"""

from dataclasses import replace
from enum import Enum
from typing import Literal

from bulkrm.model.plan import Delete, Item, Settled
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import TROUBLE, Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NotAttempted, outcome_of_failure
from bulkrm.model.valueclass import valueclass

MAX_JUDGEMENTS = 10  # times that an image is judged before it is sent; after so many the host is never ready in time
MAX_TROUBLES = 2  # of its sends that ended because the registry was in trouble for long


@valueclass
class Judgement:
    """What is still deleted of an item (None: nothing, or that cannot be judged any more), and its settled targets."""

    item: Item | None
    dropped: tuple[Settled, ...] = ()


@valueclass
class Unsent:
    """A change was withdrawn, so its image has to be judged again. `last_failure`: that of its last send, if it was sent."""

    last_failure: Failure | None = None


class Finding(Enum):
    """The result of a look or a send that is neither a removal nor a failure.

    `STILL_THERE`: the manifest answers, or every tag of a look at tags that has no outcome yet. `RECORDED`: the sender has
    recorded the outcome of every target.
    """

    STILL_THERE = "still there"
    RECORDED = "recorded"


CameTo = Removal | Failure | Unsent | Literal[Finding.RECORDED]  # the result of a send
LookResult = Removal | Failure | Literal[Finding.STILL_THERE]  # the result of a look
Obstacle = Failed | Kept | NotAttempted  # what is against a send, as the outcome that the image has because of it


@valueclass
class Queued:
    """The first state: steps that go before it are not over."""

    item: Item


@valueclass
class Unjudged:
    """It has to be judged. `judgements`: how many it had; `troubles`: how many of its sends met trouble of the host."""

    item: Item
    judgements: int = 0
    troubles: int = 0

    def judged(
        self, judgement: Judgement, obstacle: Obstacle | None, effect: Effect
    ) -> "Going | Barred | Undecided | Dropping | InDoubt":
        """Take a judgement, and what is against a send of it. `effect`: what all sends so far may have done."""
        if effect.may_have_acted and isinstance(self.item.verdict, Delete):
            judgement = _absent_with_image(judgement)
        item, dropped = judgement.item or self.item, judgement.dropped
        if judgement.item is not None and obstacle is None:
            going = Going(item, self.item, self.judgements + 1, self.troubles)
            return Dropping(_with_dropped(item, dropped), dropped, going) if dropped else going
        left: Barred | Undecided = Undecided(item) if obstacle is None else Barred(item, obstacle)
        stays: Barred | Undecided | Dropping = left
        if dropped:
            then = Recorded() if judgement.item is None else left
            stays = Dropping(_with_dropped(item, dropped), dropped, then)
        return InDoubt(stays) if effect.may_have_acted else stays


@valueclass
class Going:
    """It can be sent, by the judgement that was counted last. `planned`: the item as the plan has it."""

    item: Item
    planned: Item
    judgements: int
    troubles: int

    def came_to(self, what: CameTo, effect: Effect) -> "Ended | Recorded | Unjudged | GivenUp | InDoubt":
        """Take the result of its send. `effect`: what all sends so far may have done."""
        match what:
            case Unsent(failure):
                return self._withdrawn(failure, effect)
            case Finding.RECORDED:
                return Recorded(by_sender=True)
            case Removal() | Failure():
                return Ended(self.item, _to_record(what, effect))

    def _withdrawn(self, failure: Failure | None, effect: Effect) -> "Unjudged | GivenUp | InDoubt":
        troubles = self.troubles + (failure is not None and failure.code in TROUBLE)
        if self.judgements < MAX_JUDGEMENTS and troubles < MAX_TROUBLES:
            return Unjudged(self.planned, self.judgements, troubles)
        given_up = GivenUp(self.planned, Failed(failure or _never_in_time(self.planned)))
        return InDoubt(given_up) if effect.may_have_acted else given_up


@valueclass
class Barred:
    """`obstacle`: what is known against a send of it."""

    item: Item
    obstacle: Obstacle


@valueclass
class Undecided:
    """It cannot be judged any more: the run was stopped meanwhile, or the host is not asked any more."""

    item: Item


@valueclass
class Dropping:
    """`dropped`: targets that stay by the newest judgement, with their outcomes. `then`: the state of what is left.

    `item` has both, the dropped targets and what is left.
    """

    item: Item
    dropped: tuple[Settled, ...]
    then: "Going | Barred | Undecided | LookedUp | Recorded"

    @property
    def moved(self) -> tuple[Settled, ...]:
        """The dropped targets that were read to lead to another manifest: so much is known, whatever a send has done."""
        own = f"@{self.item.digest}"
        return tuple(
            settled
            for settled in self.dropped
            if isinstance(settled.outcome, Kept)
            and _is_moved(settled)
            and not any(name.endswith(own) for name in settled.outcome.because)
        )


@valueclass
class GivenUp:
    """`outcome`: what its last send met, or that it was never sent in time."""

    item: Item
    outcome: Failed


@valueclass
class InDoubt:
    """A send may have taken effect. `then`: the state after a look that finds it there."""

    then: Barred | Undecided | Dropping | GivenUp

    @property
    def item(self) -> Item:
        """The item of `then`."""
        return self.then.item

    def looked_up(self, found: LookResult) -> "LookedUp | Barred | Undecided | Dropping | GivenUp":
        """Take the result of a look."""
        if isinstance(found, Finding):
            return self.then
        looked_up = LookedUp(self.item, _to_record(found))
        if isinstance(found, Failure) and isinstance(self.then, Dropping) and self.then.moved:
            return Dropping(self.item, self.then.moved, looked_up)
        return looked_up


@valueclass
class Ended:
    """`what` its last send came to: a removal, or a failure. If the failure was known before, nothing was sent."""

    item: Item
    what: Removal | Failed | NotAttempted


@valueclass
class LookedUp:
    """`what` a look found."""

    item: Item
    what: Removal | Failed | NotAttempted


@valueclass
class Recorded:
    """The last state: every target has its outcome, or waits for its proof (`engine.execute.pending_proofs`).

    `ended`: that is what its last send came to. `by_sender`: the sender has recorded it.
    """

    ended: bool = False
    by_sender: bool = False


Unsettled = Queued | Unjudged | Dropping | Going | InDoubt | Barred | Undecided | GivenUp
State = Unsettled | Ended | LookedUp | Recorded


def _to_record(what: Removal | Failure, effect: Effect = Effect.NONE) -> Removal | Failed | NotAttempted:
    return outcome_of_failure(what, effect) if isinstance(what, Failure) else what


def _absent_with_image(judgement: Judgement) -> Judgement:
    """Return a judgement after a send that may have acted: an absent target is told by what becomes of its image."""
    absent = tuple(settled for settled in judgement.dropped if isinstance(settled.outcome, Gone))
    if not absent:
        return judgement
    others = tuple(settled for settled in judgement.dropped if settled not in absent)
    if judgement.item is not None:
        return Judgement(_with_dropped(judgement.item, absent), others)
    stays = (settled.outcome for settled in others if not _is_moved(settled))
    told = next(stays, Failed(_LEFT))
    return Judgement(None, (*others, *(Settled(settled.target, told) for settled in absent)))


def _is_moved(settled: Settled) -> bool:
    return isinstance(settled.outcome, Kept) and settled.outcome.reason is KeptReason.MOVED


def _with_dropped(left: Item, dropped: tuple[Settled, ...]) -> Item:
    """Return what a judgement leaves of an item with the targets that it drops, and with their tags."""
    targets = tuple(settled.target for settled in dropped if settled.target not in left.targets)
    if not targets:
        return left
    whole = replace(left, targets=left.targets + targets)
    return replace(whole, tags=tuple(dict.fromkeys((*left.tags, *whole.named_tags))))


_LEFT = Failure(
    FailureCode.UNFINISHED,
    "the DELETE was sent, and the manifest is still there",
    unfinished=True,
)


def _never_in_time(item: Item) -> Failure:
    what = f"{item.repository} was read {MAX_JUDGEMENTS} times, and each time it took too long until this could be sent"
    return Failure(FailureCode.TIMEOUT, what, None, "run again when the registry is less busy")
