"""Tags are removed on a registry that deletes manifests only: a decoy is pushed over them, and the decoy deleted.

The decoy is an OCI index that names nothing, so that no blob is needed, with an annotation that makes it unlike any
other. Deleting its digest takes all tags with it that were moved onto it, and nothing else: regclient does the same with
a dummy image (scheme/reg/tag.go there).
"""

from collections.abc import Callable
from functools import partial

import anyio

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.effects import Effects
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy_manifest import delete_decoy, new_decoy
from bulkrm.engine.execute.tags.other_decoys import OtherDecoys, moved
from bulkrm.engine.execute.tags.tag_change import Change, Done, Doubt, Moved, Tags, outcome_of, unconfirmed, untagged
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import PATIENCE, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Outcome

_CUT_OFF = (
    "the run was stopped while the tag was being removed; it may hold an empty index of bulkrm's by now, which the next "
    "run with the same list deletes"
)


class Decoys:
    """Removes tags by decoys."""

    def __init__(
        self, tags: Tags, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, effects: Effects
    ) -> None:
        """Take what reads and pushes tags, and who hears of what became of them."""
        self._context = context
        self._gateway = gateway
        self._others = OtherDecoys(gateway, context)
        self._tags = tags
        self._in_flight = in_flight
        self._effects = effects
        self._record = effects.tell
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
        decoy = await new_decoy(self._context, item.repository, item.named_tags)
        covered: dict[str, Doubt | None] = {}
        elsewhere: dict[str, Digest] = {}
        try:
            with self._in_flight.unfinished():
                complete = await self._cover(item, decoy, covered, elsewhere, wanted)
                if covered:
                    await self._uncover(item, decoy, archived, covered)
                for tag, now in elsewhere.items():
                    await self._leave_alone(item, tag, now)
        except BaseException:
            for tag in covered:
                self._record(item, item.naming(tag), Failed(Failure(FailureCode.UNCONFIRMED, _CUT_OFF)))
            raise
        return complete

    async def _cover(
        self,
        item: Item,
        decoy: Manifest,
        covered: dict[str, Doubt | None],
        elsewhere: dict[str, Digest],
        wanted: Callable[[], bool],
    ) -> bool:
        """Push the decoy over the tags that still hold the item's manifest; False: not all were tried.

        `covered` gets those that it was pushed over, or where that is in doubt: then with the reason. `elsewhere` gets
        those that hold something else.
        """
        for tag in item.named_tags:
            cut_off = partial(covered.update, {tag: None})
            change = Change(item.repository, tag, item.digest, decoy.digest, wanted, cut_off)
            changed = await self._tags.put(change, decoy)
            if isinstance(changed, Done | Doubt):
                covered[tag] = changed if isinstance(changed, Doubt) else None
                continue
            if isinstance(changed, Moved) and changed.now is not None:
                elsewhere[tag] = changed.now
                continue
            outcome = outcome_of(changed, change, untagged(item))
            if outcome is None:
                return False
            self._record(item, item.naming(tag), outcome)
        return True

    async def _leave_alone(self, item: Item, tag: str, now: Digest) -> None:
        """Say what became of a tag that holds something else: another run's decoy may be on its way out."""
        left = await self._others.left_alone(item.repository, tag, now)
        if left is None:
            self._record(item, item.naming(tag), Gone())
        elif isinstance(left, Digest):
            self._record(item, item.naming(tag), moved(item.repository, tag, left))
        else:
            self._record(item, item.naming(tag), left)

    async def _uncover(self, item: Item, decoy: Manifest, archived: Manifest, covered: dict[str, Doubt | None]) -> None:
        """Delete the decoy, and see that its tags went with it; put back what they held if it cannot be deleted."""
        result = await delete_decoy(self._gateway, item.repository, decoy.digest)
        anew = self._tags.anew()
        patience = iter(() if isinstance(result, Failure) else PATIENCE)
        for tag, doubt in list(covered.items()):
            held = await anew.read(item.repository, tag)
            while held == decoy.digest and not self._context.stop and (pause := next(patience, None)) is not None:
                await self._context.clock.sleep(pause)
                held = await anew.read(item.repository, tag)
            if held == decoy.digest:
                held = await self._tags.put_back(item.repository, tag, decoy.digest, archived)
            del covered[tag]
            if held is None and result is not Removal.DELETED:
                # It answers 404, and the registry may have stopped half-way: the tag list has to tell.
                self._effects.add(item, Removal.FOUND_GONE, item.naming(tag), (tag,))
            else:
                self._record(item, item.naming(tag), _removed_ahead(item, decoy, tag, (result, doubt), held))


def _removed_ahead(
    item: Item, decoy: Manifest, tag: str, came: tuple[Removal | Failure, Doubt | None], held: Digest | Failure | None
) -> Outcome:
    """Say what became of a tag whose decoy was to be deleted: whatever else it holds now is somebody's new push.

    `came`: what came of deleting the decoy, and whether it is in doubt that the decoy was ever pushed over the tag.
    """
    result, doubt = came
    if isinstance(result, Failure):
        return left_with(item, tag, decoy.digest, held, result)
    if held in (item.digest, decoy.digest):
        return left_with(item, tag, decoy.digest, held, doubt or _kept(item, tag))
    if isinstance(held, Failure):
        return Failed(unconfirmed(held))
    return untagged(item) if held is None else moved(item.repository, tag, Digest(held))


def _kept(item: Item, tag: str) -> Failure:
    what = f"the decoy was deleted, but the registry still showed it under {item.repository}:{tag}"
    hint = "this registry deletes manifests and not their tags; delete the tag with its own tool or web page"
    return Failure(FailureCode.TAGS_REMAIN, what, None, hint)


def left_with(item: Item, tag: str, decoy: Digest, held: Digest | Failure | None, cause: Failure) -> Outcome:
    """Say what became of a tag whose decoy could not be deleted, by what it holds now."""
    if held == item.digest:
        what = f"{cause.message}; the tag holds what it held"
        return Failed(Failure(cause.code, what, cause.status, cause.hint))
    if held is None:
        return untagged(item)
    if held != decoy and not isinstance(held, Failure):
        return moved(item.repository, tag, held)
    # `undo` takes an unconfirmed tag for one that may be gone, and looks at it.
    code = FailureCode.UNCONFIRMED if isinstance(held, Failure) else cause.code
    what = f"{cause.message}; the tag may hold an empty index of bulkrm's now, it held {item.digest}"
    hint = "`bulkrm resume` goes on, `bulkrm undo` puts the tag back"
    return Failed(Failure(code, what, cause.status, hint, unfinished=True))
