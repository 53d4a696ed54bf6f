"""Tags are removed on a registry that deletes manifests only: a decoy is pushed over them, and the decoy deleted.

The decoy is an OCI index that names nothing, so that no blob is needed, with an annotation that makes it unlike any
other. Deleting its digest takes all tags with it that were moved onto it, and nothing else: regclient does the same with
a dummy image (scheme/reg/tag.go there).
"""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import uuid4

import anyio

from bulkrm.client.host import Footprint
from bulkrm.client.registry import Removal
from bulkrm.engine.around import Record
from bulkrm.engine.asking import Asking
from bulkrm.engine.flights import Flights
from bulkrm.engine.recorder import Recorder
from bulkrm.engine.tags import Change, Done, Doubt, Tags, outcome_of, unconfirmed, untagged
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.manifest import Manifest, empty_index
from bulkrm.model.outcome import Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository

_CUT_OFF = (
    "the run was stopped while the tag was being removed; it may hold an empty index of bulkrm's by now, which the next "
    "run with the same list deletes"
)


async def new_decoy(recorder: Recorder, repository: Repository, tags: Sequence[str]) -> Manifest:
    """Make a decoy for these tags, and have it noted before it is pushed. Raises StateError."""
    decoy = empty_index(uuid4().hex)
    await recorder.decoy(repository, tags, decoy)
    return decoy


async def delete_decoy(asking: Asking, repository: Repository, decoy: Digest) -> Removal | Failure:
    """DELETE a decoy, and with it all tags that it was pushed over."""
    return await asking.of(repository, lambda registry: registry.delete(repository, decoy, Footprint()))


class Decoys:
    """Removes tags by decoys."""

    def __init__(self, tags: Tags, asking: Asking, flights: Flights, recorder: Recorder, record: Record) -> None:
        """Take what reads and pushes tags, and who hears of what is sent and of what became of it."""
        self._recorder = recorder
        self._asking = asking
        self._tags = tags
        self._flights = flights
        self._record = record
        # One after the other in each repository: distribution cannot delete one decoy while another is being pushed.
        self._locks: dict[Repository, anyio.Lock] = {}

    async def untag(self, item: Item, wanted: Callable[[], bool]) -> bool:
        """Remove the item's tags and record each; False: not all were, the run was stopped or has to judge again."""
        async with self._locks.setdefault(item.repository, anyio.Lock()):
            return await self._untag(item, wanted)

    async def _untag(self, item: Item, wanted: Callable[[], bool]) -> bool:
        archived = await self._tags.whole(item)
        if not isinstance(archived, Manifest):
            self._record(item, item.targets, Failed(archived) if archived else Gone())
            return True
        decoy = await new_decoy(self._recorder, item.repository, item.named_tags)
        covered: dict[str, Doubt | None] = {}
        try:
            with self._flights.unfinished():
                complete = await self._cover(item, decoy, covered, wanted)
                if covered:
                    await self._uncover(item, decoy, archived, covered)
        except BaseException:
            for tag in covered:
                self._record(item, item.naming(tag), Failed(Failure(FailureCode.UNCONFIRMED, _CUT_OFF)))
            raise
        return complete

    async def _cover(
        self, item: Item, decoy: Manifest, covered: dict[str, Doubt | None], wanted: Callable[[], bool]
    ) -> bool:
        """Push the decoy over the tags that still hold the item's manifest; False: not all were tried.

        `covered` gets those that it was pushed over, or where that is in doubt: then with the reason.
        """
        for tag in item.named_tags:
            cut_off = partial(covered.update, {tag: None})
            change = Change(item.repository, tag, item.digest, decoy.digest, wanted, cut_off)
            changed = await self._tags.put(change, decoy)
            if isinstance(changed, Done | Doubt):
                covered[tag] = changed if isinstance(changed, Doubt) else None
                continue
            outcome = outcome_of(changed, change, untagged(item))
            if outcome is None:
                return False
            self._record(item, item.naming(tag), outcome)
        return True

    async def _uncover(self, item: Item, decoy: Manifest, archived: Manifest, covered: dict[str, Doubt | None]) -> None:
        """Delete the decoy, and see that its tags went with it; put back what they held if it cannot be deleted."""
        result = await delete_decoy(self._asking, item.repository, decoy.digest)
        anew = self._tags.anew()
        for tag, doubt in list(covered.items()):
            if isinstance(result, Failure):
                held = await anew.read(item.repository, tag)
                if held == decoy.digest:
                    held = await self._tags.put_back(item.repository, tag, decoy.digest, archived)
                outcome = left_with(item, tag, decoy.digest, held, result)
            else:
                outcome = _cleared(item, decoy, tag, doubt, await anew.read(item.repository, tag))
            del covered[tag]
            self._record(item, item.naming(tag), outcome)


def _cleared(item: Item, decoy: Manifest, tag: str, doubt: Doubt | None, held: Digest | Failure | None) -> Outcome:
    """Say what became of a tag whose decoy was deleted: whatever else it holds now is somebody's new push.

    Unless it is in doubt whether the decoy was ever pushed over it.
    """
    if doubt is not None and held == item.digest:
        return left_with(item, tag, decoy.digest, held, doubt)
    if isinstance(held, Failure):
        return Failed(unconfirmed(held))
    if held is None:
        return untagged(item)
    if held == decoy.digest:
        what = "the decoy was deleted, but the registry still shows it under the tag"
        return Failed(Failure(FailureCode.UNCONFIRMED, what, None, "run again with the same list"))
    return Kept(KeptReason.MOVED, (f"{item.repository}:{tag}@{held}",))


def left_with(item: Item, tag: str, decoy: Digest, held: Digest | Failure | None, cause: Failure) -> Outcome:
    """Say what became of a tag whose decoy could not be deleted, by what it holds now."""
    if held == item.digest:
        what = f"{cause.message}; the tag holds what it held"
        return Failed(Failure(cause.code, what, cause.status, cause.hint))
    if held is None:
        return untagged(item)
    if held != decoy and not isinstance(held, Failure):
        return Kept(KeptReason.MOVED, (f"{item.repository}:{tag}@{held}",))
    # `undo` takes an unconfirmed tag for one that may be gone, and looks at it.
    code = FailureCode.UNCONFIRMED if isinstance(held, Failure) else cause.code
    what = f"{cause.message}; the tag may hold an empty index of bulkrm's now, it held {item.digest}"
    return Failed(Failure(code, what, cause.status, "run again with the same list, which deletes it"))
