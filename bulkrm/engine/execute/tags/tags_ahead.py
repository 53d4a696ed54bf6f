"""Removes one tag ahead of its manifest, and notes in `RemovedAhead` at each moment whether it may be, or is, gone."""

from typing import Protocol

from bulkrm.engine.execute.cut_off import CutOff
from bulkrm.engine.execute.tags.decoy import Decoy
from bulkrm.engine.execute.tags.tag_change import Change, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure
from bulkrm.planning.tag_state import Changed, FailedChange, Moved, NotSent, may_be_made
from bulkrm.remote.sending import Permission


class RemoverAhead(Protocol):
    """Removes single tags of manifests that are deleted afterwards."""

    async def remove(self, item: Item, tag: str, permission: Permission) -> Changed:
        """Remove a tag that holds the item's manifest. Where it may be gone it counts as gone, and the next reading tells."""
        ...


class TagsAhead:
    """Removes tags by DELETE of each."""

    def __init__(self, changer: TagChanger, removed_ahead: RemovedAhead) -> None:
        """`removed_ahead` is told of a tag before its DELETE is sent, because a reader may find it gone meanwhile."""
        self._changer = changer
        self._removed_ahead = removed_ahead

    async def remove(self, item: Item, tag: str, permission: Permission) -> Changed:
        """DELETE a tag that holds the item's manifest."""
        change = Change(item.repository, tag, item.digest, None, permission)
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        with CutOff(change, self._doubt, item, tag):
            changed = await self._changer.delete(change)
        if change.effect.may_have_acted:
            self._doubt_others(item, tag)
        if changed is Removal.ACCEPTED:
            self._removed_ahead.note_there(item.repository, tag)
        _note(self._removed_ahead, item, tag, changed)
        return changed

    def _doubt(self, item: Item, tag: str) -> None:
        """Note that a tag may be gone by its DELETE, and other tags of its manifest with it."""
        self._removed_ahead.doubt(item.repository, tag, item.digest)
        self._doubt_others(item, tag)

    def _doubt_others(self, item: Item, tag: str) -> None:
        for other in item.tags:
            if other != tag:
                self._removed_ahead.note_left_behind(item.repository, other, item.digest)

    async def remove_and_look(self, item: Item, tag: str, permission: Permission) -> Changed:
        """DELETE a tag that holds the item's manifest; where that may have acted, read at once whether it did."""
        changed = await self.remove(item, tag, permission)
        if isinstance(changed, FailedChange) and changed.effect.may_have_acted:
            changed = await self._looked_up(item, tag, changed)
            _note(self._removed_ahead, item, tag, changed)
        return changed

    async def _looked_up(self, item: Item, tag: str, failed: FailedChange) -> Changed:
        """Read a tag whose DELETE may have acted; return what the DELETE came to."""
        held = await self._changer.with_fresh_memory().read(item.repository, tag)
        if isinstance(held, Failure):
            return FailedChange(unconfirmed(held), failed.effect)
        if held is None:
            return Removal.FOUND_GONE
        if held != item.digest:
            return Moved(held)
        cause = failed.failure
        seen = Failure(cause.code, f"{cause.message}; the tag is still there", cause.status, cause.hint)
        return FailedChange(seen, Effect.NONE)


class TagsUnderDecoy:
    """Pushes one decoy over tags. Each counts as gone from then on, and is gone after the DELETE of the decoy."""

    def __init__(self, decoy: Decoy, removed_ahead: RemovedAhead) -> None:
        """`removed_ahead` is told of a tag before the push over it is sent."""
        self._decoy = decoy
        self._removed_ahead = removed_ahead

    async def remove(self, item: Item, tag: str, permission: Permission) -> Changed:
        """Push the decoy over a tag that holds the item's manifest."""
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        change = self._decoy.change(tag, item.digest, permission)
        with CutOff(change, self._removed_ahead.cover, item.repository, tag, item.digest):
            changed = await self._decoy.push(change)
        if may_be_made(changed):
            self._removed_ahead.cover(item.repository, tag, item.digest)
        else:
            self._removed_ahead.drop(item.repository, tag)
        return changed


def _note(removed_ahead: RemovedAhead, item: Item, tag: str, changed: Changed) -> None:
    """Note that a tag is gone, or may be; the next reading of the tag corrects that."""
    repository, digest = item.repository, item.digest
    if isinstance(changed, Removal):
        removed_ahead.add(repository, tag, digest, changed)
    elif may_be_made(changed):
        removed_ahead.doubt(repository, tag, digest)
    elif isinstance(changed, Moved) and changed.now is None and removed_ahead.any_of(repository, digest):
        removed_ahead.add_found(repository, tag, digest)  # by the DELETE of another tag, as far as anybody can tell
    elif not (isinstance(changed, NotSent) and removed_ahead.is_left_behind(repository, tag)):
        removed_ahead.drop(repository, tag)
