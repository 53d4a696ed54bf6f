"""Carries out `RemoveTagsAhead`: removes the tags of manifests before the manifests, which saves the registry work.

distribution reads every tag of a repository to delete one of its manifests, and no other tag to delete a tag. Where tags
cannot be deleted, one decoy is pushed over all of them, and its DELETE removes them all (`decoy`).

A failure here is no outcome yet: a tag that is still there goes with its manifest. Only a tag that leads elsewhere by now, or
holds a decoy that cannot be removed, has its outcome at once. An image that turns out to stay has its outcome too; where one of
its tags is under a decoy, only when that decoy is over, because the tag may be put back.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.staleness import Staleness, WhileFresh
from bulkrm.engine.execute.tags.decoy import Decoy, Decoys
from bulkrm.engine.execute.tags.decoy_proof import DecoyRemoval, stays_listed, stuck
from bulkrm.engine.execute.tags.other_decoys import OtherDecoys
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.tags_ahead import RemoverAhead, TagsAhead, TagsUnderDecoy
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Warned, WarningKind
from bulkrm.model.plan import Item, Order, Settled
from bulkrm.model.reference import TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, Reach
from bulkrm.model.result.outcome import Failed, Gone
from bulkrm.model.steps import RemoveTagsAhead
from bulkrm.planning.image_state import Unsent
from bulkrm.planning.next_step import Leave
from bulkrm.planning.next_tags import KnownTags, RecheckTags, RecordDropped, SendTags, next_tags
from bulkrm.planning.removal_outcomes import remaining
from bulkrm.planning.tag_state import GONE, Changed, FailedChange, Moved, NotSent, TagLook, TagState, moved
from bulkrm.remote.sending import Permission
from bulkrm.state.errors import StateError


@dataclass(slots=True)
class _Progress:
    """The progress of one step.

    `items`: the item of each tag that was tried. `elsewhere`: tags that lead to another manifest now, and to which.
    `expected_failure`: what every further tag would meet. `under`: the tags under the decoy that is alive. `dropped`:
    targets that a judgement dropped while a tag of their image was under it.
    """

    step: RemoveTagsAhead
    staleness: Staleness
    permission: Permission
    items: dict[str, Item] = field(default_factory=dict)
    elsewhere: dict[str, Digest] = field(default_factory=dict)
    expected_failure: Failure | None = None
    under: Container[str] = ()
    dropped: list[tuple[Item, Settled]] = field(default_factory=list)


class TagsFirst:
    """Removes the tags of manifests that are deleted afterwards, repository by repository."""

    def __init__(
        self,
        gateway: Gateway,
        in_flight: RequestsInFlight,
        context: RunContext,
        decoys: Decoys,
        others: OtherDecoys,
        outcomes: ItemOutcomes,
    ) -> None:
        """`outcomes` gets those of targets whose tag cannot go, although their manifest's turn has not come."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._stop = context.stop
        self._tell = context.tell
        self._recorder = context.recorder
        self._removed_ahead = context.removed_ahead
        self._outcomes = outcomes
        self._decoys = decoys
        self._others = others
        self._tags_ahead = TagsAhead(TagChanger(gateway, in_flight, context.clock), context.removed_ahead)

    async def remove(self, step: RemoveTagsAhead, staleness: Staleness) -> None:
        """Remove all tags of the step that still hold their manifest; record the outcome of tags that lead elsewhere."""
        progress = _Progress(step, staleness, WhileFresh(self._stop, staleness, step.repository))
        try:
            if step.order is Order.DECOY:
                await self._by_decoy(progress)
            else:
                await self._each(progress, self._tags_ahead)
            await self._tell_moved(progress)
        except StateError as error:
            self._not_kept(step.items, error)
        if progress.expected_failure is not None:
            why = f"{step.repository}: its tags could not go first ({progress.expected_failure.message})"
            self._tell(Warned(WarningKind.NOT_TAGS_FIRST, f"{why}; its manifests are deleted by digest"))

    async def _each(self, progress: _Progress, remover: RemoverAhead) -> None:
        """Remove every tag of every item that is still to be deleted, many items at once."""

        async def all_of(item: Item) -> None:
            try:
                await self._all_of(item, progress, remover)
            except StateError as error:
                self._not_kept([item], error)
            finally:
                self._tell(ADVANCED)

        step = progress.step
        self._recorder.expect_tags_first(step.repository, iter(step.items))
        await run_jobs({step.repository.host: step.items}, self._gateway.workers, all_of, self._stop)

    def _not_kept(self, items: Sequence[Item], error: StateError) -> None:
        """Record `not-recorded` for items, and stop the run, which deletes nothing more."""
        self._stop.fail_fast()
        for item in items:
            self._outcomes.record_open(item, item.targets, Failed(not_recorded(error)))

    async def _all_of(self, item: Item, progress: _Progress, remover: RemoverAhead) -> None:
        """Do what `next_tags` says of one item until that is `Leave`."""
        known = KnownTags()
        while True:
            match next_tags(known.when(is_stopped=bool(self._stop), expected_failure=progress.expected_failure)):
                case Leave():
                    return
                case RecheckTags():
                    judgement = await progress.staleness.judge_anew_if_stale(item)
                    known = known.judged(judgement, self._removed_ahead.gone(item.repository))
                case RecordDropped(dropped):
                    if any(tag in progress.under for tag in item.tags):
                        progress.dropped += [(item, settled) for settled in dropped]
                    else:
                        for settled in dropped:
                            self._outcomes.record(item, (settled.target,), settled.outcome)
                    known = known.recorded()
                case SendTags(current, tags):
                    known = known.sent(await self._send(current, tags, progress, remover))

    async def _send(self, item: Item, tags: Sequence[str], progress: _Progress, remover: RemoverAhead) -> Sequence[str]:
        """Remove tags of one item as long as its judgement is not too old; return those that were tried."""
        await self._recorder.intend_tags_ahead(item, tags)
        for number, tag in enumerate(tags):
            progress.items[tag] = item
            changed = await remover.remove(item, tag, progress.permission)
            if isinstance(changed, Unsent):
                return tags[:number]
            _note(tag, changed, progress)
        return tags

    async def _tell_moved(self, progress: _Progress) -> None:
        """Record the outcomes of tags that lead elsewhere, once it is certain that no other run is removing them."""
        repository = progress.step.repository

        async def tell(tag: str) -> None:
            item = progress.items[tag]
            outcome = await self._others.outcome_of_moved(repository, tag, progress.elsewhere[tag])
            # A tag that the other run removed, or put back, is left to the deletion of its manifest.
            if not isinstance(outcome, Gone) and outcome != moved(repository, tag, item.digest):
                self._outcomes.record_open(item, item.targets_naming(tag), outcome)

        await run_jobs({repository.host: progress.elsewhere}, self._gateway.workers, tell, self._stop)

    async def _by_decoy(self, progress: _Progress) -> None:
        """Push one decoy over all the tags, and delete it, which removes them all."""
        step = progress.step
        tags = [tag for item in step.items for tag in item.tags]
        async with self._decoys.make(step.repository, tags) as decoy:
            progress.under = decoy.under
            with self._in_flight.unfinished():
                await self._each(progress, TagsUnderDecoy(decoy, self._removed_ahead))
                if decoy.under:
                    self._conclude(progress, decoy, await decoy.remove())

    def _conclude(self, progress: _Progress, decoy: Decoy, removal: DecoyRemoval) -> None:
        """Note for each tag that was under the decoy whether it is gone."""
        progress.expected_failure = progress.expected_failure or removal.failure
        for tag, look in removal.looks.items():
            self._note_left(progress.items[tag], tag, look, decoy)
        for item, settled in progress.dropped:
            self._record_dropped(item, settled, removal)

    def _record_dropped(self, item: Item, settled: Settled, removal: DecoyRemoval) -> None:
        """Record the outcome of a dropped target, now that it is known what its tag holds; one that is listed is not gone."""
        outcome, reference = settled.outcome, settled.target.reference
        if isinstance(reference, TagRef) and stays_listed(removal.looks.get(reference.tag, GONE)):
            self._removed_ahead.drop(item.repository, reference.tag)
            outcome = Failed(remaining(item, [reference.tag], served=False))
        self._outcomes.record_open(item, (settled.target,), outcome)

    def _note_left(self, item: Item, tag: str, look: TagLook, decoy: Decoy) -> None:
        if look.state is TagState.GONE:
            self._removed_ahead.add(item.repository, tag, item.digest, Removal.ACCEPTED)
        if look.state is TagState.GONE or stays_listed(look):
            return
        self._removed_ahead.drop(item.repository, tag)
        failure = stuck(item.repository, tag, decoy.digest, look.held)
        if failure is not None:
            self._outcomes.record_open(item, item.targets_for(tag), Failed(failure))
        elif look.state is TagState.MOVED and isinstance(look.held, Digest):
            self._outcomes.record_open(item, item.targets_naming(tag), moved(item.repository, tag, look.held))


def _note(tag: str, changed: Changed, progress: _Progress) -> None:
    """Note where a tag leads now if it moved, and a failure that all further tags would meet."""
    if isinstance(changed, Moved) and changed.now is not None:
        progress.elsewhere[tag] = changed.now
    if isinstance(changed, NotSent | FailedChange) and changed.failure.reach is not Reach.IMAGE:
        progress.expected_failure = progress.expected_failure or changed.failure
