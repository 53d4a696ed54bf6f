"""The second judgement of a repository: who still goes, when it is made again, and what it must not say twice."""

from collections.abc import Sequence

from bulkrm.engine.book import Book
from bulkrm.engine.observer import Silent
from bulkrm.engine.second_look import SecondLook
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.outcome import Kept, KeptReason, Outcome, Untagged
from bulkrm.model.plan import Item, Settled, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Source, Target
from bulkrm.planning.recheck import Recheck
from tests.support.clock import FakeClock

APP = Repository("registry.example", "team/app")
A, B, C = (Target(TagRef(APP, tag), Source("list", line)) for line, tag in enumerate("abc"))
ITEM = Item(
    APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (A, B, C), Untag((f"{APP}:keep",)), ("a", "b", "c", "keep")
)


class Judge:
    """Says that everything still goes but for `c`, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _: Repository, acts: Sequence[Item], __: bool) -> Recheck:  # noqa: FBT001 (as the engine calls it)
        self.asked += 1
        (item,) = acts
        left = Item(item.repository, item.resolved, (A, B), item.verdict, item.tags)
        return Recheck((left,), (Settled(C, Kept(KeptReason.MOVED)),))


def look_of(judge: Judge, clock: FakeClock) -> tuple[SecondLook, Book]:
    """A second look over the item, which writes into a book."""
    book = Book(Silent(), lambda _: None)
    book.open([A, B, C])

    def record(item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        for target in targets:
            book.record(target, outcome, item.resolved)

    return SecondLook([ITEM], judge, clock, book, record), book


async def test_what_it_drops_has_its_outcome() -> None:
    """What does not go any more is written down, once, and what goes is asked for once as long as it is young enough."""
    judge, clock = Judge(), FakeClock()
    look, book = look_of(judge, clock)

    first, second = await look.at(ITEM, None), await look.at(ITEM, None)

    assert first is not None
    assert first.targets == (A, B)
    assert first == second
    assert judge.asked == 1
    assert book.has(C)
    assert not book.has(A)


async def test_what_is_not_younger_is_judged_again() -> None:
    """A pause came after it was made."""
    judge, clock = Judge(), FakeClock()
    look, _ = look_of(judge, clock)
    await look.at(ITEM, None)
    clock.skip(70)

    await look.at(ITEM, 60.0)
    clock.skip(1)
    await look.at(ITEM, 60.0)

    assert judge.asked == 2


async def test_what_went_since_does_not_go_again() -> None:
    """A tag that was taken off before its image had to be judged again, by a judgement that still knows that tag."""
    judge, clock = Judge(), FakeClock()
    look, book = look_of(judge, clock)
    item = await look.at(ITEM, None)
    assert item is not None
    book.record(A, Untagged((f"{APP}:keep",)), item.resolved)

    left = await look.at(item, None)
    book.record(B, Untagged((f"{APP}:keep",)), item.resolved)
    none = await look.at(item, None)

    assert left is not None
    assert left.targets == (B,)
    assert none is None
