"""Proves that a registry carries out what it accepts: the first deletion of a place is read back, later answers are believed.

`bulkrm.model.result.effect` has the theory, and says what a place is. Costs for each place: HEAD of the digest, HEAD of a tag
and one tag list; where only digests go, one HEAD.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone, GateKind
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.leftover_tags import LeftoverTags, may_be_listed
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.pauses import Pauses
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import PATIENCE, Removal, place_of
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.removal_outcomes import REMAIN, done, outcomes, unknown_effect
from bulkrm.planning.tag_state import GONE, TagLook, TagState

# Failures of a tag list after which HEAD has to do.
_NO_LIST = frozenset({FailureCode.NOT_PERMITTED, FailureCode.NOT_A_REGISTRY, FailureCode.REFUSED})


@dataclass(slots=True)
class _Place:
    """What was seen of one place. `gate`: what its deletions pass; `tagged_gate`: what those of tagged manifests pass too.

    `deletes_manifests`: a manifest was gone after its DELETE. `tags_go`: whether tags go with their manifest; None: not
    seen yet. `stay_listed`: tags that went are listed still, and answer 404, so that the tag list has to prove each deletion.
    `lies_about_tags`: a tag was there after its own DELETE was answered, so that no tag counts as removed ahead.
    `expected_failure`: what any further deletion would meet there; `expected_if_tagged`: what one of a tagged manifest would.
    """

    gate: DeletionGate
    tagged_gate: DeletionGate
    deletes_manifests: bool = False
    tags_go: bool | None = None
    stay_listed: bool = False
    lies_about_tags: bool = False
    expected_failure: Failure | None = None
    expected_if_tagged: Failure | None = None

    def is_known(self, *, tagged: bool) -> bool:
        """Tell whether a clean answer is believed by now, or known to be worth nothing."""
        return self.tags_go is not None if tagged else self.deletes_manifests


# Targets of an item with their outcomes.
TargetOutcomes = Iterable[tuple[Target, Outcome]]


class Proof:
    """The proofs that the registries of a run have given, place by place."""

    def __init__(
        self,
        leftover_tags: LeftoverTags,
        context: RunContext,
        pending: PendingProofs,
        outcomes: ItemOutcomes,
        first_alone: FirstAlone,
    ) -> None:
        """Take `pending`, for deletions that are not proved at once, and `outcomes`, for all others."""
        self._pending = pending
        self._outcomes = outcomes
        self._first_alone = first_alone
        self._leftover_tags = leftover_tags
        self._stop = context.stop
        self._clock = context.clock
        self._removed_ahead = context.removed_ahead
        self._places: dict[str, _Place] = {}
        self._of: dict[Repository, _Place] = {}

    def _place(self, repository: Repository) -> _Place:
        place = self._of.get(repository)
        if place is None:
            name = place_of(repository)
            new = _Place(DeletionGate(name, GateKind.MANIFEST), DeletionGate(name, GateKind.TAGGED_MANIFEST))
            place = self._of[repository] = self._places.setdefault(name, new)
        return place

    def has_tags(self, item: Item) -> bool:
        """Tell whether tags are still on a manifest, so that they have to go with it."""
        return bool(self._still_on(item))

    def _still_on(self, item: Item) -> list[str]:
        if self._place(item.repository).lies_about_tags:
            return list(item.tags)
        return [tag for tag in item.tags if not self._removed_ahead.is_gone(item.repository, tag)]

    def gates(self, item: Item, *, untagged_first: bool) -> tuple[DeletionGate, ...]:
        """Return the gates that a deletion passes (`FirstAlone`): until one deletion of its place is proved, each goes alone.

        A deletion of a tagged manifest proves more, so it passes a second gate. `untagged_first`: the tags are removed before
        the manifest.
        """
        place = self._place(item.repository)
        return (place.gate, place.tagged_gate) if self.has_tags(item) and not untagged_first else (place.gate,)

    def expected_failure(self, item: Item) -> Failure | None:
        """Return the failure that the deletion of an item would meet, if an earlier deletion of its place showed one."""
        place = self._place(item.repository)
        return place.expected_failure or (place.expected_if_tagged if item.tags else None)

    async def prove(self, item: Item, targets: Collection[Target], removal: Removal) -> None:
        """Record the outcomes that follow from a removal, or leave that to `PendingProofs`, which lists the tags.

        The caller has passed `gates`.
        """
        told = await self._outcomes_of(item, removal)
        if told is None:
            self._pending.add(item, removal, tuple(targets), item.tags)
            return
        for target, outcome in told:
            if target in targets:
                self._outcomes.conclude(item, (target,), outcome)

    async def _outcomes_of(self, item: Item, removal: Removal) -> TargetOutcomes | None:
        """Return the outcomes of a deletion; None: only the tag list of the repository can tell."""
        if removal is Removal.WAS_GONE:
            return None
        place = self._place(item.repository)
        if not place.is_known(tagged=self.has_tags(item)):
            seen = await self._look(item, removal, place)
            if isinstance(seen, Failure):
                return [(target, Failed(seen)) for target in item.targets]
            self._open(place)
            if seen is TagState.MOVED:
                return None
        if place.tags_go is False and self.has_tags(item):
            return await self._remove_tags(item, removal, place)
        listed_still = place.stay_listed or self._removed_ahead.any_found_gone(item.repository, item.tags)
        if removal is Removal.FOUND_GONE or listed_still:
            return None if item.tags else ((target, done(item, removal)) for target in item.targets)
        return ((target, done(item, removal)) for target in item.targets)

    def _open(self, place: _Place) -> None:
        """Let other deletions of the place go, as far as they are like one that is proved."""
        if place.deletes_manifests:
            self._first_alone.open(place.gate)
        if place.tags_go is not None:
            self._first_alone.open(place.tagged_gate)

    async def _look(self, item: Item, removal: Removal, place: _Place) -> Failure | TagState:
        """Look at the first deletion of a place until it shows an effect; return why it failed, or cannot be told.

        Otherwise return the state of the tag that shows the effect; `MOVED` if any tag of the manifest was pushed anew.
        """
        left = self._still_on(item)
        tags = left or item.tags
        tag, held, look = await self._look_at_one(item, tags, listed=may_be_listed(item))
        cause = next((found for found in (held, look.held) if isinstance(found, Failure)), None)
        if cause is not None:
            return unknown_effect(cause)
        if self._stop and (held is not None or look.state.remains):
            return unknown_effect(_STOPPED)
        if held is not None:
            failure = _no_effect(item, tag)
            place.expected_failure = replace(failure, message=f"not sent: {failure.message}", unfinished=False)
            return failure
        place.deletes_manifests = True
        if look.state is TagState.SERVES:
            place.tags_go = False
            place.lies_about_tags = not left
        elif look.state is TagState.DANGLING and removal is Removal.ACCEPTED:
            place.tags_go = place.stay_listed = True
        elif look.state is TagState.GONE and tag in left and removal is Removal.ACCEPTED:
            place.tags_go = True
        return TagState.MOVED if tags and tag != tags[0] else look.state

    async def _look_at_one(
        self, item: Item, tags: Sequence[str], *, listed: bool
    ) -> tuple[str | None, Digest | Failure | None, TagLook]:
        """Look at a digest and one of its tags: the first whose state shows what the DELETE did to all of them.

        A tag that was pushed anew does not show that. Neither does one that is gone while others are listed, because
        somebody may have deleted it alone.
        """
        left = list(tags)
        while left:
            tag = left.pop(0)
            held, look, names = await self._wait_for_effect(item, tag, listed=listed)
            others = [other for other in left if other in names] if look.state is TagState.GONE else []
            if look.state is not TagState.MOVED and not others:
                return tag, held, look
            left = others or left
        held, look, _ = await self._wait_for_effect(item, None, listed=listed)
        return None, held, look

    async def _wait_for_effect(self, item: Item, tag: str | None, *, listed: bool) -> "_Seen":
        """Read a digest and a tag until both are gone, or no more `Pauses` are left; return what was read last.

        A tag that outlives its manifest for a pause does not go with it, and gets a DELETE of its own. Once that may have
        removed it there is nothing more to wait for.
        """
        leftover_tags = self._leftover_tags.with_fresh_memory()
        seen = await _seen(leftover_tags, item, tag, listed=listed)
        pauses = Pauses(self._clock, self._stop)
        while seen.shows_no_effect and await pauses.take():
            seen = await _seen(leftover_tags, item, tag, listed=listed)
            if tag is not None and seen.held is None and seen.look.state is TagState.SERVES:
                after_its_delete = (await self._leftover_tags.remove_tags(item, [tag]))[tag]
                if not after_its_delete.state.remains:
                    break
        return seen

    async def _remove_tags(self, item: Item, removal: Removal, place: _Place) -> TargetOutcomes | None:
        """Delete the tags of a manifest that is gone; if that fails, no other tagged manifest of the place is deleted.

        Return the outcomes; None: only the tag list of the repository can tell.
        """
        looks = await self._leftover_tags.remove_tags(item, item.tags)
        told = list(outcomes(item, removal, looks))
        failed = next((outcome.failure for _, outcome in told if isinstance(outcome, Failed)), None)
        if failed is not None and failed.code is FailureCode.TAGS_REMAIN:
            what = f"not sent: this registry deletes manifests and not their tags, as was seen of {item.repository}@{item.digest}"
            place.expected_if_tagged = Failure(FailureCode.TAGS_REMAIN, what, None, REMAIN)
        return None if any(look.state is TagState.UNPROVED for look in looks.values()) else told


class _Seen(NamedTuple):
    """What was seen of a digest, `held`, and of a tag that were to go. `names`: the tag list, if it was read."""

    held: Digest | Failure | None
    look: TagLook
    names: Collection[str] = ()

    @property
    def shows_no_effect(self) -> bool:
        """Tell whether the digest or the tag is there."""
        return not isinstance(self.held, Failure) and (self.held is not None or self.look.state.remains)


async def _seen(leftover_tags: LeftoverTags, item: Item, tag: str | None, *, listed: bool) -> _Seen:
    """Look at a digest and a tag that were to go: by HEAD, and where that finds nothing, in the list if `listed`."""
    held = await leftover_tags.changer.read(item.repository, item.digest)
    if held is not None or tag is None:
        return _Seen(held, GONE)
    look = await leftover_tags.look(item, tag, listed=None if listed else False)
    if look.state is not TagState.UNPROVED:
        return _Seen(held, look)
    names = await leftover_tags.changer.listed(item.repository)
    if isinstance(names, Failure):
        # Who may not list the tags has chosen to delete without seeing them: then HEAD is all there is.
        return _Seen(held, GONE if names.code in _NO_LIST else TagLook(TagState.UNKNOWN, names))
    return _Seen(held, TagLook(TagState.DANGLING) if tag in names else GONE, names)


def _no_effect(item: Item, tag: str | None) -> Failure:
    """Return the failure of a deletion that was answered and not carried out."""
    named = f"{item.repository}:{tag}" if tag is not None else f"{item.repository}@{item.digest}"
    what = f"the registry answered that it deletes, and {named} is still there after {sum(PATIENCE):.0f} s"
    code = FailureCode.UNCONFIRMED if tag is None else FailureCode.TAGS_REMAIN
    hint = "look into the registry's log; delete with its own tool, or `bulkrm resume` where it only takes its time"
    return Failure(code, what, None, hint, unfinished=True)


_STOPPED = Failure(FailureCode.UNCONFIRMED, "the run was stopped before the registry showed an effect")
