"""Where a registry deletes a manifest only when no tag is on it any more: its tags are deleted one by one, then it.

Google's registries and Docker Hub are so (`families`), and whoever refuses a DELETE for that reason. Unlike `tags_first`, which
takes tags off because that is faster, nothing here goes with its manifest: if one tag cannot be deleted, the manifest is
not asked for. Its listed tags go first, so that a tag which the list does not name is not lost for nothing.

One image at a time, when its turn has come: the tags of an index's child go after the index. Two requests for each tag,
because it is read right before.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bulkrm.engine.context import Record, RunContext
from bulkrm.engine.execute.deletion import Deletion
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.tags.tag_change import Change, Changed, Done, Doubt, Moved, Tags, Unwanted, unconfirmed
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.planning.next_step import CameTo, Finding, Unsent
from bulkrm.remote.sending import Sending

_HINT = "`bulkrm resume` goes on where the registry lets it, `bulkrm undo` puts the tag back"


class UntaggedFirst:
    """Deletes the tags of a manifest, then the manifest."""

    def __init__(
        self,
        gateway: Gateway,
        in_flight: RequestsInFlight,
        context: RunContext,
        deletion: Deletion,
        outcomes: Outcomes,
        record: Record,
    ) -> None:
        """Take what deletes manifests, and who hears of what does not go."""
        self._deletion = deletion
        self._stop = context.stop
        self._recorder = context.recorder
        self._removed_ahead = context.removed_ahead
        self._outcomes = outcomes
        self._record = record
        self._tags = Tags(gateway, in_flight, context.clock)

    async def delete(self, item: Item, staleness: Staleness, sending: Sending) -> CameTo:
        """Delete the tags of an item, then the item; `sending` is its own. Raises StateError where it cannot be kept."""
        tags = dict.fromkeys((*item.named_tags, *item.tags))
        left = [tag for tag in tags if not self._removed_ahead.is_gone(item.repository, tag)]
        if left:
            await self._recorder.clear(item, left)
        for tag in left:
            changed = await self._take_off(item, tag, staleness)
            if isinstance(changed, Unwanted):
                return Unsent()
            if isinstance(changed, Failure):
                self._fail(item, tag, changed)
                return Finding.RECORDED
        going = tuple(target for target in item.targets if not self._outcomes.has(target))
        if not going:
            return Finding.RECORDED
        left_over = replace(item, targets=going)
        return await self._deletion.delete(left_over, sending, untagged=True)

    async def _take_off(self, item: Item, tag: str, staleness: Staleness) -> Changed:
        """Delete one tag; what is not known to be gone afterwards is a failure."""
        repository = item.repository
        gone = partial(self._removed_ahead.add, repository, tag, item.digest)
        change = Change(repository, tag, item.digest, None, self._wanted(item, staleness), gone)
        self._removed_ahead.maybe(repository, tag, item.digest)
        changed = await self._tags.delete(change)
        if isinstance(changed, Doubt):
            changed = await self._looked_at(change, changed)
        match changed:
            case Done(clean=clean):
                gone()
                if not clean:
                    self._removed_ahead.doubt(repository, tag)
            case Moved(Digest() as now):
                self._removed_ahead.drop(repository, tag)
                self._record(item, item.naming(tag), Kept(KeptReason.MOVED, (f"{repository}:{tag}@{now}",)))
            case Doubt():  # gone, until somebody reads it
                gone()
                self._removed_ahead.doubt(repository, tag)
            case _:
                self._removed_ahead.drop(repository, tag)
        return changed

    async def _looked_at(self, change: Change, doubt: Doubt) -> Changed:
        """Find out what became of a tag whose DELETE had no answer."""
        held = await self._tags.anew().read(change.repository, change.tag)
        if isinstance(held, Failure):
            cause = unconfirmed(held)
            return Doubt(cause.code, cause.message, cause.status, cause.hint)
        if held is None:
            return Done()
        return doubt_is_over(doubt) if held == change.before else Moved(held)

    def _wanted(self, item: Item, staleness: Staleness) -> Callable[[], bool]:
        return lambda: not self._stop and not staleness.is_stale(item.repository)

    def _fail(self, item: Item, tag: str, cause: Failure) -> None:
        """Write down that a manifest stays because one of its tags does; what lost its tag already is unfinished."""
        why = f"{item.repository}:{tag} cannot be deleted, so {item.digest} cannot either: {cause.message}"
        gone = [other for other in item.tags if self._removed_ahead.is_gone(item.repository, other)]
        unlisted = [f"{item.repository}:{other}" for other in gone if other not in item.named_tags]
        why += f"; gone already: {', '.join(unlisted)}" if unlisted else ""
        for target in item.targets:
            if self._outcomes.has(target):
                continue
            lost = any(target in item.naming(other) for other in gone)
            if lost:
                failure = Failure(FailureCode.UNFINISHED, why, cause.status, f"{cause.hint}; {_HINT}")
            else:
                failure = Failure(cause.code, why, cause.status, cause.hint)
            self._record(item, (target,), Failed(failure))


def doubt_is_over(doubt: Doubt) -> Failure:
    """Say that a tag is there after all, with what its DELETE met."""
    return Failure(doubt.code, f"{doubt.message}; the tag is still there", doubt.status, doubt.hint)
