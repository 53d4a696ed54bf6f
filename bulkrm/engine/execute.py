"""The delete phase: many repositories wide, under each host's limiter, one outcome for every target."""

from collections.abc import Awaitable, Callable, Sequence

import anyio

from bulkrm.client.host import Footprint, Withdrawn
from bulkrm.client.registry import Registry, Removal
from bulkrm.engine.asking import Asking
from bulkrm.engine.book import Book
from bulkrm.engine.crew import work_through
from bulkrm.engine.observer import Observer
from bulkrm.engine.stop import GRACE, Stop
from bulkrm.model.digest import Digest
from bulkrm.model.failure import Failure, FailureCode
from bulkrm.model.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.model.plan import Doomed, Item
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest
from bulkrm.planning.recheck import Recheck
from bulkrm.planning.steps import compile_steps

_UNCONFIRMED = Failure(
    FailureCode.UNCONFIRMED,
    "the DELETE was sent, and the run was stopped before its answer came",
    hint="run again: what is gone by then is reported as absent",
)
# Judges the doomed items of a repository a second time where they grew old; None: the run was stopped meanwhile.
Freshen = Callable[[Repository, Sequence[Item]], Awaitable[Recheck | None]]


class Execution:
    """Carries out one plan."""

    def __init__(self, asking: Asking, freshen: Freshen, book: Book, stop: Stop, observer: Observer) -> None:
        """Begin with nothing done."""
        self._asking = asking
        self._freshen = freshen
        self._book = book
        self._stop = stop
        self._observer = observer
        self._fail_fast = False
        self._doomed: dict[Repository, list[Item]] = {}
        self._current: dict[Repository, dict[Digest, Item]] = {}
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
        item = await self._fresh(step.item)
        if item is None or self._stop:
            return
        barred = self._barred(item, step)
        outcome = barred or await self._outcome(item)
        if outcome is None:
            return
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

    async def _outcome(self, item: Item) -> Outcome | None:
        """DELETE one manifest; None: it was taken back before it was sent."""
        footprint = Footprint(withdrawn=self._stop.__bool__)
        self._under_way.append(footprint)

        async def delete(registry: Registry) -> Removal:
            return await registry.delete(item.repository, item.digest, footprint)

        try:
            result = await self._asking.of(item.repository, delete)
            self._open.add(item.repository.host)
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

    async def _fresh(self, item: Item) -> Item | None:
        """Return the item as the second judgement leaves it, made once for each repository; None: it is not to go."""
        repository = item.repository
        current = self._current.get(repository)
        if current is None:
            async with self._locks.setdefault(repository, anyio.Lock()):
                current = self._current.get(repository)
                if current is None:
                    current = await self._judge_again(repository)
        return current.get(item.digest)

    async def _judge_again(self, repository: Repository) -> dict[Digest, Item]:
        result = await self._freshen(repository, self._doomed[repository])
        if result is None:
            return {}
        for settled in result.dropped:
            self._book.record(settled.target, settled.outcome)
            if self._fail_fast and isinstance(settled.outcome, Failed):
                self._stop.fail_fast()
        current = self._current[repository] = {item.digest: item for item in result.items}
        return current

    def _settle(self, item: Item, outcome: Outcome) -> None:
        for target in item.targets:
            self._book.record(target, outcome, item.resolved)
