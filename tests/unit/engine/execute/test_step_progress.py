"""Whose turn it is: what waits and for how long; and what the progress of the delete phase counts."""

import anyio

from bulkrm.engine.execute.step_progress import StepProgress
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Advanced, Event, Phase, PhaseBegan, ignore
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Order, Untag, UntagMethod, Verdict
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest

APP, LIB = Repository("r.example", "app"), Repository("r.example", "lib")


def item(name: str, repository: Repository = APP, verdict: Verdict | None = None) -> Item:
    """A manifest."""
    return Item(repository, Resolved(Digest.of(name.encode()), OCI_MANIFEST, 3), (), verdict or Delete())


REMOVE_AHEAD = RemoveTagsAhead(APP, (item("one"),), Order.TAGS_FIRST)
ONE = DeleteManifest(item("one"))
CHILD = DeleteManifest(item("child"), (item("one").digest,))
DECOY = UntagManifest(item("shared", verdict=Untag(("keep",), UntagMethod.DECOY)))
BY_TAG = UntagManifest(item("shared", verdict=Untag(("keep",), UntagMethod.TAG)))
ELSEWHERE = DeleteManifest(item("one", LIB))


async def came(*steps: Step) -> list[list[Step]]:
    """Who came at once, and who came after each of these had its end, in this order."""
    progress = StepProgress(steps, ignore)
    there: list[list[Step]] = []
    waiting = list(steps)

    async def come(step: Step) -> None:
        await progress.wait_for_earlier_steps(step)
        waiting.remove(step)
        there[-1].append(step)

    async with anyio.create_task_group() as group:
        for step in (None, *steps):
            if step is not None:
                progress.end(step)
            there.append([])
            if step is None:
                for each in steps:
                    group.start_soon(come, each)
            await anyio.wait_all_tasks_blocked()
    assert not waiting
    return there


async def test_nothing_to_wait_for() -> None:
    """Deletions in different repositories, and tags that are deleted, come at once."""
    assert (await came(ONE, ELSEWHERE, BY_TAG))[0] == [ONE, ELSEWHERE, BY_TAG]


async def test_a_child_comes_after_its_index() -> None:
    """It waits for all that goes before it."""
    assert await came(ONE, CHILD) == [[ONE], [CHILD], []]


async def test_manifests_come_after_their_tags() -> None:
    """Where tags go first, all manifests of that repository wait for them, and no others."""
    assert await came(REMOVE_AHEAD, ONE, ELSEWHERE) == [[REMOVE_AHEAD, ELSEWHERE], [ONE], [], []]


async def test_nothing_is_deleted_while_decoys_are_pushed() -> None:
    """Neither tags nor manifests of that repository."""
    assert await came(DECOY, REMOVE_AHEAD, ONE, ELSEWHERE) == [[DECOY, ELSEWHERE], [REMOVE_AHEAD], [ONE], [], []]


class Watcher:
    """Keeps each phase, its total, and how often it advanced."""

    def __init__(self) -> None:
        self.phases: list[tuple[Phase, int, int]] = []

    def __call__(self, event: Event) -> None:
        match event:
            case PhaseBegan(phase, total):
                self.phases.append((phase, total, 0))
            case Advanced():
                phase, total, done = self.phases[-1]
                self.phases[-1] = (phase, total, done + 1)
            case _:
                raise AssertionError(event)


async def test_manifests_alone() -> None:
    """Without tags that go first there is one stage."""
    watcher = Watcher()
    steps = [DeleteManifest(item(str(number))) for number in range(3)]
    progress = StepProgress(steps, watcher)

    progress.begin()
    for step in steps:
        progress.end(step)

    assert watcher.phases == [(Phase.DELETING_MANIFESTS, 3, 3)]


async def test_tags_first() -> None:
    """Manifests are counted in their own stage, also those that went while tags were removed elsewhere."""
    watcher = Watcher()
    first, second, alone = item("first"), item("second"), item("alone", LIB)
    clear = RemoveTagsAhead(APP, (first, second), Order.TAGS_FIRST)
    progress = StepProgress([clear, *map(DeleteManifest, (first, second, alone))], watcher)

    progress.begin()
    watcher(ADVANCED)  # by the step itself, for each of its items
    progress.end(DeleteManifest(alone))
    watcher(ADVANCED)
    progress.end(clear)
    progress.end(DeleteManifest(first))
    progress.end(DeleteManifest(second))

    assert watcher.phases == [(Phase.REMOVING_TAGS, 2, 2), (Phase.DELETING_MANIFESTS, 3, 3)]
