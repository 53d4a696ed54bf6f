"""Tags that are left over although they should be gone: reads them, and removes them where the registry can."""

from collections.abc import Collection, Mapping

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy import Decoys
from bulkrm.engine.execute.tags.tag_change import Change
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.stop import UntilStopped
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.tag_state import (
    Changed,
    FailedChange,
    NotSent,
    TagLook,
    TagState,
    look_after,
    may_be_made,
    served,
    tag_state,
)
from bulkrm.remote.sending import ALWAYS


@valueclass
class LeftoverTag:
    """A tag that is left over, the item of its manifest, and what was seen of the tag."""

    item: Item
    tag: str
    look: TagLook


def may_be_listed(item: Item) -> bool:
    """Tell whether the tags of its repository may be listed for an item; not with `--shared delete-unseen`."""
    return not (isinstance(item.verdict, Delete) and item.verdict.also_removed is None)


class LeftoverTags:
    """Judges tags that should be gone, and removes those that are left over. `changer`: reads and lists them."""

    def __init__(
        self, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, decoys: Decoys, *, allow_decoy: bool
    ) -> None:
        """`allow_decoy`: a dangling tag may also be removed by a decoy that is pushed over it."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._context = context
        self._decoys = decoys
        self._allow_decoy = allow_decoy
        self.changer = TagChanger(gateway, in_flight, context.clock)
        self._permission = UntilStopped(context.stop)

    def with_fresh_memory(self) -> "LeftoverTags":
        """Return a copy that knows no failures yet, and whose own failures are forgotten with it.

        A registry may refuse requests about a manifest that it has just deleted; no other image may fail for that.
        """
        gateway = self._gateway.with_fresh_memory()
        decoys = self._decoys.through(gateway)
        return LeftoverTags(gateway, self._in_flight, self._context, decoys, allow_decoy=self._allow_decoy)

    async def look(self, item: Item, tag: str, *, listed: bool | None) -> TagLook:
        """Read a tag that should be gone, and judge it. `listed`: whether the tag list has it (None: nobody looked).

        If it still leads to its manifest, the digest is read after it: `served` judges by both.
        """
        held = await self.changer.read(item.repository, tag)
        decoys = self._context.removed_ahead.decoys(item.repository)
        state = tag_state(item.digest, held, listed=listed, decoys=decoys)
        if state is TagState.SERVES and isinstance(held, Digest):
            return served(held, await self.changer.read(item.repository, item.digest))
        return TagLook(state, held)

    async def remove(self, left: Collection[LeftoverTag]) -> None:
        """Remove leftover tags of one repository; the caller reads the tag list afterwards to see which went."""
        refused = False
        for leftover in left:
            if not refused and not self._context.stop:
                changed = await self.changer.delete(self._change(leftover))
                refused = isinstance(changed, FailedChange | NotSent) and not may_be_made(changed)
        if refused and self._allow_decoy and not self._context.stop:
            await self._by_decoy([leftover for leftover in left if leftover.look.state is TagState.DANGLING])

    async def remove_tags(self, item: Item, tags: Collection[str]) -> Mapping[str, TagLook]:
        """DELETE the tags of a manifest that is gone, on a registry where tags outlive it; return what was seen of each.

        This goes on in a stopped run, because a half-deleted image is of no use to anybody. Only a refusal shows that a tag
        cannot be deleted there; one that could not be read, so that nothing was sent, is `UNKNOWN`.
        """
        return {tag: await self._remove_tag(item, tag) for tag in tags}

    async def _remove_tag(self, item: Item, tag: str) -> TagLook:
        decoys = self._context.removed_ahead.decoys(item.repository)
        look = look_after(await self._delete(item, tag, item.digest), item.digest, decoys=decoys)
        if look is not None and _digest(look) in decoys:  # that is no push of anybody: the tag is to go with its decoy
            look = look_after(await self._delete(item, tag, _digest(look)), _digest(look), decoys=decoys)
        if look is None or look.state in (TagState.UNPROVED, TagState.ABSENT):
            # It answered 404 before, so only the tag list tells: a registry that stopped half-way lists it still.
            return await self.look(item, tag, listed=None if may_be_listed(item) else False)
        # A 202 alone proves nothing here: this registry answered the same when it kept the tags of a manifest.
        return await self.look(item, tag, listed=False) if look.state is TagState.GONE else look

    async def _delete(self, item: Item, tag: str, held: Digest | None) -> Changed:
        return await self.changer.delete(Change(item.repository, tag, held, None, ALWAYS))

    def _change(self, leftover: LeftoverTag) -> Change:
        return Change(leftover.item.repository, leftover.tag, _digest(leftover.look), None, self._permission)

    async def _by_decoy(self, left: list[LeftoverTag]) -> None:
        """Push one decoy over tags that answer nothing, and delete it: distribution deletes the tags with it."""
        if not left:
            return
        repository = left[0].item.repository
        async with self._decoys.make(repository, [leftover.tag for leftover in left]) as decoy:
            with self._in_flight.unfinished():
                for leftover in left:
                    changed = await decoy.push(decoy.change(leftover.tag, _digest(leftover.look), self._permission))
                    if isinstance(changed, FailedChange | NotSent):
                        break
                if decoy.under:
                    await decoy.delete()


def _digest(look: TagLook) -> Digest | None:
    """Return what a tag held when it was looked at; None: nothing that answers."""
    return look.held if isinstance(look.held, Digest) else None
