"""The delete phase: many repositories wide, under each host's limiter, one outcome for every target."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from bulkrm.engine.around import Around
from bulkrm.engine.asking import Asking
from bulkrm.engine.book import Book
from bulkrm.engine.crew import work_through
from bulkrm.engine.deletion import STALE, Deletion
from bulkrm.engine.flights import Flights
from bulkrm.engine.stop import GRACE
from bulkrm.engine.untag import Untagging
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.plan import Item, Settled, Untag, Way
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, Step
from bulkrm.model.target import Target
from bulkrm.planning.recheck import Recheck
from bulkrm.planning.steps import compile_steps
from bulkrm.protocol.exchange import still_limited
from bulkrm.state.errors import StateError

_LOOKS = 10  # times that a manifest is judged because the host paused in between; more is a host that never relents
# Judges what is to be done in one repository a second time where that grew old, or in any case if the last argument
# says so; None: the run was stopped meanwhile.
Freshen = Callable[[Repository, Sequence[Item], bool], Awaitable[Recheck | None]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The second judgement of a repository, of the moment `at`: what still goes, and what became of the rest."""

    at: float
    items: Mapping[Target, Item]
    dropped: Mapping[Target, Settled]


class Execution:
    """Carries out one plan."""

    def __init__(self, asking: Asking, freshen: Freshen, book: Book, around: Around) -> None:
        """Begin with nothing done."""
        self._asking = asking
        self._freshen = freshen
        self._book = book
        self._stop = around.stop
        self._clock = around.clock
        self._observer = around.observer
        self._fail_fast = False
        self._flights = Flights(around.stop)
        self._deletion = Deletion(asking, self._flights, around, self._concluded)
        self._untagging = Untagging(asking, self._flights, around, self._record)
        self._acts: dict[Repository, list[Item]] = {}
        self._judged: dict[Repository, _Judged] = {}
        self._locks: dict[Repository, anyio.Lock] = {}
        self._doors: dict[str, anyio.Lock] = {}
        self._open: set[str] = set()
        self._finished: dict[tuple[Repository, Digest], anyio.Event] = {}
        # distribution reads all tags of a repository to delete a manifest (registry/storage/tagstore.go `Lookup`), and
        # fails half-way where a tag is being written at that moment: so no manifest is deleted while decoys are pushed.
        self._pushed_over: dict[Repository, list[Digest]] = {}
        self._gone: set[tuple[Repository, Digest]] = set()

    async def run(self, acts: Sequence[Item], *, fail_fast: bool) -> None:
        """Do it. Returns when all is done, or stopped and the grace for what is in flight is over."""
        self._fail_fast = fail_fast
        for item in acts:
            self._acts.setdefault(item.repository, []).append(item)
            self._finished.setdefault((item.repository, item.digest), anyio.Event())
            if isinstance(item.verdict, Untag) and item.verdict.way is Way.DECOY:
                self._pushed_over.setdefault(item.repository, []).append(item.digest)
        steps = compile_steps(acts)
        self._observer.phase("Deleting manifests", len(acts))
        with self._stop.phase(GRACE, self._flights.busy):
            await work_through(steps, self._asking.workers, self._step, self._stop)

    async def _step(self, step: Step) -> None:
        repository = step.item.repository
        try:
            for digest in self._pushed_over.get(repository, ()) if isinstance(step, DeleteManifest) else ():
                await self._finished[repository, digest].wait()
            for parent in step.after:
                await self._finished[repository, parent].wait()
            if repository.host in self._open:
                await self._take_up(step)
                return
            # Until one DELETE was really sent, each goes alone: a registry that does not delete hears of it once.
            async with self._doors.setdefault(repository.host, anyio.Lock()):
                if repository.host not in self._open:
                    await self._take_up(step)
                    return
            await self._take_up(step)
        finally:
            self._finished[repository, step.item.digest].set()
            self._observer.advance()

    async def _take_up(self, step: Step) -> None:
        """Judge, do it, and judge again where a pause of the host came in between and lasted."""
        since: float | None = None
        for _ in range(_LOOKS):
            if self._stop:
                return
            item = await self._fresh(step.item, since)
            if item is None or self._stop:
                return
            since = self._clock.monotonic()
            barred = self._barred(item, step)
            if barred is not None:
                self._record(item, item.targets, barred)
                return
            work = self._untagging.untag if isinstance(item.verdict, Untag) else self._deletion.delete
            try:
                done = await work(item, since)
            except StateError as error:
                # What cannot be kept is not deleted, this one nor any other.
                self._record(item, item.targets, Failed(not_recorded(error)))
                self._stop.fail_fast()
                return
            if done:
                self._open.add(item.repository.host)
                return
        left = tuple(target for target in step.item.targets if not self._book.has(target))
        self._record(step.item, left, Failed(still_limited(step.item.repository.host, STALE * _LOOKS)))

    def _barred(self, item: Item, step: Step) -> Failed | Kept | None:
        """Say why this need not, or must not, be asked of the registry any more."""
        known = self._asking.known(item.repository)
        if known is not None:
            return Failed(known)
        staying = next((parent for parent in step.after if (item.repository, parent) not in self._gone), None)
        return Kept(KeptReason.NEEDED, (f"{item.repository}@{staying}",)) if staying else None

    async def _fresh(self, item: Item, since: float | None) -> Item | None:
        """Return the item as the second judgement leaves it; None: it is not to go.

        That judgement is made once for each repository, and again where it is not younger than `since`.
        """
        repository = item.repository
        judged = self._judged.get(repository)
        if judged is None or (since is not None and judged.at <= since):
            async with self._locks.setdefault(repository, anyio.Lock()):
                judged = self._judged.get(repository)
                if judged is None or (since is not None and judged.at <= since):
                    judged = await self._judge_again(repository, again=since is not None)
        if judged is None:
            return None
        for target in item.targets:
            settled = judged.dropped.get(target)
            if settled is not None and not self._book.has(target):
                self._record(item, (target,), settled.outcome)
        return next((judged.items[target] for target in item.targets if target in judged.items), None)

    async def _judge_again(self, repository: Repository, *, again: bool) -> _Judged | None:
        at, acts = self._clock.monotonic(), self._acts[repository]
        result = await self._freshen(repository, acts, again)
        if result is None:
            return None
        items = {target: item for item in result.items for target in item.targets}
        dropped = {settled.target: settled for settled in result.dropped}
        judged = self._judged[repository] = _Judged(at, items, dropped)
        return judged

    def _concluded(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Hear what came of deleting a manifest: what waits for it may go if it went."""
        self._record(item, targets, outcome)
        if isinstance(outcome, Deleted | Gone):
            self._gone.add((item.repository, item.digest))

    def _record(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        for target in targets:
            self._book.record(target, outcome, item.resolved)
        if isinstance(outcome, Failed) and self._fail_fast:
            self._stop.fail_fast()


def not_recorded(error: StateError) -> Failure:
    """Say that something was not sent because it could not be kept."""
    hint = "make room, or give another folder with --state-dir; what was not deleted can be deleted then"
    return Failure(FailureCode.NOT_RECORDED, f"the run cannot be recorded: {error.what}", None, hint)
