"""Whose turn it is: what waits and for how long."""

import anyio

from bulkrm.engine.execute.step_order import StepOrder
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Order, Untag, UntagMethod, Verdict
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest

APP, LIB = Repository("r.example", "app"), Repository("r.example", "lib")


def item(name: str, repository: Repository = APP, verdict: Verdict | None = None) -> Item:
    """A manifest."""
    return Item(repository, Resolved(Digest.of(name.encode()), OCI_MANIFEST, 3), (), verdict or Delete())


CLEAR = RemoveTagsAhead(APP, (item("one"),), Order.TAGS_FIRST)
ONE = DeleteManifest(item("one"))
CHILD = DeleteManifest(item("child"), (item("one").digest,))
DECOY = UntagManifest(item("shared", verdict=Untag(("keep",), UntagMethod.DECOY)))
BY_TAG = UntagManifest(item("shared", verdict=Untag(("keep",), UntagMethod.TAG)))
ELSEWHERE = DeleteManifest(item("one", LIB))


async def came(*steps: Step) -> list[list[Step]]:
    """Who came at once, and who came after each of these had its end, in this order."""
    step_order = StepOrder(steps)
    there: list[list[Step]] = []
    waiting = list(steps)

    async def come(step: Step) -> None:
        await step_order.wait_for_earlier_steps(step)
        waiting.remove(step)
        there[-1].append(step)

    async with anyio.create_task_group() as group:
        for step in (None, *steps):
            if step is not None:
                step_order.end(step)
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
    assert await came(CLEAR, ONE, ELSEWHERE) == [[CLEAR, ELSEWHERE], [ONE], [], []]


async def test_nothing_is_deleted_while_decoys_are_pushed() -> None:
    """Neither tags nor manifests of that repository."""
    assert await came(DECOY, CLEAR, ONE, ELSEWHERE) == [[DECOY, ELSEWHERE], [CLEAR], [ONE], [], []]
