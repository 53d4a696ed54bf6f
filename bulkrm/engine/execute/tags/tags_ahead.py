"""Removes one tag ahead of its manifest, and notes in `RemovedAhead` at each moment whether it may be, or is, gone."""

from collections.abc import Callable
from functools import partial

from bulkrm.engine.execute.tags.decoy import Decoy
from bulkrm.engine.execute.tags.tag_change import Change, Changed, Done, Doubt, Moved, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.model.plan import Item
from bulkrm.model.result.failure import Failure


class TagsAhead:
    """Removes single tags of manifests that are deleted afterwards."""

    def __init__(self, changer: TagChanger, removed_ahead: RemovedAhead) -> None:
        """`removed_ahead` is told of a tag before its DELETE or PUT is sent, because a reader may find it gone meanwhile."""
        self._changer = changer
        self._removed_ahead = removed_ahead

    async def delete(self, item: Item, tag: str, wanted: Callable[[], bool], *, decided: bool = False) -> Changed:
        """DELETE a tag that holds the item's manifest. `decided`: read it at once if it is in doubt whether it went."""
        repository, removed = item.repository, self._removed_ahead
        gone = partial(removed.add, repository, tag, item.digest)
        removed.note_sent(repository, tag, item.digest)
        change = Change(repository, tag, item.digest, None, wanted, gone)
        changed = await self._changer.delete(change)
        if decided and isinstance(changed, Doubt):
            changed = await self._looked_at(change, changed)
        self._note(item, tag, changed)
        if isinstance(changed, Doubt) or (isinstance(changed, Done) and not changed.clean):
            removed.doubt(repository, tag)
        return changed

    async def push(self, item: Item, tag: str, wanted: Callable[[], bool], decoy: Decoy) -> Changed:
        """Push a decoy over a tag that holds the item's manifest; the tag counts as gone from then on."""
        gone = partial(self._removed_ahead.add, item.repository, tag, item.digest)
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        changed = await decoy.push(tag, item.digest, wanted, gone)
        self._note(item, tag, changed)
        return changed

    def _note(self, item: Item, tag: str, changed: Changed) -> None:
        """Note that a tag is gone if it is or may be; the next reading of the tag corrects that."""
        if isinstance(changed, Done | Doubt):
            self._removed_ahead.add(item.repository, tag, item.digest)
        else:
            self._removed_ahead.drop(item.repository, tag)

    async def _looked_at(self, change: Change, doubt: Doubt) -> Changed:
        """Read a tag whose DELETE had no clean answer; return what the DELETE came to."""
        held = await self._changer.without_memory().read(change.repository, change.tag)
        if isinstance(held, Failure):
            cause = unconfirmed(held)
            return Doubt(cause.code, cause.message, cause.status, cause.hint)
        if held is None:
            return Done()
        if held != change.before:
            return Moved(held)
        return Failure(doubt.code, f"{doubt.message}; the tag is still there", doubt.status, doubt.hint)
