"""Tags that are left over although they should be gone: reads them, and removes them where the registry can."""

from collections.abc import Collection, Mapping

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy import Decoys
from bulkrm.engine.execute.tags.tag_change import Change, Changed, FailedChange, Moved, NotSent, may_be_made
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.stop import UntilStopped
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import GONE, Removal, TagLook, TagState, tag_state
from bulkrm.model.result.failure import Failure
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.sending import ALWAYS


@valueclass
class LeftoverTag:
    """A tag that is left over, the item of its manifest, and what was seen of the tag."""

    item: Item
    tag: str
    look: TagLook


class LeftoverTags:
    """Reads tags, and removes those that are left over."""

    def __init__(
        self, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, decoys: Decoys, *, allow_decoy: bool
    ) -> None:
        """`allow_decoy`: what answers nothing is also removed, by pushing a decoy over it."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._context = context
        self._decoys = decoys
        self._allow_decoy = allow_decoy
        self._changer = TagChanger(gateway, in_flight, context.clock)
        self._permission = UntilStopped(context.stop)

    def with_fresh_memory(self) -> "LeftoverTags":
        """Return one that remembers no failure yet, and whose own failures are forgotten with it.

        A registry may refuse requests about a manifest that it has just deleted; no other image may fail for that.
        """
        gateway = self._gateway.with_fresh_memory()
        decoys = self._decoys.through(gateway)
        return LeftoverTags(gateway, self._in_flight, self._context, decoys, allow_decoy=self._allow_decoy)

    async def listed(self, repository: Repository) -> Collection[str] | Failure:
        """List the tags of a repository; one that the registry does not know any more has none."""
        return await self._changer.listed(repository)

    async def held(self, repository: Repository, reference: str) -> Digest | Failure | None:
        """Return the digest that a tag or digest leads to; None: it is not there."""
        return await self._changer.read(repository, reference)

    async def look(self, item: Item, tag: str, *, listed: bool | None) -> TagLook:
        """Read a tag that should be gone, and judge it. `listed`: whether the tag list has it (None: nobody looked).

        One that serves its manifest is `MOVED` only if the digest was seen to answer again. Where either reading fails, the
        tag is `UNKNOWN`: a reading that failed is no sign of a push.
        """
        held = await self.held(item.repository, tag)
        decoys = self._context.removed_ahead.decoys(item.repository)
        state = tag_state(item.digest, held, listed=listed, decoys=decoys)
        if state is TagState.SERVES:
            again = await self.held(item.repository, item.digest)
            if isinstance(again, Failure):
                return TagLook(TagState.UNKNOWN, again)
            # A digest that answers again was pushed anew by somebody, so its tag is not left over.
            state = TagState.SERVES if again is None else TagState.MOVED
        return TagLook(state, held) if held is not None or state is not TagState.GONE else GONE

    async def remove(self, left: Collection[LeftoverTag]) -> None:
        """Remove leftover tags of one repository; the caller reads the tag list afterwards to see which went."""
        refused = False
        for leftover in left:
            if not refused and not self._context.stop:
                changed = await self._changer.delete(self._change(leftover))
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
        look, changed = TagLook(TagState.SERVES, item.digest), await self._delete(item, tag, item.digest)
        if (
            isinstance(changed, Moved) and changed.now in decoys
        ):  # that is no push of anybody: the tag is to go with its decoy
            look, changed = TagLook(TagState.DANGLING, changed.now), await self._delete(item, tag, changed.now)
        match changed:
            case Removal.ACCEPTED:
                # A 202 alone proves nothing here: this registry answered the same when it kept the tags of a manifest.
                return await self.look(item, tag, listed=False)
            case Removal() | Moved(None):
                # It answered 404 before, so only the tag list tells: a registry that stopped half-way lists it still.
                return await self.look(item, tag, listed=None)
            case Moved(Digest() as now):
                return TagLook(TagState.MOVED, now)
            case NotSent(failure):
                return TagLook(TagState.UNKNOWN, failure)
            case FailedChange(failure, effect) if effect.may_have_acted:
                return TagLook(TagState.UNKNOWN, failure)
            case _:  # a refusal, right before which the tag was read
                return look

    async def _delete(self, item: Item, tag: str, held: Digest | None) -> Changed:
        return await self._changer.delete(Change(item.repository, tag, held, None, ALWAYS))

    def _change(self, leftover: LeftoverTag) -> Change:
        return Change(leftover.item.repository, leftover.tag, _held(leftover), None, self._permission)

    async def _by_decoy(self, left: list[LeftoverTag]) -> None:
        """Push one decoy over tags that answer nothing, and delete it: distribution deletes the tags with it."""
        if not left:
            return
        repository = left[0].item.repository
        async with self._decoys.make(repository, [leftover.tag for leftover in left]) as decoy:
            with self._in_flight.unfinished():
                for leftover in left:
                    changed = await decoy.push(leftover.tag, _held(leftover), self._permission)
                    if isinstance(changed, FailedChange | NotSent):
                        break
                if decoy.under:
                    await decoy.delete()


def _held(leftover: LeftoverTag) -> Digest | None:
    """Return what a tag held when it was looked at; None: nothing that answers."""
    return leftover.look.held if isinstance(leftover.look.held, Digest) else None
