"""What was read too long ago is judged again before anything goes by it; time is the test's."""

from collections.abc import Callable

import pytest

from bulkrm.model.plan import Plan
from bulkrm.model.settings import Shared
from bulkrm.sandbox import oci_image
from tests.engine.runs import APP, Runs, words


def later(runs: Runs, seconds: float, change: Callable[[], object]) -> Callable[[Plan], object]:
    """What happens while a question waits for its answer."""

    async def wait(_: Plan) -> None:
        change()
        runs.clock.skip(seconds)

    return wait


@pytest.mark.parametrize(("seconds", "is_judged_again"), [(61.0, True), (0.0, False)])
async def test_after_a_minute_a_tag_that_moved_is_kept(runs: Runs, seconds: float, *, is_judged_again: bool) -> None:
    """A plan of more than a minute is judged again: a tag that leads elsewhere by then stays, with what it held."""
    digests = runs.fill(2)
    new = runs.registry.push(APP, oci_image(50))

    done = await runs.delete(before_delete=later(runs, seconds, lambda: runs.registry.store.tag(APP, "pr-0", new)))

    assert words(done) == {"pr-0": "kept moved", "pr-1": "deleted"}
    assert runs.registry.tags(APP) == {"pr-0": new}
    assert (digests[0] in runs.registry.deleted(APP)) is not is_judged_again


async def test_a_tag_that_came_onto_a_doomed_digest_keeps_it(runs: Runs) -> None:
    """A release that somebody tags while the plan waits is shared, and its image stays."""
    digests = runs.fill(2)

    done = await runs.delete(before_delete=later(runs, 61, lambda: runs.registry.store.tag(APP, "v1", digests[0])))

    assert words(done) == {"pr-0": "kept shared", "pr-1": "deleted"}
    assert runs.registry.deleted(APP) == [digests[1]]


async def test_what_one_judgement_keeps_no_later_one_deletes(runs: Runs) -> None:
    """A tag that came and went again between two judgements has kept its digest for good."""
    digests = runs.fill(3)
    for digest in digests[:2]:
        runs.on("DELETE", digest, lambda: runs.clock.skip(61))
    runs.on("DELETE", digests[0], lambda: runs.registry.store.tag(APP, "v1", digests[2]))
    runs.on("DELETE", digests[1], lambda: runs.registry.store.delete_tag(APP, "v1"))

    done = await runs.delete(concurrency=1)

    assert words(done) == {"pr-0": "deleted", "pr-1": "deleted", "pr-2": "kept shared"}


async def test_new_names_alone_are_read_between_two_judgements(runs: Runs) -> None:
    """Where the reading itself takes long, the list is read each minute, and only what is new in it."""
    digests = runs.fill(4)
    for seed in range(60):
        runs.keep(f"stays-{seed}", seed=1000 + seed)
    runs.on("HEAD", "stays", lambda: runs.clock.skip(1), times=None)
    runs.on("DELETE", digests[0], lambda: runs.clock.skip(61))
    runs.on("DELETE", digests[0], lambda: runs.registry.store.tag(APP, "new", digests[3]))

    done = await runs.delete(concurrency=1)

    assert words(done)["pr-3"] == "kept shared"
    read = [line for line in runs.registry.asked("HEAD", "GET") if "manifests/stays" in line]
    assert len(read) <= 2 * 60


async def test_a_machine_that_slept_reads_again(runs: Runs) -> None:
    """An hour that only the wall clock counted is an hour."""
    digests = runs.fill(2)

    def sleep() -> None:
        runs.clock.suspend(3600)
        runs.registry.store.tag(APP, "v1", digests[1])

    done = await runs.delete(before_delete=later(runs, 0, sleep), shared=Shared.REFUSE)

    assert words(done) == {"pr-0": "deleted", "pr-1": "kept shared"}
