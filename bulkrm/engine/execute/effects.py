"""Deletions whose effect is not proved by their answer: one tag listing of a repository answers for all of them.

A deletion without a clean answer may have stopped half-way, so that its tags are listed still. Each is kept here, without
an outcome, until its repository is settled: at the end of the run, or before what waits for it may go.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import anyio

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.remains import Remain, Remains
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs
from bulkrm.model.grouping import by_host
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import PATIENCE, Effect, Removal, TagLook
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.remains import outcomes, unknown_effect
from bulkrm.remote.sending import Sending
from bulkrm.state.errors import StateError

# Hears what became of targets of an item.
Tell = Callable[[Item, Sequence[Target], Outcome], None]


@dataclass(slots=True, eq=False)
class _Open:
    """A deletion without a proof, of a manifest or of some tags. `looks`: what was seen of its tags last."""

    item: Item
    targets: Sequence[Target]
    removal: Removal
    tags: Collection[str]
    sending: Sending
    looks: dict[str, TagLook] = field(default_factory=dict)

    @property
    def left(self) -> list[Remain]:
        """The tags that are left over."""
        return [Remain(self.item, tag, look) for tag, look in self.looks.items() if look.state.remains]


class Effects:
    """The deletions of a run that are still to be proved."""

    def __init__(
        self, remains: Remains, in_flight: RequestsInFlight, context: RunContext, tell: Tell, *, mend: bool = True
    ) -> None:
        """`tell` hears the outcomes when they are known. Without `mend` what is left over is only looked at."""
        self._mend = mend
        self._remains = remains
        self._in_flight = in_flight
        self._stop = context.stop
        self._clock = context.clock
        self._removed_ahead = context.removed_ahead
        self.tell = tell
        self._open: dict[Repository, list[_Open]] = {}
        self._locks: dict[Repository, anyio.Lock] = {}

    def add(self, item: Item, removal: Removal, targets: Sequence[Target], tags: Collection[str]) -> None:
        """Take a deletion whose tags have to be looked for; until it is settled, a stopped run waits for it."""
        sending = Sending(effect=Effect.OPEN)
        self._in_flight.begin(sending)
        self._open.setdefault(item.repository, []).append(_Open(item, targets, removal, tags, sending))

    def waits(self, repository: Repository) -> bool:
        """Tell whether anything of a repository is still to be proved."""
        return repository in self._open

    async def settle_all(self, workers: Callable[[str], int]) -> None:
        """Settle every repository, also where the run is stopped: what is known by then is said."""
        calm = Stop()
        await run_jobs(by_host(list(self._open)), workers, self.settle, calm)
        if calm.bug is not None:
            raise calm.bug

    def give_up(self) -> None:
        """Say of all that was not settled that it is not known: the run ends here."""
        for repository in list(self._open):
            self._give_up(self._open.pop(repository), _CUT_OFF)

    async def settle(self, repository: Repository) -> None:
        """List the tags of a repository, remove what is left over where that works, and tell all outcomes."""
        async with self._locks.setdefault(repository, anyio.Lock()):
            taken = self._open.pop(repository, [])
            if not taken:
                return
            try:
                failure = await self._settle(repository, taken)
            except BaseException:
                self._give_up(taken, _CUT_OFF)
                raise
            if failure is not None:
                self._give_up(taken, failure)
            else:
                self._conclude(taken)

    async def _settle(self, repository: Repository, taken: list[_Open]) -> Failure | None:
        """Look until nothing is left over, or it is known what is; return why that cannot be told.

        After the first pause what is left over is removed: a registry that works on it still needs no longer for that.
        """
        remains = self._remains.anew()
        failure = await self._look(repository, taken, remains)
        for number, pause in enumerate(PATIENCE):
            if failure is not None or self._stop or not self._mend or not any(each.left for each in taken):
                break
            await self._clock.sleep(pause)
            failure = await self._look(repository, taken, remains)
            left = [remain for each in taken for remain in each.left]
            if number == 0 and left and failure is None and not self._stop:
                try:
                    await remains.remove(left)
                except StateError as error:
                    return not_recorded(error)
                failure = await self._look(repository, taken, remains)
        return failure

    async def _look(self, repository: Repository, taken: list[_Open], remains: Remains) -> Failure | None:
        """List the tags, and look at those that are listed; where somebody else deleted a manifest, at all of them."""
        listed = await remains.listed(repository)
        if isinstance(listed, Failure):
            return listed
        for each in taken:
            first = not each.looks
            all_of_them = each.removal is Removal.WAS_GONE and first
            each.looks = {
                tag: await remains.look(each.item, tag, listed=tag in listed)
                for tag in each.tags
                if tag in listed or all_of_them or (tag in each.looks and each.looks[tag].state.remains)
            }
        return None

    def _conclude(self, taken: list[_Open]) -> None:
        for each in taken:
            wanted = set(each.targets)
            for remain in each.left:
                self._removed_ahead.drop(remain.item.repository, remain.tag)
            for target, outcome in outcomes(each.item, each.removal, each.looks):
                if target in wanted:
                    self.tell(each.item, (target,), outcome)
            self._in_flight.end(each.sending)

    def _give_up(self, taken: list[_Open], cause: Failure) -> None:
        for each in taken:
            self.tell(each.item, each.targets, Failed(unknown_effect(cause)))
            self._in_flight.end(each.sending)


_CUT_OFF = Failure(FailureCode.UNCONFIRMED, "the run was stopped before the registry was asked")
