"""Tags are removed on a registry that deletes manifests only: a decoy is pushed over them, and the decoy deleted.

The decoy is an OCI index that names nothing, so that no blob is needed, with an annotation that makes it unlike any
other. Deleting its digest takes all tags with it that were moved onto it, and nothing else: regclient does the same with
a dummy image (scheme/reg/tag.go there).
"""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import anyio

from bulkrm.client.host import Footprint
from bulkrm.client.registry import Registry, Removal
from bulkrm.engine.asking import Asking
from bulkrm.engine.deletion import Record
from bulkrm.engine.flights import Flights
from bulkrm.engine.recorder import Recorder
from bulkrm.engine.tags import Change, Done, Tags, by_tag, outcome_of, tag_of, untagged
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.manifest import Manifest, empty_index
from bulkrm.model.outcome import Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.target import Target

_CUT_OFF = (
    "the run was stopped while the tag was being removed; it may hold an empty index of bulkrm's by now, which the next "
    "run with the same list deletes"
)


class Decoys:
    """Removes tags by decoys."""

    def __init__(self, tags: Tags, asking: Asking, flights: Flights, recorder: Recorder, record: Record) -> None:
        """Take what it works with."""
        self._recorder = recorder
        self._asking = asking
        self._tags = tags
        self._flights = flights
        self._record = record
        # One after the other in each repository: distribution cannot delete one decoy while another is being pushed.
        self._locks: dict[Repository, anyio.Lock] = {}

    async def untag(self, item: Item, wanted: Callable[[], bool]) -> bool:
        """Remove the item's targets and record each; False: not all were, the run was stopped or has to judge again."""
        async with self._locks.setdefault(item.repository, anyio.Lock()):
            return await self._untag(item, wanted)

    async def _untag(self, item: Item, wanted: Callable[[], bool]) -> bool:
        archived = await self._tags.whole(item)
        if not isinstance(archived, Manifest):
            self._record(item, item.targets, Failed(archived) if archived else Gone())
            return True
        decoy = empty_index(uuid4().hex)
        await self._recorder.decoy(item.repository, list(by_tag(item)), decoy)
        covered: list[Target] = []
        try:
            # From the first push on there is something to be finished, even where the run is stopped.
            with self._flights.of(Footprint(possible=True)):
                complete = await self._cover(item, decoy, covered, wanted)
                if covered:
                    await self._uncover(item, decoy, archived, covered)
        except BaseException:
            self._record(item, tuple(covered), Failed(Failure(FailureCode.UNCONFIRMED, _CUT_OFF)))
            raise
        return complete

    async def _cover(self, item: Item, decoy: Manifest, covered: list[Target], wanted: Callable[[], bool]) -> bool:
        """Push the decoy over the tags that still hold the item's manifest; False: not all were tried."""
        for target in by_tag(item).values():
            cut_off = partial(covered.append, target)
            change = Change(item.repository, tag_of(target), item.digest, decoy.digest, wanted, cut_off)
            changed = await self._tags.put(change, decoy)
            if isinstance(changed, Done):
                covered.append(target)
                continue
            outcome = outcome_of(changed, change, untagged(item))
            if outcome is None:
                return False
            self._record(item, (target,), outcome)
        return True

    async def _uncover(self, item: Item, decoy: Manifest, archived: Manifest, covered: list[Target]) -> None:
        """Delete the decoy, and see that its tags went with it; put back what they held if it cannot be deleted."""

        async def delete(registry: Registry) -> Removal:
            return await registry.delete(item.repository, decoy.digest, Footprint())

        result = await self._asking.of(item.repository, delete)
        anew = self._tags.anew()
        while covered:
            target = covered[0]
            if isinstance(result, Failure):
                held = await anew.read(item.repository, tag_of(target))
                if held == decoy.digest:
                    held = await self._tags.put_back(item.repository, tag_of(target), decoy.digest, archived)
                outcome = left_with(item, target, decoy.digest, held, result)
            else:
                outcome = await self._look(item, decoy, target)
            covered.remove(target)
            self._record(item, (target,), outcome)

    async def _look(self, item: Item, decoy: Manifest, target: Target) -> Outcome:
        """Read a tag whose decoy was deleted: whatever else it holds now is somebody's new push."""
        held = await self._tags.read(item.repository, tag_of(target))
        if held is None or isinstance(held, Failure):
            return untagged(item)
        if held == decoy.digest:
            what = "the decoy was deleted, but the registry still shows it under the tag"
            return Failed(Failure(FailureCode.UNCONFIRMED, what, None, "run again with the same list"))
        return Kept(KeptReason.MOVED, (f"{target.reference}@{held}",))


def left_with(item: Item, target: Target, decoy: Digest, held: Digest | Failure | None, cause: Failure) -> Outcome:
    """Say what became of a tag whose decoy could not be deleted, by what it holds now."""
    if held == item.digest:
        what = f"{cause.message}; the tag holds what it held"
        return Failed(Failure(cause.code, what, cause.status, cause.hint))
    if held is None:
        return untagged(item)
    if held != decoy and not isinstance(held, Failure):
        return Kept(KeptReason.MOVED, (f"{target.reference}@{held}",))
    # Where nobody knows, `undo` has to look too.
    code = FailureCode.UNCONFIRMED if isinstance(held, Failure) else cause.code
    what = f"{cause.message}; the tag may hold an empty index of bulkrm's now, it held {item.digest}"
    return Failed(Failure(code, what, cause.status, "run again with the same list, which deletes it"))
