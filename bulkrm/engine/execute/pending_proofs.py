"""Deletions that their answer does not prove: one tag listing of a repository proves all of them.

A deletion without a clean answer may have stopped half-way, so that its tags are listed still. Each is kept here, without
an outcome, until its repository is settled: at the end of the run, or before what waits for it may go.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import anyio

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.cut_off import ANYTHING, CutOff
from bulkrm.engine.execute.in_flight import RequestsInFlight, UnfinishedWork
from bulkrm.engine.execute.leftover_tags import LeftoverTag, LeftoverTags
from bulkrm.engine.pauses import Pauses
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.workers import run_jobs_unstopped
from bulkrm.model.grouping import by_host
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.removal_outcomes import outcomes, unknown_effect
from bulkrm.planning.tag_state import TagLook
from bulkrm.state.errors import StateError

# Records the outcome of targets of an item.
RecordOutcome = Callable[[Item, Sequence[Target], Outcome], None]


@dataclass(slots=True, eq=False)
class _Pending:
    """A deletion without a proof, of a manifest or of some tags. `looks`: what was seen of its tags last."""

    item: Item
    targets: Sequence[Target]
    removal: Removal
    tags: Collection[str]
    work: UnfinishedWork
    looks: dict[str, TagLook] = field(default_factory=dict)

    @property
    def left(self) -> list[LeftoverTag]:
        """The tags of this deletion that are left over."""
        return [LeftoverTag(self.item, tag, look) for tag, look in self.looks.items() if look.state.remains]


class PendingProofs:
    """The deletions of a run whose proof is still to come."""

    def __init__(
        self,
        leftover_tags: LeftoverTags,
        in_flight: RequestsInFlight,
        context: RunContext,
        record: RecordOutcome,
        *,
        remove_leftover: bool = True,
    ) -> None:
        """`record` gets each outcome as soon as it is known. With `remove_leftover` False leftover tags are only reported."""
        self._remove_leftover = remove_leftover
        self._leftover_tags = leftover_tags
        self._in_flight = in_flight
        self._stop = context.stop
        self._clock = context.clock
        self._removed_ahead = context.removed_ahead
        self._record = record
        self._open: dict[Repository, list[_Pending]] = {}
        self._locks: dict[Repository, anyio.Lock] = {}

    def add(self, item: Item, removal: Removal, targets: Sequence[Target], tags: Collection[str]) -> None:
        """Take a deletion whose tags have to be looked for; until it is settled, a stopped run waits for it."""
        work = UnfinishedWork()
        self._in_flight.begin(work)
        self._open.setdefault(item.repository, []).append(_Pending(item, targets, removal, tags, work))

    def waits(self, repository: Repository) -> bool:
        """Tell whether a deletion in a repository is still to be proved."""
        return repository in self._open

    async def settle_all(self, workers: Callable[[str], int]) -> None:
        """Settle every repository, also in a run that is stopped."""
        await run_jobs_unstopped(by_host(list(self._open)), workers, self.settle)

    def give_up(self) -> None:
        """Record `unconfirmed` for everything that was not settled: the run ends here."""
        for repository in list(self._open):
            self._give_up(self._open.pop(repository), _CUT_OFF)

    async def settle(self, repository: Repository) -> None:
        """List the tags of a repository, remove the leftover ones where that works, and record all outcomes."""
        async with self._locks.setdefault(repository, anyio.Lock()):
            taken = self._open.pop(repository, [])
            if not taken:
                return
            with CutOff(ANYTHING, self._give_up, taken, _CUT_OFF):
                failure = await self._settle(repository, taken)
                if failure is None:
                    self._conclude(taken)
            if failure is not None:
                self._give_up(taken, failure)

    async def _settle(self, repository: Repository, taken: list[_Pending]) -> Failure | None:
        """Read tags until none is left over, or it is certain which are; return a failure if that cannot be found out.

        Leftover tags are removed after the first pause. That does no harm where the registry is still at work on them.
        """
        leftover_tags = self._leftover_tags.with_fresh_memory()
        failure = await self._look(repository, taken, leftover_tags)
        pauses = Pauses(self._clock, self._stop)
        while failure is None and self._remove_leftover and any(each.left for each in taken) and await pauses.take():
            failure = await self._look(repository, taken, leftover_tags)
            left = [leftover for each in taken for leftover in each.left]
            if pauses.taken == 1 and left and failure is None and not self._stop:
                try:
                    await leftover_tags.remove(left)
                except StateError as error:
                    return not_recorded(error)
                failure = await self._look(repository, taken, leftover_tags)
        return failure

    async def _look(self, repository: Repository, taken: list[_Pending], leftover_tags: LeftoverTags) -> Failure | None:
        """List the tags and read those that are listed; of a manifest that somebody else deleted, read all tags."""
        listed = await leftover_tags.changer.listed(repository)
        if isinstance(listed, Failure):
            return listed
        for each in taken:
            first = not each.looks
            all_of_them = each.removal is Removal.WAS_GONE and first
            each.looks = {
                tag: await leftover_tags.look(each.item, tag, listed=tag in listed)
                for tag in each.tags
                if tag in listed or all_of_them or (tag in each.looks and each.looks[tag].state.remains)
            }
        return None

    def _conclude(self, taken: list[_Pending]) -> None:
        """Record what became of each, and take it out: a bug in recording one of them is none of the others'."""
        while taken:
            each = taken.pop(0)
            self._in_flight.end(each.work)
            for leftover in each.left:
                self._removed_ahead.drop(leftover.item.repository, leftover.tag)
            for target, outcome in outcomes(each.item, each.removal, each.looks):
                if target in each.targets:
                    self._record(each.item, (target,), outcome)

    def _give_up(self, taken: list[_Pending], cause: Failure) -> None:
        for each in taken:
            self._record(each.item, each.targets, Failed(unknown_effect(cause)))
            self._in_flight.end(each.work)


_CUT_OFF = Failure(FailureCode.UNCONFIRMED, "the run was stopped before the registry was asked")
