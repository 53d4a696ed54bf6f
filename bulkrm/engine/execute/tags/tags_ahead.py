"""Removes one tag ahead of its manifest, and notes in `RemovedAhead` at each moment whether it may be, or is, gone."""

from collections.abc import Callable

from bulkrm.engine.execute.tags.decoy import Decoy
from bulkrm.engine.execute.tags.tag_change import Change, Changed, FailedChange, Moved, may_be_made, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure


class TagsAhead:
    """Removes single tags of manifests that are deleted afterwards."""

    def __init__(self, changer: TagChanger, removed_ahead: RemovedAhead) -> None:
        """`removed_ahead` is told of a tag before its DELETE or PUT is sent, because a reader may find it gone meanwhile."""
        self._changer = changer
        self._removed_ahead = removed_ahead

    async def delete(self, item: Item, tag: str, wanted: Callable[[], bool]) -> Changed:
        """DELETE a tag that holds the item's manifest. Where it may have gone it counts as gone, and the next reading tells."""
        change = Change(item.repository, tag, item.digest, None, wanted)
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        try:
            changed = await self._changer.delete(change)
        except BaseException:
            if change.effect.may_have_acted:
                self._removed_ahead.add(item.repository, tag, item.digest, Removal.FOUND_GONE)
            raise
        self._note(item, tag, changed)
        return changed

    async def delete_and_look(self, item: Item, tag: str, wanted: Callable[[], bool]) -> Changed:
        """DELETE a tag that holds the item's manifest; where that may have acted, read at once whether it did."""
        changed = await self.delete(item, tag, wanted)
        if isinstance(changed, FailedChange) and changed.effect.may_have_acted:
            changed = await self._looked_up(item, tag, changed)
            self._note(item, tag, changed)
        return changed

    async def push(self, item: Item, tag: str, wanted: Callable[[], bool], decoy: Decoy) -> Changed:
        """Push a decoy over a tag that holds the item's manifest; the tag counts as gone from then on."""
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        try:
            changed = await decoy.push(tag, item.digest, wanted)
        except BaseException:
            if tag in decoy.under:
                self._removed_ahead.add(item.repository, tag, item.digest, Removal.FOUND_GONE)
            raise
        self._note(item, tag, changed)
        return changed

    def _note(self, item: Item, tag: str, changed: Changed) -> None:
        """Note that a tag is gone if it is or may be; the next reading of the tag corrects that."""
        if may_be_made(changed):
            removal = changed if isinstance(changed, Removal) else Removal.FOUND_GONE
            self._removed_ahead.add(item.repository, tag, item.digest, removal)
        else:
            self._removed_ahead.drop(item.repository, tag)

    async def _looked_up(self, item: Item, tag: str, failed: FailedChange) -> Changed:
        """Read a tag whose DELETE may have acted; return what the DELETE came to."""
        held = await self._changer.without_memory().read(item.repository, tag)
        if isinstance(held, Failure):
            return FailedChange(unconfirmed(held), failed.effect)
        if held is None:
            return Removal.FOUND_GONE
        if held != item.digest:
            return Moved(held)
        cause = failed.failure
        seen = Failure(cause.code, f"{cause.message}; the tag is still there", cause.status, cause.hint)
        return FailedChange(seen, Effect.NONE)
