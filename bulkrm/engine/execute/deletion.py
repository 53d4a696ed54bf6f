"""Deletes one manifest by its digest; where the registry deletes untagged manifests only, deletes its tags before it."""

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.tags.tag_change import unconfirmed
from bulkrm.engine.execute.tags.untagged_first import UntaggedFirst
from bulkrm.engine.gateway import Gateway
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, StillTagged
from bulkrm.planning.image_state import CameTo, Finding, LookResult, Unsent
from bulkrm.remote.sending import Sending, Withdrawn


class Deletion:
    """Deletes manifests, and reads whether they or their tags are gone."""

    def __init__(self, gateway: Gateway, context: RunContext, untagged_first: UntaggedFirst) -> None:
        """`context` has the recorder of intents; `untagged_first` deletes the tags of an item before its manifest."""
        self._gateway = gateway
        self._recorder = context.recorder
        self._removed_ahead = context.removed_ahead
        self._untagged_first = untagged_first

    def must_be_untagged_first(self, item: Item) -> bool:
        """Tell whether the tags of an item have to be deleted before its manifest, as far as that is known by now."""
        return bool(item.tags) and self._gateway.traits(item.repository.host).untagged_first

    async def delete(self, item: Item, staleness: Staleness, sending: Sending) -> CameTo:
        """DELETE one manifest, unless the sending is withdrawn. The caller proves and records the result.

        Where the registry refuses it because of its tags, that is remembered, and the result is `Unsent`. Raises StateError
        where the intent cannot be recorded; then the DELETE was not sent.
        """
        untagged = self.must_be_untagged_first(item)
        if untagged:
            left = await self._untagged_first.remove_tags(item, staleness)
            if not isinstance(left, Item):
                return left
            item = left
        await self._recorder.intend(item)
        try:
            result = await self._gateway.repository(item.repository).delete(item.digest, sending)
        except Withdrawn as withdrawn:
            return Unsent(withdrawn.failure)
        if isinstance(result, StillTagged) and not untagged and item.tags:
            self._gateway.repository(item.repository).learn_untagged_first()
            return Unsent()
        if result is Removal.WAS_GONE and self._removed_ahead.any_of(item.repository, item.digest):
            return Removal.FOUND_GONE  # it may have gone with a tag that this run deleted
        return result

    async def look(self, item: Item, tag: str | None = None) -> LookResult:
        """Find out by HEAD of a manifest, or of a tag, whether a DELETE without an answer took effect."""
        held = await self._gateway.repository(item.repository).head(tag or item.digest)
        if isinstance(held, Failure):
            return unconfirmed(held)
        return Removal.FOUND_GONE if held is None else Finding.STILL_THERE
