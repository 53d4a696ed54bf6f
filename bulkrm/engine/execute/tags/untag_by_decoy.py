"""Removes tags of a manifest that stays, on a registry that deletes no tags: by one decoy for each manifest (`decoy`)."""

from bulkrm.engine.execute.cut_off import CutOff
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.tags.decoy import Decoy, Decoys
from bulkrm.engine.execute.tags.decoy_proof import untag_outcome
from bulkrm.engine.execute.tags.other_decoys import OtherDecoys
from bulkrm.engine.execute.tags.tag_change import untagged
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, outcome_of_failure
from bulkrm.planning.tag_state import FailedChange, Moved, outcome_of
from bulkrm.remote.sending import Permission

_CUT_OFF = Failure(
    FailureCode.UNCONFIRMED,
    "the run was stopped while the tag was being removed; it may hold an empty index of bulkrm's by now, which the next run "
    "with the same list deletes",
)


class UntagByDecoy:
    """Removes the tags of the list from manifests that stay, one manifest at a time in each repository."""

    def __init__(
        self,
        changer: TagChanger,
        in_flight: RequestsInFlight,
        decoys: Decoys,
        others: OtherDecoys,
        pending: PendingProofs,
        outcomes: ItemOutcomes,
    ) -> None:
        """`outcomes` gets those that are certain; `pending` takes the tags of which a later tag list has to tell."""
        self._decoys = decoys
        self._others = others
        self._changer = changer
        self._in_flight = in_flight
        self._pending = pending
        self._outcomes = outcomes

    async def untag(self, item: Item, permission: Permission) -> bool:
        """Remove the item's tags, and record their outcomes; False: some were not tried, as the permission was lost."""
        async with self._decoys.lock(item.repository):
            # Read under the lock: where the registry is away by then, no decoy is made, and none has to be looked for later.
            archived = await self._changer.whole(item.repository, item.digest)
            if not isinstance(archived, Manifest):
                for tag in item.named_tags:
                    outcome = (
                        outcome_of_failure(archived) if archived else await self._changer.without_manifest(item, tag)
                    )
                    self._outcomes.record(item, item.targets_naming(tag), outcome)
                return True
            decoy = await self._decoys.make_under_lock(item.repository, item.named_tags)
            return await self._untag(item, decoy, archived, permission)

    async def _untag(self, item: Item, decoy: Decoy, archived: Manifest, permission: Permission) -> bool:
        elsewhere: dict[str, Digest] = {}
        with CutOff(decoy, self._record_cut_off, item, decoy), self._in_flight.unfinished():
            complete, failures = await self._push(item, decoy, elsewhere, permission)
            if decoy.under:
                await self._remove(item, decoy, archived, failures)
            for tag, now in elsewhere.items():
                self._outcomes.record(
                    item, item.targets_naming(tag), await self._others.outcome_of_moved(item.repository, tag, now)
                )
        return complete

    def _record_cut_off(self, item: Item, decoy: Decoy) -> None:
        for tag in decoy.under:
            self._outcomes.record(item, item.targets_naming(tag), Failed(_CUT_OFF))

    async def _push(
        self, item: Item, decoy: Decoy, elsewhere: dict[str, Digest], permission: Permission
    ) -> tuple[bool, dict[str, Failure]]:
        """Push the decoy over the tags that hold the item's manifest; return whether all were tried, and which pushes failed.

        `elsewhere` gets the tags that hold something else, and what.
        """
        failures: dict[str, Failure] = {}
        for tag in item.named_tags:
            changed = await decoy.push(decoy.change(tag, item.digest, permission))
            if isinstance(changed, FailedChange):
                failures[tag] = changed.failure
            if tag in decoy.under:
                continue
            if isinstance(changed, Moved) and changed.now is not None:
                elsewhere[tag] = changed.now
                continue
            outcome = outcome_of(changed, item.repository, tag, untagged(item))
            if outcome is None:
                return False, failures
            self._outcomes.record(item, item.targets_naming(tag), outcome)
        return True, failures

    async def _remove(self, item: Item, decoy: Decoy, archived: Manifest, failures: dict[str, Failure]) -> None:
        """Remove the decoy, and record the outcome of each tag that was under it."""
        removal = await decoy.remove({item.digest: archived})
        for tag, look in removal.looks.items():
            del decoy.under[tag]
            outcome = untag_outcome(item, tag, look, removal.deleted, failures.get(tag))
            if outcome is None:
                self._pending.add(item, Removal.FOUND_GONE, item.targets_naming(tag), (tag,))
            else:
                self._outcomes.record(item, item.targets_naming(tag), outcome)
