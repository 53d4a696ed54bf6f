"""The tags of manifests that are to go are taken off first, so that deleting those costs the registry little.

Whatever goes wrong with a tag here is no outcome yet: what still has its tag loses it with its manifest.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bulkrm.engine.context import Record, RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.staleness import Staleness
from bulkrm.engine.execute.tags.decoy_manifest import delete_decoy, new_decoy
from bulkrm.engine.execute.tags.other_decoys import OtherDecoys, moved
from bulkrm.engine.execute.tags.tag_change import Change, Changed, Done, Doubt, Moved, Tags, Unwanted, stuck
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Warned, WarningKind
from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item, Order
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import PATIENCE, Removal
from bulkrm.model.result.failure import Failure, Reach
from bulkrm.model.result.outcome import Failed, Kept
from bulkrm.model.steps import RemoveTagsAhead
from bulkrm.state.errors import StateError

_LOOKS = 10  # times that an image is judged again before a tag of it is sent; then it keeps those that are left
# Sends the change of one tag.
_Send = Callable[[Change], Awaitable[Changed]]


@dataclass(slots=True)
class _Course:
    """What came of one step so far.

    `covered`: tags under which the decoy stands, and what they held; `elsewhere`: tags that hold something else, and what.
    """

    step: RemoveTagsAhead
    covered: dict[str, Item] = field(default_factory=dict)
    elsewhere: dict[str, tuple[Item, Digest]] = field(default_factory=dict)
    given_up: Failure | None = None


class TagsFirst:
    """Takes tags off manifests that are deleted afterwards."""

    def __init__(self, gateway: Gateway, in_flight: RequestsInFlight, context: RunContext, record: Record) -> None:
        """`record` hears what became of targets although their manifest's turn has not come."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._stop = context.stop
        self._tell = context.tell
        self._recorder = context.recorder
        self._removed_ahead = context.removed_ahead
        self._record = record
        self._context = context
        self._others = OtherDecoys(gateway, context)
        self._tags = Tags(gateway, in_flight, context.clock)
        # What is given back is looked at and pushed whatever is known of failures.
        self._anew = self._tags.anew()

    async def clear(self, step: RemoveTagsAhead, look: Staleness) -> None:
        """Take off all tags of the step that still hold what they held; the others stay, and that is written down."""
        course = _Course(step)
        try:
            if step.order is Order.DECOY:
                await self._by_decoy(course, look)
            else:
                await self._each(course, look, None, self._tags.delete)
            await self._leave_alone(course)
        except StateError as error:
            self._not_kept(step.items, error)
        if course.given_up is not None:
            why = f"{step.repository}: its tags could not go first ({course.given_up.message})"
            self._tell(Warned(WarningKind.NOT_TAGS_FIRST, f"{why}; its manifests are deleted by digest"))

    async def _each(self, course: _Course, look: Staleness, after: Digest | None, send: _Send) -> None:
        """Change every tag of every item that is still to go, so that it holds `after`."""

        async def change_all(item: Item) -> None:
            try:
                await self._change_all(item, course, look, after, send)
            except StateError as error:
                self._not_kept([item], error)
            finally:
                self._tell(ADVANCED)

        host = course.step.repository.host
        self._recorder.expect_tags_first(course.step.repository, iter(course.step.items))
        await run_jobs({host: course.step.items}, self._gateway.workers, change_all, self._stop)

    def _not_kept(self, items: Sequence[Item], error: StateError) -> None:
        """Write down that something could not be kept: it is not deleted, nor anything else."""
        self._stop.fail_fast()
        for item in items:
            self._record(item, item.targets, Failed(not_recorded(error)))

    async def _change_all(
        self, item: Item, course: _Course, look: Staleness, after: Digest | None, send: _Send
    ) -> None:
        repository, tried = item.repository, set[str]()
        for _ in range(_LOOKS):
            current = await look.at(item)
            if current is None or course.given_up is not None:
                return
            tags = [
                tag for tag in current.tags if tag not in tried and not self._removed_ahead.is_gone(repository, tag)
            ]
            if tags:
                await self._recorder.clear(current, tags)
            for tag in tags:
                # Where the run ends in the middle of it, the tag may be gone.
                cut_off = partial(self._removed_ahead.add, repository, tag, current.digest)
                change = Change(repository, tag, current.digest, after, self._wanted(repository, look), cut_off)
                # From here on whoever judges this repository again may find it gone.
                self._removed_ahead.maybe(repository, tag, current.digest)
                changed = await send(change)
                self._note(current, change, changed, course)
                if isinstance(changed, Unwanted):
                    break
                tried.add(tag)
            else:
                return

    def _wanted(self, repository: Repository, look: Staleness) -> Callable[[], bool]:
        return lambda: not self._stop and not look.is_stale(repository)

    def _note(self, item: Item, change: Change, changed: Changed, course: _Course) -> None:
        match changed:
            case Done() | Doubt():  # in doubt it is gone, or under the decoy, until somebody reads it
                self._removed_ahead.add(item.repository, change.tag, item.digest)
                if change.after is not None:
                    course.covered[change.tag] = item
                elif not (isinstance(changed, Done) and changed.clean):
                    self._removed_ahead.doubt(item.repository, change.tag)
            case Moved(Digest() as now):
                self._removed_ahead.drop(item.repository, change.tag)
                course.elsewhere[change.tag] = item, now
            case _:
                self._removed_ahead.drop(item.repository, change.tag)
        if isinstance(changed, Failure) and changed.reach is not Reach.IMAGE:
            course.given_up = course.given_up or changed

    async def _leave_alone(self, course: _Course) -> None:
        """Say what becomes of the tags that lead elsewhere: another run's decoy may be on its way out."""

        async def look(tag: str) -> None:
            item, now = course.elsewhere[tag]
            left = await self._others.left_alone(item.repository, tag, now)
            if isinstance(left, Kept | Failed):
                self._record(item, item.naming(tag), left)
            elif isinstance(left, Digest) and left != item.digest:
                self._stays(item, tag, left)

        await run_jobs({course.step.repository.host: course.elsewhere}, self._gateway.workers, look, self._stop)

    def _stays(self, item: Item, tag: str, now: Digest) -> None:
        """Write down that a tag of the list leads elsewhere by now, which is nobody's wish to lose."""
        self._removed_ahead.drop(item.repository, tag)
        self._record(item, item.naming(tag), moved(item.repository, tag, now))

    async def _by_decoy(self, course: _Course, look: Staleness) -> None:
        """Push one decoy over all the tags, and delete it: all of them go with that one DELETE."""
        repository = course.step.repository
        decoy = await new_decoy(self._context, repository, [tag for item in course.step.items for tag in item.tags])

        async def push(change: Change) -> Changed:
            return await self._tags.put(change, decoy)

        with self._in_flight.unfinished():
            await self._each(course, look, decoy.digest, push)
            if course.covered:
                result = await delete_decoy(self._gateway, repository, decoy.digest)
                if result is not Removal.DELETED:
                    # The registry may have stopped half-way: what answers 404 may be listed.
                    for tag in course.covered:
                        self._removed_ahead.doubt(repository, tag)
                left = list(course.covered) if isinstance(result, Failure) else await self._left(course)
                await self._put_back(course, decoy, left, result if isinstance(result, Failure) else None)

    async def _left(self, course: _Course) -> list[str]:
        """Return the tags that are listed although their decoy is deleted; all, where they cannot be listed."""
        repository = course.step.repository
        left: list[str] = []
        for pause in (0.0, *PATIENCE):
            if pause and not (left and not self._stop):
                break
            if pause:
                await self._context.clock.sleep(pause)
            listed = await self._gateway.call(repository, lambda registry: registry.tags(repository))
            if isinstance(listed, Failure):
                return list(course.covered)
            left = [tag for tag in listed or () if tag in course.covered]
        for tag in left:
            self._removed_ahead.doubt(repository, tag)
        return left

    async def _put_back(self, course: _Course, decoy: Manifest, tags: list[str], cause: Failure | None) -> None:
        """See what tags hold after all; what still holds the decoy gets back what it held.

        That is done to its end, also where the run is stopped.
        """
        if cause is not None:
            course.given_up = course.given_up or cause
        calm = Stop()

        async def put_back(tag: str) -> None:
            await self._restore(course.covered[tag], tag, decoy)

        await run_jobs({course.step.repository.host: tags}, self._gateway.workers, put_back, calm)
        if calm.bug is not None:
            raise calm.bug

    async def _restore(self, item: Item, tag: str, decoy: Manifest) -> None:
        held = await self._anew.read(item.repository, tag)
        archived = await self._anew.whole(item) if held == decoy.digest else None
        if isinstance(archived, Manifest):
            held = await self._anew.put_back(item.repository, tag, decoy.digest, archived)
        failure = stuck(item.repository, tag, decoy.digest, held)
        if failure is not None:
            self._removed_ahead.drop(item.repository, tag)
            self._record(item, item.targets_for(tag), Failed(failure))
        elif held == item.digest:
            self._removed_ahead.drop(item.repository, tag)
        elif isinstance(held, Digest):
            self._stays(item, tag, held)
