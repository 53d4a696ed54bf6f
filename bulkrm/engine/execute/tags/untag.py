"""Carries out `UntagManifest`: removes tags of a manifest that stays, by DELETE of each tag or by decoy (`untag_by_decoy`).

A registry may delete the whole manifest where it was asked for a tag, and its answer does not tell. So the first tag of a
place goes alone, the other tags of its manifest are read afterwards, and are put back if they are gone. That is done wherever
the DELETE may have acted, also where its answer was lost and the tag cannot be read.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.cut_off import CutOff
from bulkrm.engine.execute.first_alone import DeletionGate, FirstAlone, GateKind
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.staleness import Staleness, WhileFresh
from bulkrm.engine.execute.tags.tag_change import Change, unconfirmed, untagged
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.untag_by_decoy import UntagByDecoy
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.result.effect import Removal, place_of
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome, outcome_of_failure
from bulkrm.planning.image_state import CameTo, Finding, Unsent
from bulkrm.planning.tag_state import Changed, outcome_of
from bulkrm.remote.sending import Permission

# `FOUND_GONE`: the tag answers 404 after a DELETE without a clean answer, and only the tag list tells whether it is gone.
_Result = Outcome | Literal[Removal.FOUND_GONE] | None


class Untagging:
    """Removes the tags of the list from manifests that stay."""

    def __init__(
        self, context: RunContext, pending: PendingProofs, by_tag: "UntagByTag", by_decoy: UntagByDecoy
    ) -> None:
        """`pending` has the tags of which the tag list has to tell."""
        self._stop = context.stop
        self._recorder = context.recorder
        self._pending = pending
        self._by_tag = by_tag
        self._by_decoy = by_decoy

    async def untag(self, item: Item, staleness: Staleness) -> CameTo:
        """Remove the tags that are the item's targets, and record the outcome of each.

        `staleness` is asked in the last moment before each send. Raises StateError where the intent cannot be recorded;
        then nothing was sent.
        """
        await self._recorder.intend(item)
        permission = WhileFresh(self._stop, staleness, item.repository)
        by_decoy = isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY
        if await (self._by_decoy if by_decoy else self._by_tag).untag(item, permission):
            return Finding.RECORDED
        # The item is judged again by its targets without an outcome: none of them may be one that only wants its proof.
        await self._pending.settle(item.repository)
        return Unsent()


class UntagByTag:
    """Removes the tags of the list from manifests that stay, by DELETE of each."""

    def __init__(
        self,
        changer: TagChanger,
        in_flight: RequestsInFlight,
        context: RunContext,
        first_alone: FirstAlone,
        pending: PendingProofs,
        outcomes: ItemOutcomes,
    ) -> None:
        """`outcomes` gets those that are certain; `pending` takes the tags of which the tag list has to tell."""
        self._changer = changer
        self._in_flight = in_flight
        self._stop = context.stop
        self._pending = pending
        self._outcomes = outcomes
        self._first_alone = first_alone

    async def untag(self, item: Item, permission: Permission) -> bool:
        """Delete the item's tags and record each; False: not all were, the run was stopped or has to judge again."""
        for tag in item.named_tags:
            open_targets = self._outcomes.open_targets(item)
            if not any(target in open_targets for target in item.targets_naming(tag)):
                continue  # it went, or may have gone, with an earlier one
            outcome = await self._remove(item, tag, permission)
            if outcome is None:
                return False
            if outcome is Removal.FOUND_GONE:
                self._pending.add(item, outcome, item.targets_naming(tag), (tag,))
            else:
                self._outcomes.record(item, item.targets_naming(tag), outcome)
        return True

    async def _remove(self, item: Item, tag: str, permission: Permission) -> _Result:
        async with self._first_alone.turn(_gate(item)) as is_alone:
            return await (self._remove_first if is_alone else self._delete)(item, tag, permission)

    async def _delete(self, item: Item, tag: str, permission: Permission) -> _Result:
        change = Change(item.repository, tag, item.digest, None, permission)
        with CutOff(change, self._outcomes.record, item, item.targets_naming(tag), Failed(unconfirmed(None))):
            changed = await self._changer.delete(change)
        return _result(item, tag, changed)

    async def _remove_first(self, item: Item, tag: str, permission: Permission) -> _Result:
        """Remove the first tag of a place, and put back other tags that went with it, also in a run that is stopped."""
        archived = await self._changer.whole(item.repository, item.digest)
        if not isinstance(archived, Manifest):
            return outcome_of_failure(archived) if archived else await self._changer.without_manifest(item, tag)
        siblings = [other for other in item.tags if other != tag]
        read = {other: await self._changer.read(item.repository, other) for other in siblings}
        unread = next((held for held in read.values() if isinstance(held, Failure)), None)
        if unread is not None:
            return outcome_of_failure(unread)  # with nothing to compare, nobody could tell afterwards what went with it
        before = [other for other, held in read.items() if held == item.digest]
        change = Change(item.repository, tag, item.digest, None, permission)
        with self._in_flight.unfinished(), CutOff(change, self._record_cut_off, item, tag, before):
            changed = await self._changer.delete(change)
            failed = await self._seen(item, change, changed, archived, before)
        return failed or _result(item, tag, changed)

    def _record_cut_off(self, item: Item, tag: str, before: list[str]) -> None:
        """Record that a first tag may be gone, and with it the others that were there before."""
        failed = Failed(unseen(before, None) if before else unconfirmed(None))
        for other in (tag, *before):
            self._outcomes.record_open(item, item.targets_naming(other), failed)

    async def _seen(
        self, item: Item, change: Change, changed: Changed, archived: Manifest, before: list[str]
    ) -> Failed | None:
        """Look at what the first DELETE of a place did, and put back the other tags that it took.

        Return a failure if it took any, if it left its own, or if that cannot be found out; None otherwise. All that counts is
        whether the DELETE may have acted: where its own tag cannot be read, or was pushed anew, it may have taken the others.
        """
        if not change.effect.may_have_acted:
            return None
        # What went is put back in any case, whatever the registry answered to the requests before.
        changer = self._changer.with_fresh_memory()
        stays = await self._still_there(item, change.tag, changer) if isinstance(changed, Removal) else None
        if stays is not None and stays.failure.code is FailureCode.TAGS_REMAIN:
            return stays
        after = {other: await changer.read(item.repository, other) for other in before}
        failed = await self._taken_along(item, change.tag, archived, after) or stays
        if failed is None and isinstance(changed, Removal):
            await self._open(item, changer, before)
        return failed

    async def _open(self, item: Item, changer: TagChanger, siblings: list[str]) -> None:
        """Let the other tags of the place go together, if the manifest was seen to outlive its first tag."""
        if siblings or isinstance(await changer.read(item.repository, item.digest), Digest):
            self._first_alone.open(_gate(item))

    async def _still_there(self, item: Item, tag: str, changer: TagChanger) -> Failed | None:
        """Return a failure if the first tag of a place is still there, after the `Pauses` for registries that work later."""
        held = await changer.read_until_changed(item.repository, tag, item.digest, self._stop)
        if isinstance(held, Failure):
            return Failed(unconfirmed(held))
        return Failed(_no_effect(item, tag)) if held == item.digest else None

    async def _taken_along(
        self, item: Item, tag: str, archived: Manifest, after: Mapping[str, Digest | Failure | None]
    ) -> Failed | None:
        """Put back other tags that went with a tag, and return a failure then, or if they could not be read; else None.

        It is also the outcome of those that the list names and that are lost, or may be: nobody can say that no request was
        sent for them, or that somebody else removed them.
        """
        unread = {other: now for other, now in after.items() if isinstance(now, Failure)}
        lost = [other for other, now in after.items() if now is None]
        held: Mapping[str, Digest | Failure | None] = unread
        if lost:
            held = {
                other: await self._changer.put_back(item.repository, other, None, archived)
                for other in (*lost, *unread)
            }
            failed = Failed(_siblings_removed(item, tag, lost, held))
            # The run is stopped: every further DELETE of a tag would take other tags along too.
            self._stop.fail_fast()
        elif unread:
            failed = Failed(unseen(unread, next(iter(unread.values()))))
        else:
            return None
        for other, now in held.items():
            if not isinstance(now, Digest):
                self._outcomes.record_open(item, item.targets_naming(other), failed)
        return failed


def _result(item: Item, tag: str, changed: Changed) -> _Result:
    return changed if changed is Removal.FOUND_GONE else outcome_of(changed, item.repository, tag, untagged(item))


def _gate(item: Item) -> DeletionGate:
    return DeletionGate(place_of(item.repository), GateKind.TAG)


def _no_effect(item: Item, tag: str) -> Failure:
    """Return the failure of a tag whose DELETE was answered, and not carried out."""
    what = f"the registry answered that it deletes the tag, and {item.repository}:{tag} is still there"
    hint = "look into the registry's log; delete it with its own tool, or `bulkrm resume` where it only takes its time"
    return Failure(FailureCode.TAGS_REMAIN, what, None, hint, unfinished=True)


def _siblings_removed(
    item: Item, tag: str, lost: Collection[str], held: Mapping[str, Digest | Failure | None]
) -> Failure:
    """Return the failure of a tag with which others went, `lost`; `held`: what those hold after they were put back.

    `held` has the tags too that could not be read before that, of which some may have gone.
    """
    back = [other for other in lost if held[other] == item.digest]
    gone = [other for other, now in held.items() if now is None]
    unknown = [other for other, now in held.items() if isinstance(now, Failure)]
    what = f"the registry deleted the whole image with the tag {tag}"
    what += f"; put back: {', '.join(back)}" if back else ""
    what += f"; LOST, push them again: {', '.join(gone)}" if gone else ""
    what += f"; not known, look whether they are there: {', '.join(unknown)}" if unknown else ""
    hint = "do not use --shared untag with this registry; list all tags of an image, or keep it"
    return Failure(FailureCode.SIBLINGS_REMOVED, what, None, hint)


def unseen(siblings: Iterable[str], cause: Failure | None) -> Failure:
    """Return the failure of a tag whose DELETE may have acted, where it cannot be read whether other tags went with it."""
    what = "the DELETE of the tag was sent; whether the registry took others of its image with it is not known: "
    what += ", ".join(siblings)
    what += f" ({cause.message})" if cause else ""
    return Failure(FailureCode.UNCONFIRMED, what, None, "look whether they are there; if not, push them again")
