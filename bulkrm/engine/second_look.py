"""Right before something goes, its repository is judged a second time, if the first judgement grew old."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import anyio

from bulkrm.client.clock import Clock
from bulkrm.engine.around import Record
from bulkrm.engine.book import Book
from bulkrm.model.plan import Item, Settled
from bulkrm.model.reference import Repository
from bulkrm.model.target import Target
from bulkrm.planning.recheck import Fresh, Recheck

# Judges what is to be done in one repository a second time where that grew old, or in any case if the last argument
# says so; None: the run was stopped meanwhile.
Freshen = Callable[[Repository, Sequence[Item], bool], Awaitable[Recheck | Fresh | None]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The second judgement of a repository, of the moment `at`: what still goes, and what became of the rest.

    `items` None: everything goes, as it was judged first.
    """

    at: float
    items: Mapping[Target, Item] | None
    dropped: Mapping[Target, Settled]


@dataclass(frozen=True, slots=True)
class Looked:
    """What still goes of an item, if anything, and what became of the rest."""

    item: Item | None
    dropped: tuple[Settled, ...] = ()


class SecondLook:
    """The second judgements of a run, one for each repository, made again where it paused for too long."""

    def __init__(self, acts: Sequence[Item], freshen: Freshen, clock: Clock, book: Book, record: Record) -> None:
        """Take what is to be done."""
        self._freshen = freshen
        self._clock = clock
        self._book = book
        self._record = record
        self._acts: dict[Repository, list[Item]] = {}
        for item in acts:
            self._acts.setdefault(item.repository, []).append(item)
        self._judged: dict[Repository, _Judged] = {}
        self._locks: dict[Repository, anyio.Lock] = {}

    def age_of(self, repository: Repository) -> float | None:
        """Return the moment of the second judgement; None before there is one."""
        judged = self._judged.get(repository)
        return judged.at if judged else None

    async def at(self, item: Item, since: float | None) -> Item | None:
        """Return the item as the second judgement leaves it; None: it is not to go, and that is written down.

        Also None where the run was stopped. The judgement is made again where it is not younger than `since`.
        """
        looked = await self.judged(item, since)
        self.settle(item, looked)
        return looked.item

    def settle(self, item: Item, looked: Looked) -> None:
        """Write down what became of what does not go."""
        for settled in looked.dropped:
            self._record(item, (settled.target,), settled.outcome)

    async def judged(self, item: Item, since: float | None) -> Looked:
        """Return what the second judgement says of an item, as `at`, and write nothing down."""
        repository = item.repository
        judged = self._judged.get(repository)
        if judged is None or (since is not None and judged.at <= since):
            async with self._locks.setdefault(repository, anyio.Lock()):
                judged = self._judged.get(repository)
                if judged is None or (since is not None and judged.at <= since):
                    judged = await self._judge_again(repository, again=since is not None)
        if judged is None:
            return Looked(None)
        if judged.items is None:
            return Looked(item)
        dropped = (judged.dropped.get(target) for target in item.targets if not self._book.has(target))
        going = next((judged.items[target] for target in item.targets if target in judged.items), None)
        left = self._still_open(going) if going is not None else None
        return Looked(left, tuple(settled for settled in dropped if settled is not None))

    def _still_open(self, item: Item) -> Item | None:
        """Leave out what has its outcome: another tag of the same image may have gone before this one's pause."""
        left = tuple(target for target in item.targets if not self._book.has(target))
        if left == item.targets:
            return item
        return replace(item, targets=left) if left else None

    async def _judge_again(self, repository: Repository, *, again: bool) -> _Judged | None:
        at = self._clock.monotonic()
        result = await self._freshen(repository, self._acts[repository], again)
        if result is None:
            return None
        if isinstance(result, Fresh):
            judged = self._judged[repository] = _Judged(at, None, {})
            return judged
        items = {target: item for item in result.items for target in item.targets}
        dropped = {settled.target: settled for settled in result.dropped}
        judged = self._judged[repository] = _Judged(at, items, dropped)
        return judged
