"""The delete phase: many repositories wide, under each host's limiter, one outcome for every target."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from bulkrm.client.host import Footprint, Withdrawn
from bulkrm.client.registry import Registry, Removal
from bulkrm.engine.around import Around
from bulkrm.engine.asking import Asking
from bulkrm.engine.book import Book
from bulkrm.engine.crew import work_through
from bulkrm.engine.stop import GRACE
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.plan import Doomed, Item, Settled
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest
from bulkrm.planning.recheck import Recheck
from bulkrm.planning.steps import compile_steps
from bulkrm.protocol.exchange import still_limited

_UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)
STALE = 60.0  # seconds after which a repository is read a second time before its first DELETE
_LOOKS = 10  # times that a manifest is judged because the host paused in between; more is a host that never relents
# Judges the doomed items of a repository a second time where they grew old, or in any case if the last argument says so;
# None: the run was stopped meanwhile.
Freshen = Callable[[Repository, Sequence[Item], bool], Awaitable[Recheck | None]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The second judgement of a repository, of the moment `at`: what still goes, and what became of the rest."""

    at: float
    items: Mapping[Digest, Item]
    dropped: Mapping[Digest, Sequence[Settled]]


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
        self._doomed: dict[Repository, list[Item]] = {}
        self._judged: dict[Repository, _Judged] = {}
        self._locks: dict[Repository, anyio.Lock] = {}
        self._doors: dict[str, anyio.Lock] = {}
        self._open: set[str] = set()
        self._under_way: list[Footprint] = []
        self._finished: dict[tuple[Repository, Digest], anyio.Event] = {}
        self._gone: set[tuple[Repository, Digest]] = set()

    async def run(self, doomed: Sequence[Item], *, fail_fast: bool) -> None:
        """Delete. Returns when all is done, or stopped and the grace for what is in flight is over."""
        self._fail_fast = fail_fast
        for item in doomed:
            self._doomed.setdefault(item.repository, []).append(item)
            self._finished[item.repository, item.digest] = anyio.Event()
        steps = compile_steps(doomed)
        self._observer.phase("Deleting manifests", len(doomed))
        with self._stop.phase(GRACE, self._busy):
            await work_through(steps, self._asking.workers, self._step, self._stop)

    async def _step(self, step: DeleteManifest) -> None:
        key = step.item.repository, step.item.digest
        host = step.item.repository.host
        try:
            for parent in step.after:
                await self._finished[key[0], parent].wait()
            if host in self._open:
                await self._delete_unless_stopped(step)
                return
            # Until one DELETE was really sent, each goes alone: a registry that does not delete hears of it once.
            async with self._doors.setdefault(host, anyio.Lock()):
                if host not in self._open:
                    await self._delete_unless_stopped(step)
                    return
            await self._delete_unless_stopped(step)
        finally:
            self._finished[key].set()
            self._observer.advance()

    async def _delete_unless_stopped(self, step: DeleteManifest) -> None:
        if not self._stop:
            await self._delete(step)

    async def _delete(self, step: DeleteManifest) -> None:
        """Judge, send, and judge again where a pause of the host came in between and lasted."""
        since: float | None = None
        for _ in range(_LOOKS):
            item = await self._fresh(step.item, since)
            if item is None or self._stop:
                return
            since = self._clock.monotonic()
            outcome = self._barred(item, step) or await self._outcome(item, since)
            if outcome is not None:
                self._conclude(item, outcome)
                return
        self._conclude(step.item, Failed(still_limited(step.item.repository.host, STALE * _LOOKS)))

    def _conclude(self, item: Item, outcome: Outcome) -> None:
        self._settle(item, outcome)
        if isinstance(outcome, Deleted | Gone):
            self._gone.add((item.repository, item.digest))
        if isinstance(outcome, Failed) and self._fail_fast:
            self._stop.fail_fast()

    def _busy(self) -> bool:
        """Tell whether a DELETE may be taking effect right now; what only waits for its turn need not be waited for."""
        return any(footprint.possible for footprint in self._under_way)

    def _barred(self, item: Item, step: DeleteManifest) -> Failed | Kept | None:
        """Say why this need not, or must not, be asked of the registry any more."""
        known = self._asking.known(item.repository)
        if known is not None:
            return Failed(known)
        staying = next((parent for parent in step.after if (item.repository, parent) not in self._gone), None)
        return Kept(KeptReason.NEEDED, (f"{item.repository}@{staying}",)) if staying else None

    async def _outcome(self, item: Item, judged: float) -> Outcome | None:
        """DELETE one manifest; None: it was taken back before it was sent, stopped or judged too long ago."""
        host = item.repository.host
        footprint = Footprint(withdrawn=lambda: bool(self._stop) or self._asking.paused_since(host, judged, STALE))
        self._under_way.append(footprint)

        async def delete(registry: Registry) -> Removal:
            return await registry.delete(item.repository, item.digest, footprint)

        try:
            result = await self._asking.of(item.repository, delete)
            self._open.add(host)
        except Withdrawn:
            return None
        except BaseException:
            if footprint.possible:
                self._settle(item, Failed(_UNCONFIRMED))
            raise
        finally:
            self._under_way.remove(footprint)
            if not self._busy():
                self._stop.calm()
        if isinstance(result, Failure):
            return Failed(result)
        also = item.verdict.also_removed if isinstance(item.verdict, Doomed) else ()
        return Deleted(also) if result is Removal.DELETED else Gone()

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
        for settled in judged.dropped.get(item.digest, ()):
            if not self._book.has(settled.target):
                self._book.record(settled.target, settled.outcome)
                if self._fail_fast and isinstance(settled.outcome, Failed):
                    self._stop.fail_fast()
        return judged.items.get(item.digest)

    async def _judge_again(self, repository: Repository, *, again: bool) -> _Judged | None:
        at, doomed = self._clock.monotonic(), self._doomed[repository]
        result = await self._freshen(repository, doomed, again)
        if result is None:
            return None
        digests = {target: item.digest for item in doomed for target in item.targets}
        dropped: dict[Digest, list[Settled]] = defaultdict(list)
        for settled in result.dropped:
            dropped[digests[settled.target]].append(settled)
        judged = self._judged[repository] = _Judged(at, {item.digest: item for item in result.items}, dropped)
        return judged

    def _settle(self, item: Item, outcome: Outcome) -> None:
        for target in item.targets:
            self._book.record(target, outcome, item.resolved)
