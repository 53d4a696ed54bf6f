"""One tag is taken off ahead of its manifest, and `RemovedAhead` is told what is known of it at each moment."""

from collections.abc import Callable
from functools import partial

from bulkrm.engine.execute.tags.decoy import Decoy
from bulkrm.engine.execute.tags.tag_change import Change, Changed, Done, Doubt, Moved, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.model.plan import Item
from bulkrm.model.result.failure import Failure


class TagsAhead:
    """Takes off tags of manifests that are deleted afterwards."""

    def __init__(self, changer: TagChanger, removed_ahead: RemovedAhead) -> None:
        """`removed_ahead` hears of a tag before its DELETE or PUT is sent: whoever reads it meanwhile may find it gone."""
        self._changer = changer
        self._removed_ahead = removed_ahead

    async def delete(self, item: Item, tag: str, wanted: Callable[[], bool], *, decided: bool = False) -> Changed:
        """DELETE a tag that holds the item's manifest. `decided`: where that is in doubt, it is looked at right away."""
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
        """Push a decoy over a tag that holds the item's manifest: it counts as gone, as far as the decoy goes."""
        gone = partial(self._removed_ahead.add, item.repository, tag, item.digest)
        self._removed_ahead.note_sent(item.repository, tag, item.digest)
        changed = await decoy.push(tag, item.digest, wanted, gone)
        self._note(item, tag, changed)
        return changed

    def _note(self, item: Item, tag: str, changed: Changed) -> None:
        """Note a tag as gone where it is, or may be: then it is so until somebody reads it."""
        if isinstance(changed, Done | Doubt):
            self._removed_ahead.add(item.repository, tag, item.digest)
        else:
            self._removed_ahead.drop(item.repository, tag)

    async def _looked_at(self, change: Change, doubt: Doubt) -> Changed:
        """Find out what became of a tag whose DELETE had no answer."""
        held = await self._changer.without_memory().read(change.repository, change.tag)
        if isinstance(held, Failure):
            cause = unconfirmed(held)
            return Doubt(cause.code, cause.message, cause.status, cause.hint)
        if held is None:
            return Done()
        if held != change.before:
            return Moved(held)
        return Failure(doubt.code, f"{doubt.message}; the tag is still there", doubt.status, doubt.hint)
