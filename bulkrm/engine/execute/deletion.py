"""One manifest is deleted by its digest."""

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.tags.tag_change import unconfirmed
from bulkrm.engine.gateway import Gateway
from bulkrm.model.plan import Item
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, StillTagged
from bulkrm.planning.image_state import Finding, LookResult, Unsent
from bulkrm.remote.sending import Sending, Withdrawn


class Deletion:
    """Deletes manifests, and reads whether they are gone."""

    def __init__(self, gateway: Gateway, context: RunContext) -> None:
        """Take the gateway, and the recorder of `context`, which records each intent."""
        self._gateway = gateway
        self._recorder = context.recorder

    async def delete(self, item: Item, sending: Sending, *, untagged: bool = False) -> Removal | Failure | Unsent:
        """DELETE one manifest, unless the sending is withdrawn. The caller proves and records the result.

        `untagged`: its tags were removed before. If they were not, and the registry refuses the DELETE for that reason, the
        result is `Unsent`. Raises StateError where the intent cannot be recorded; then nothing was sent.
        """
        await self._recorder.intend(item)
        try:
            result = await self._gateway.delete(item.repository, item.digest, sending)
        except Withdrawn as taken_back:
            return Unsent(taken_back.failure)
        if isinstance(result, StillTagged) and not untagged and item.tags:
            self._gateway.learn_untagged_first(item.repository.host)
            return Unsent()
        return result

    async def look(self, item: Item) -> LookResult:
        """Find out by HEAD whether a DELETE without an answer took effect."""
        held = await self._gateway.call(item.repository, lambda registry: registry.head(item.repository, item.digest))
        if isinstance(held, Failure):
            return unconfirmed(held)
        return Removal.FOUND_GONE if held is None else Finding.STILL_THERE
