"""Two runs at once on one repository, with decoys: neither takes the other's decoy for somebody's push, nor its way back."""

import anyio
import pytest

from bulkrm import Client, Status, parse_images
from bulkrm.model.manifests.manifest import empty_index
from bulkrm.model.plan import Plan
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import Failed
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, oci_image, put_image
from bulkrm.sandbox.registry.store import StoredManifest
from tests.integration.engine import Done, Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
LIST = f"- {APP}:pr-*"
OTHER = "20260131T120000Z-abcdef"


def decoy(sandbox: Sandbox, *tags: str) -> str:
    """Push the decoy of another run over tags; return its digest."""
    index = empty_index("f00", OTHER)
    sandbox.store.plant(APP, StoredManifest(index.digest, index.media_type, index.content))
    for tag in tags:
        sandbox.store.tag(APP, tag, index.digest)
    return index.digest


@pytest.mark.parametrize("untag", [False, True])
async def test_at_once(*, untag: bool) -> None:
    """Everything goes, and neither says `moved` of what the other took off."""
    async with Sandbox() as sandbox:
        for number in range(30):
            names = [f"pr-{number}", f"keep-{number}"] if untag else [f"pr-{number}"]
            put_image(sandbox.store, APP, names, oci_image(number))
        done: list[Done] = []
        ready = [anyio.Event(), anyio.Event()]

        async def run(number: int) -> None:
            async def together(_: Plan) -> None:
                ready[number].set()
                for event in ready:
                    await event.wait()

            options = Options(
                clock=FakeClock(auto=True),
                strategy=Strategy.DIGEST if untag else Strategy.TAGS_FIRST,
                allow_decoy=True,
                shared=Shared.UNTAG if untag else Shared.REFUSE,
                before_delete=together,
                concurrency=4,
            )
            done.append(await delete(sandbox.host, LIST, options))

        async with anyio.create_task_group() as group:
            group.start_soon(run, 0)
            group.start_soon(run, 1)

        words = {word for each in done for word in each.statuses.values()}
        assert not any("moved" in word for word in words), [each.statuses for each in done]
        assert words <= {"untagged" if untag else "deleted", "absent", "failed unfinished"}
        assert not [tag for tag in sandbox.store.tags(APP) or () if tag.startswith("pr-")]
        for number in range(30):
            told = {each.statuses[f"{APP}:pr-{number}"] for each in done}
            assert told & {"untagged", "deleted"}, "somebody did it, and says so"


@pytest.mark.parametrize("strategy", [Strategy.TAGS_FIRST, Strategy.DIGEST])
async def test_what_another_run_left_half_way(strategy: Strategy) -> None:
    """A decoy that stays under a tag is left alone, named with its run, and the image with it; the rest goes."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        untag = strategy is Strategy.DIGEST
        digests = [
            put_image(sandbox.store, APP, [f"pr-{n}", *([f"keep-{n}"] if untag else [])], oci_image(n))
            for n in range(4)
        ]
        held: list[str] = []

        async def other(_: Plan) -> None:
            held.append(decoy(sandbox, "pr-1", "pr-2"))

        options = Options(
            clock=clock, strategy=strategy, allow_decoy=True, before_delete=other,
            shared=Shared.UNTAG if untag else Shared.REFUSE,
        )  # fmt: skip

        done = await delete(sandbox.host, LIST, options)

        gone = "untagged" if untag else "deleted"
        assert list(done.statuses.values()) == [gone, "failed unfinished", "failed unfinished", gone]
        assert OTHER in done.images[1]["error"]["message"]
        assert f"bulkrm resume {OTHER}" in done.images[1]["hint"]
        assert [sandbox.store.digest_of(APP, tag) for tag in ("pr-1", "pr-2")] == held * 2
        assert sandbox.store.manifest(APP, digests[1]) is not None
        assert sum(clock.slept) < 40.0, "once for the decoy, not once for each tag"


async def test_another_run_that_comes_to_its_end() -> None:
    """A tag that goes with another run's decoy while it is waited for is absent, and its image goes."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        for number in range(3):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number))
        held: list[str] = []

        async def other(_: Plan) -> None:
            held.append(decoy(sandbox, "pr-1"))
            sandbox.change(delete_lag=0.0)

        class Ends(FakeClock):
            async def sleep(self, seconds: float) -> None:
                sandbox.store.delete_manifest(APP, held[0])
                await super().sleep(seconds)

        options = Options(clock=Ends(auto=True), strategy=Strategy.TAGS_FIRST, allow_decoy=True, before_delete=other)

        done = await delete(sandbox.host, LIST, options)

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == []
        assert not sandbox.store.digests(APP)


async def test_met_when_the_repository_is_read_again() -> None:
    """A decoy that is met because the plan grew old is no more somebody's push than one that is met right before."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        for number in range(3):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number))

        async def other(_: Plan) -> None:
            decoy(sandbox, "pr-1")
            clock.skip(1000.0)

        options = Options(clock=clock, strategy=Strategy.DIGEST, before_delete=other)

        done = await delete(sandbox.host, LIST, options)

        assert list(done.statuses.values()) == ["deleted", "failed unfinished", "deleted"]
        assert OTHER in done.images[1]["error"]["message"]


@pytest.mark.parametrize("ends", [False, True])
async def test_met_by_the_first_judgement_of_apply(*, ends: bool) -> None:
    """A tag of a saved plan that holds another run's decoy has not moved: that run is at work there, and may come to its end."""
    held: list[str] = []

    class Waiting(FakeClock):
        async def sleep(self, seconds: float) -> None:
            if ends and held and sandbox.store.manifest(APP, held[0]) is not None:
                sandbox.store.delete_manifest(APP, held[0])
            await super().sleep(seconds)

    clock = Waiting(auto=True)
    async with Sandbox(SandboxSettings(auth=Auth.NONE), clock=clock.wall) as sandbox:
        digests = [put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number)) for number in range(3)]
        async with Client(clock=clock) as client:
            plan = await client.plan(parse_images([f"{sandbox.host}/{APP}:pr-*"]))
            held.append(decoy(sandbox, "pr-1"))
            sandbox.store.tag(APP, "pr-2", digests[0])

            report = await client.apply(plan)

        found = {image.image.rpartition(":")[2]: image for image in report.images}
        assert found["pr-2"].outcome.status is Status.KEPT
        if ends:
            assert found["pr-1"].outcome.status in (Status.ABSENT, Status.DELETED)
        else:
            outcome = found["pr-1"].outcome
            assert isinstance(outcome, Failed)
            assert outcome.failure.code is FailureCode.UNFINISHED
            assert OTHER in outcome.failure.message
            assert f"bulkrm resume {OTHER}" in str(outcome.failure.hint)
            assert sandbox.store.digest_of(APP, "pr-1") == held[0]
        assert sandbox.store.manifest(APP, digests[1]) is not None
