"""What proves a deletion: a registry's 202 is believed once it kept its word, and no report says more than was seen."""

from dataclasses import replace

import pytest

from bulkrm.model.plan import Order
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Call, Reply, Sandbox, SandboxSettings, ServerRequest, oci_image, oci_index, put_image
from tests.integration.engine import Done, Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
REAL = r"sha256:(?!0{64})"
OUTLIVING = SandboxSettings(tags_survive_digest_delete=True)
CRANE = SandboxSettings(tags_survive_digest_delete=True, tag_deletes=True)


def served(sandbox: Sandbox, *names: str) -> list[str]:
    """Which of these tags and digests answer."""
    store = sandbox.store
    return [name for name in names if store.digest_of(APP, name) or store.manifest(APP, name)]


async def run(sandbox: Sandbox, clock: FakeClock, text: str = f"- {APP}:pr-*", **options: object) -> Done:
    """Carry out a list on a clock that jumps."""
    return await delete(sandbox.host, text, replace(Options(clock=clock), **options))  # type: ignore[arg-type]


async def test_tags_that_outlive_their_manifest_are_deleted_too() -> None:
    """Where the registry deletes tags, the image is deleted, manifest and tags, and the looks cost a second once."""
    clock = FakeClock(auto=True)
    async with Sandbox(CRANE, clock=clock.wall) as sandbox:
        digests = [put_image(sandbox.store, APP, [f"pr-{n}", f"pr-{n}-too"], oci_image(n)) for n in range(5)]
        put_image(sandbox.store, APP, ["latest"], oci_image(99))

        done = await run(sandbox, clock)

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert served(sandbox, *digests) == []
        assert clock.slept == [1.0]


async def test_tags_that_remain() -> None:
    """Where it does not delete tags, the first image fails with a code of its own, and no other is broken."""
    clock = FakeClock(auto=True)
    async with Sandbox(OUTLIVING, clock=clock.wall) as sandbox:
        digests = [put_image(sandbox.store, APP, [f"pr-{n}"], oci_image(n)) for n in range(5)]

        done = await run(sandbox, clock)

        assert set(done.statuses.values()) == {"failed tags-remain"}
        assert all(image["hint"] for image in done.images)
        assert (done.code, done.report.tally.unfinished) == (1, 1)
        assert len(served(sandbox, *digests)) == 4
        assert len(sandbox.store.tags(APP) or ()) == 5


async def test_no_child_goes_while_a_tag_serves_its_index() -> None:
    """With `--recursive` the children stay where the tag of their index cannot be deleted."""
    clock = FakeClock(auto=True)
    for settings, gone in ((OUTLIVING, False), (CRANE, True)):
        async with Sandbox(settings, clock=clock.wall) as sandbox:
            index = oci_index(3)
            put_image(sandbox.store, APP, ["pr-1"], index)

            done = await run(sandbox, clock, recursive=True)

            children = [child.digest for child in index.children]
            assert served(sandbox, *children) == ([] if gone else children)
            words = {name.partition("@")[2][:6] or name: word for name, word in done.statuses.items()}
            expected = ("deleted", "deleted") if gone else ("failed tags-remain", "kept needed")
            assert (words[f"{APP}:pr-1"], words["sha256"]) == expected


async def test_also_removed_names_only_what_is_gone() -> None:
    """With `--shared delete` an unlisted tag that lives on is not said to be removed, and keeps the image from being deleted."""
    clock = FakeClock(auto=True)
    for settings, expected in ((OUTLIVING, "failed tags-remain"), (CRANE, "deleted")):
        async with Sandbox(settings, clock=clock.wall) as sandbox:
            put_image(sandbox.store, APP, ["pr-1", "v2"], oci_image(1))

            done = await run(sandbox, clock, shared=Shared.DELETE)

            assert done.statuses == {f"{APP}:pr-1": expected}
            gone = [f"{sandbox.host}/{APP}:v2"] if expected == "deleted" else []
            assert done.images[0]["also_removed"] == gone
            assert bool(served(sandbox, "v2")) is not bool(gone)


@pytest.mark.parametrize(("text", "code"), [(f"- {APP}:pr-*", "tags-remain"), ("digest", "unconfirmed")])
async def test_an_answer_without_an_effect(text: str, code: str) -> None:
    """A registry whose 202 means nothing: the first image fails, and the others are not even asked for."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(ignores_deletes=True), clock=clock.wall) as sandbox:
        tags = text != "digest"
        digests = [put_image(sandbox.store, APP, [f"pr-{n}"] if tags else [], oci_image(n)) for n in range(5)]
        listed = text if tags else "\n".join(f"- {APP}@{digest}" for digest in digests)

        done = await run(sandbox, clock, listed)

        assert set(done.statuses.values()) == {f"failed {code}"}
        assert done.count("DELETE") == 1
        assert served(sandbox, *digests) == digests


@pytest.mark.parametrize("lag", [0.5, 2.0, 12.0])
async def test_a_registry_that_takes_its_time(lag: float) -> None:
    """A deletion that takes effect seconds later is a deletion; after the first one no other is waited for."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(delete_lag=lag), clock=clock.wall) as sandbox:
        for number in range(5):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number))

        done = await run(sandbox, clock)

        assert set(done.statuses.values()) == {"deleted"}
        assert sum(clock.slept) <= 13.0
        await clock.sleep(lag)
        await delete(sandbox.host, f"- {APP}:nothing", Options(clock=clock))
        assert sandbox.store.tags(APP) == []


async def test_a_registry_that_takes_longer_than_anybody_waits() -> None:
    """It fails as what may still take effect, so that `resume` looks again and `undo` knows of it."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(delete_lag=60.0), clock=clock.wall) as sandbox:
        put_image(sandbox.store, APP, ["pr-1"], oci_image(1))

        done = await run(sandbox, clock)

        assert done.statuses == {f"{APP}:pr-1": "failed tags-remain"}
        assert done.report.tally.unfinished == 1


async def test_what_the_looks_cost() -> None:
    """Three requests for each host and first path component with tags, one where only digests go."""
    for places, tagged, cost in ((1, True, 3), (3, True, 9), (1, False, 1), (2, False, 2)):
        async with Sandbox() as sandbox:
            lines, number = [], 0
            for place in range(places):
                for repository in ("one", "two"):
                    path = f"team-{place}/{repository}"
                    for _ in range(4):
                        number += 1
                        digest = put_image(sandbox.store, path, [f"pr-{number}"] if tagged else [], oci_image(number))
                        lines.append(f"- {path}:pr-{number}" if tagged else f"- {path}@{digest}")

            done = await delete(sandbox.host, "\n".join(lines))

            assert set(done.statuses.values()) == {"deleted"}
            first = next(place for place, (method, _) in enumerate(done.sent) if method == "DELETE")
            looks = [sent for sent in done.sent[first:] if sent[0] != "DELETE"]
            assert len(looks) == cost


async def test_the_first_of_a_place_goes_alone() -> None:
    """What is deleted before the first look is over is one image for each place, however many requests are allowed."""
    async with Sandbox() as sandbox:
        for number in range(20):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number))
        before: list[int] = []

        async def count(_: ServerRequest) -> None:
            before.append(sum(line.method == "DELETE" for line in sandbox.log))

        sandbox.faults.add(Call(count), method="GET", path="tags/list", skip=1)

        done = await delete(sandbox.host, f"- {APP}:pr-*", Options(concurrency=16))

        assert set(done.statuses.values()) == {"deleted"}
        assert before == [1]


async def test_a_mixed_list() -> None:
    """A digest without tags proves nothing about tags: the first image with a tag is looked at too."""
    clock = FakeClock(auto=True)
    async with Sandbox(OUTLIVING, clock=clock.wall) as sandbox:
        bare = put_image(sandbox.store, APP, [], oci_image(1))
        put_image(sandbox.store, APP, ["pr-1"], oci_image(2))

        done = await run(sandbox, clock, f"- {APP}@{bare}\n- {APP}:pr-1", concurrency=1)

        assert list(done.statuses.values()) == ["deleted", "failed tags-remain"]


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
async def test_tags_first_on_a_registry_that_deletes_no_tag_it_says_it_does(strategy: Strategy) -> None:
    """A 202 to DELETE of a tag proves no more: a tag that serves on is found, whatever the order."""
    clock = FakeClock(auto=True)
    async with Sandbox(CRANE, clock=clock.wall) as sandbox:
        put_image(sandbox.store, APP, ["pr-1"], oci_image(1))
        sandbox.faults.add(Reply(202), method="DELETE", path="pr-1$", times=None)

        done = await run(sandbox, clock, strategy=strategy)

        assert done.statuses == {f"{APP}:pr-1": "failed tags-remain"}
        if strategy is Strategy.TAGS_FIRST:
            assert done.plan is not None
            assert set(done.plan.orders.values()) == {Order.TAGS_FIRST}


async def test_an_untag_without_an_effect() -> None:
    """A tag that is still there after its DELETE was answered is not said to be untagged."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(tag_deletes=True), clock=clock.wall) as sandbox:
        put_image(sandbox.store, APP, ["pr-1", "latest"], oci_image(1))
        sandbox.faults.add(Reply(202), method="DELETE", path="pr-1$", times=None)

        done = await run(sandbox, clock, shared=Shared.UNTAG)

        assert done.statuses == {f"{APP}:pr-1": "failed tags-remain"}


async def test_a_look_that_fails() -> None:
    """Where nobody can look what came of the first deletion, it is unconfirmed, and the next one is looked at instead."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        for number in range(3):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(number))

        async def blind(_: ServerRequest) -> None:
            sandbox.faults.add(Reply(503), method="HEAD|GET", path="manifests/sha256", times=12)

        sandbox.faults.add(Call(blind), method="DELETE", path=REAL)

        done = await run(sandbox, clock, concurrency=1)

        assert list(done.statuses.values()) == ["failed unconfirmed", "deleted", "deleted"]


async def test_a_tag_that_was_pushed_anew_is_moved() -> None:
    """Between reading and DELETE somebody pushed the tag anew and deleted the old image: kept as moved, not absent."""
    async with Sandbox() as sandbox:
        old = put_image(sandbox.store, APP, ["pr-1", "pr-1-too"], oci_image(1))
        new = put_image(sandbox.store, APP, [], oci_image(2))

        async def push(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "pr-1", new)
            sandbox.store.delete_manifest(APP, old)

        sandbox.faults.add(Call(push), method="DELETE", path=old)

        done = await delete(sandbox.host, f"- {APP}:pr-*")

        assert done.statuses == {f"{APP}:pr-1": "kept moved", f"{APP}:pr-1-too": "absent"}
        assert done.images[0]["because"] == [f"{sandbox.host}/{APP}:pr-1@{new}"]
        assert done.code == 3
        assert sandbox.store.digest_of(APP, "pr-1") == new


async def test_verify_asks_for_what_was_deleted() -> None:
    """A deleted tag or digest that answers afterwards is a difference; so is a tag that is listed and answers nothing."""
    image = oci_image(1)

    def again(sandbox: Sandbox) -> None:
        put_image(sandbox.store, APP, ["pr-1"], image)

    def other(sandbox: Sandbox) -> None:
        put_image(sandbox.store, APP, ["pr-1"], oci_image(7))

    def dangling(sandbox: Sandbox) -> None:
        sandbox.store.tag(APP, "pr-1", image.digest)

    for happens, wrong in ((again, [":pr-1", f"@{image.digest}"]), (other, [":pr-1"]), (dangling, [":pr-1"])):
        async with Sandbox() as sandbox:
            put_image(sandbox.store, APP, ["pr-1"], image)
            last = put_image(sandbox.store, APP, ["pr-2"], oci_image(2))

            async def happen(_: ServerRequest, sandbox: Sandbox = sandbox, happens: object = happens) -> None:
                happens(sandbox)  # type: ignore[operator]

            sandbox.faults.add(Call(happen), method="DELETE", path=last)

            done = await delete(sandbox.host, f"- {APP}:pr-1\n- {APP}:pr-2", Options(verify=True, concurrency=1))

            assert set(done.statuses.values()) == {"deleted"}
            assert done.report.verification is not None
            found = [difference.image for difference in done.report.verification.differences]
            assert found == [f"{sandbox.host}/{APP}{name}" for name in wrong]
            assert all(difference.expected is None for difference in done.report.verification.differences)
            assert done.code == 1


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
@pytest.mark.parametrize("works", [False, True])
async def test_a_registry_that_leaves_its_tags_listed(strategy: Strategy, *, works: bool) -> None:
    """Every tag answers 404 when its manifest is gone and is listed still: none is deleted before it went from the list."""
    clock = FakeClock(auto=True)
    async with Sandbox(SandboxSettings(tag_deletes=True), clock=clock.wall) as sandbox:
        for number in range(3):
            put_image(sandbox.store, APP, [f"pr-{number}", f"pr-{number}-too"], oci_image(number))

        async def unlink(asked: ServerRequest) -> None:
            sandbox.store.delete_manifest(APP, asked.target.rpartition("/")[2], only=0)

        sandbox.faults.add(Call(unlink), method="DELETE", path=REAL, times=None)
        sandbox.faults.add(Reply(202), method="DELETE", path=REAL, times=None)
        if not works:
            sandbox.faults.add(Reply(202), method="DELETE", path="pr-.*", times=None)

        done = await run(sandbox, clock, strategy=strategy)

        assert set(done.statuses.values()) == ({"deleted"} if works else {"failed unfinished"})
        assert bool(sandbox.store.tags(APP)) is not works


@pytest.mark.parametrize("settings", [OUTLIVING, CRANE])
async def test_unseen_tags_that_outlive_their_manifest(settings: SandboxSettings) -> None:
    """Where the tags were not listed, those of the list are looked at all the same: none answers that is `deleted`."""
    clock = FakeClock(auto=True)
    async with Sandbox(settings, clock=clock.wall) as sandbox:
        for number in range(3):
            put_image(sandbox.store, APP, [f"pr-{number}", f"pr-{number}-too"], oci_image(number))
        text = "\n".join(f"- {APP}:pr-{number}{more}" for number in range(3) for more in ("", "-too"))

        done = await run(sandbox, clock, text, shared=Shared.DELETE_UNSEEN)

        deleted = {name.rpartition(":")[2] for name, word in done.statuses.items() if word == "deleted"}
        assert served(sandbox, *deleted) == []
        assert set(done.statuses.values()) == ({"deleted"} if settings.tag_deletes else {"failed tags-remain"})
