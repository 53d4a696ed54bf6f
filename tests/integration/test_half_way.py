"""A registry that stops half-way, and answers that hide an effect: what took effect is found out, and mended or said."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import (
    Call,
    Drop,
    DropAfter,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    oci_image,
    oci_index,
    put_image,
)
from tests.integration.engine import Options, delete, lost, undo
from tests.integration.resumed import resume
from tests.support.clock import FakeClock

APP = "team/app"
LIST = f"- {APP}:pr-*"
REAL = r"sha256:(?!0{64})"
TAGS, NO_TAGS = SandboxSettings(tag_deletes=True), SandboxSettings()


def fill(sandbox: Sandbox, number: int = 4) -> dict[str, str]:
    """Images with three tags each, and one to keep; return the digest of each image's first tag."""
    put_image(sandbox.store, APP, ["latest"], oci_image(999))
    return {
        f"pr-{n}-a": put_image(sandbox.store, APP, [f"pr-{n}-a", f"pr-{n}-b", f"pr-{n}-c"], oci_image(n))
        for n in range(number)
    }


def stops_half_way(sandbox: Sandbox, digest: str, tags: int) -> None:
    """Let the DELETE of a digest unlink the manifest and so many of its tags, and then nothing more."""

    async def half(_: ServerRequest) -> None:
        sandbox.store.delete_manifest(APP, digest, only=tags)

    sandbox.faults.add(Call(half), method="DELETE", path=digest)
    sandbox.faults.add(Drop(), method="DELETE", path=digest)


def tags(sandbox: Sandbox) -> list[str]:
    return sorted(sandbox.store.tags(APP) or ())


@pytest.mark.parametrize("left", [0, 1, 3])
async def test_tags_that_dangle_are_deleted_where_that_works(left: int) -> None:
    """What the registry left over is deleted tag by tag, and nothing is said to be deleted that is still listed."""
    clock = FakeClock(auto=True)
    async with Sandbox(TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox)
        for digest in list(digests.values())[1:3]:
            stops_half_way(sandbox, digest, 3 - left)

        done = await delete(sandbox.host, LIST, Options(clock=clock, strategy=Strategy.DIGEST))

        assert set(done.statuses.values()) == {"deleted"}
        assert (done.code, tags(sandbox)) == (0, ["latest"])


async def test_one_listing_answers_for_all() -> None:
    """However many deletions were cut short in a repository, its tags are listed once for them, and once after mending."""
    clock = FakeClock(auto=True)
    async with Sandbox(TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox, 12)
        for digest in list(digests.values())[2:]:
            sandbox.faults.add(DropAfter(), method="DELETE", path=digest)

        done = await delete(sandbox.host, LIST, Options(clock=clock, strategy=Strategy.DIGEST))

        assert set(done.statuses.values()) == {"deleted"}
        # The plan, the first deletion of the place, and all that were cut short.
        assert sum("tags/list" in path for _, path in done.sent) == 3


async def test_without_a_way_it_is_said(tmp_path: Path) -> None:
    """Where no tag can be deleted, the image is unfinished; `resume` mends it as soon as the registry can."""
    clock = FakeClock(auto=True)
    async with Sandbox(NO_TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox)
        stops_half_way(sandbox, digests["pr-1-a"], 1)
        options = Options(clock=clock, strategy=Strategy.DIGEST, state=tmp_path)

        done = await delete(sandbox.host, LIST, options)

        words = {name[-1]: word for name, word in done.statuses.items() if ":pr-1-" in name}
        assert words == {"a": "deleted", "b": "failed unfinished", "c": "failed unfinished"}
        assert done.count("PUT") == 0
        assert (done.code, done.report.tally.unfinished) == (1, 2)
        assert tags(sandbox) == ["latest", "pr-1-b", "pr-1-c"]

        sandbox.change(tag_deletes=True)
        again = await resume(sandbox.host, options)

        assert set(again.statuses.values()) == {"deleted"}
        assert (again.code, tags(sandbox)) == (0, ["latest"])


async def test_with_leave_to_push_a_decoy_mends_it() -> None:
    """With --allow-decoy what dangles is pushed over by a decoy, and goes with it; nothing else is overwritten."""
    clock = FakeClock(auto=True)
    async with Sandbox(NO_TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox)
        stops_half_way(sandbox, digests["pr-1-a"], 1)

        done = await delete(sandbox.host, LIST, Options(clock=clock, strategy=Strategy.DIGEST, allow_decoy=True))

        assert set(done.statuses.values()) == {"deleted"}
        assert [path.rpartition("/")[2] for method, path in done.sent if method == "PUT"] == ["pr-1-b", "pr-1-c"]
        assert tags(sandbox) == ["latest"]
        assert len(sandbox.store.digests(APP)) == 1


@pytest.mark.parametrize("allow", [True, False])
async def test_an_index_is_settled_before_its_children(*, allow: bool) -> None:
    """Children wait for the tag list where their index was cut short, and stay where one of its tags does."""
    clock = FakeClock(auto=True)
    async with Sandbox(NO_TAGS, clock=clock.wall) as sandbox:
        index = oci_index(5)
        put_image(sandbox.store, APP, ["pr-1", "pr-2"], index)
        stops_half_way(sandbox, index.digest, 1)

        done = await delete(sandbox.host, LIST, Options(clock=clock, recursive=True, allow_decoy=allow))

        children = {name: word for name, word in done.statuses.items() if "@" in name}
        assert set(children.values()) == {"deleted" if allow else "kept needed"}
        assert done.statuses[f"{APP}:pr-2"] == ("deleted" if allow else "failed unfinished")


@pytest.mark.parametrize("untag", [True, False])
@pytest.mark.parametrize("left", [1, 4])
async def test_a_decoy_whose_deletion_stops_half_way(left: int, *, untag: bool) -> None:
    """What was pushed over and dangles is pushed over again, and goes."""
    clock = FakeClock(auto=True)
    async with Sandbox(NO_TAGS, clock=clock.wall) as sandbox:
        names = [f"pr-{n}" for n in range(4)]
        if untag:
            put_image(sandbox.store, APP, [*names, "latest"], oci_image(1))
        else:
            for number, name in enumerate(names):
                put_image(sandbox.store, APP, [name], oci_image(number))
            put_image(sandbox.store, APP, ["latest"], oci_image(99))

        async def half(asked: ServerRequest) -> None:
            sandbox.store.delete_manifest(APP, asked.path.rpartition("/")[2], only=4 - left)

        sandbox.faults.add(Call(half), method="DELETE", path=REAL)
        sandbox.faults.add(Drop(), method="DELETE", path=REAL)
        strategy = Strategy.DIGEST if untag else Strategy.TAGS_FIRST
        options = Options(
            clock=clock, strategy=strategy, allow_decoy=True, shared=Shared.UNTAG if untag else Shared.REFUSE
        )

        done = await delete(sandbox.host, LIST, options)

        assert set(done.statuses.values()) == {"untagged" if untag else "deleted"}
        assert tags(sandbox) == ["latest"]


async def test_a_tag_whose_deletion_stops_half_way() -> None:
    """A tag that answers 404 after an answer that was lost, and is listed, is deleted once more."""
    clock = FakeClock(auto=True)
    for shared, word in ((Shared.UNTAG, "untagged"), (Shared.REFUSE, "deleted")):
        async with Sandbox(TAGS, clock=clock.wall) as sandbox:
            keep = ["latest"] if shared is Shared.UNTAG else []
            for number in range(3):
                put_image(sandbox.store, APP, [f"pr-{number}", *keep], oci_image(1))

            async def half(_: ServerRequest, sandbox: Sandbox = sandbox) -> None:
                sandbox.store.tag(APP, "pr-2", "sha256:" + "1" * 64)  # its folder is there, and leads nowhere

            sandbox.faults.add(Call(half), method="DELETE", path="pr-2$")
            sandbox.faults.add(Drop(), method="DELETE", path="pr-2$")

            options = Options(clock=clock, strategy=Strategy.TAGS_FIRST, shared=shared)
            done = await delete(sandbox.host, LIST, options)

            assert set(done.statuses.values()) == {word}
            assert tags(sandbox) == keep


@pytest.mark.parametrize("answer", [Reply(429, {"Retry-After": "3"}), Reply(429), Reply(503), Reply(408), DropAfter()])
async def test_an_effect_behind_a_bad_answer(answer: Reply | DropAfter, tmp_path: Path) -> None:
    """A DELETE that took effect and was answered otherwise is `deleted`, never `absent`, and undo knows of it."""
    clock = FakeClock(auto=True)
    async with Sandbox(clock=clock.wall) as sandbox:
        digests = fill(sandbox)
        digest = digests["pr-2-a"]

        async def act(_: ServerRequest) -> None:
            sandbox.store.delete_manifest(APP, digest)

        sandbox.faults.add(Call(act), method="DELETE", path=digest)
        sandbox.faults.add(answer, method="DELETE", path=digest)

        done = await delete(sandbox.host, LIST, Options(clock=clock, state=tmp_path))

        assert set(done.statuses.values()) == {"deleted"}
        assert {loss.manifest.digest for loss in lost(tmp_path)} == set(digests.values())
        assert set((await undo(lost(tmp_path))).values()) == {"restored"}


@pytest.mark.parametrize("method", ["tag", "decoy"])
async def test_an_effect_on_a_tag_behind_a_429(method: str) -> None:
    """A tag that was taken off by a request answered 429 is `untagged`."""
    clock = FakeClock(auto=True)
    async with Sandbox(TAGS if method == "tag" else NO_TAGS, clock=clock.wall) as sandbox:
        put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], oci_image(1))

        async def act(asked: ServerRequest) -> None:
            if method == "tag":
                sandbox.store.delete_tag(APP, "pr-1")
            else:
                sandbox.store.delete_manifest(APP, asked.path.rpartition("/")[2])

        path = "pr-1$" if method == "tag" else REAL
        sandbox.faults.add(Call(act), method="DELETE", path=path)
        sandbox.faults.add(Reply(429, {"Retry-After": "1"}), method="DELETE", path=path)

        done = await delete(sandbox.host, LIST, Options(clock=clock, shared=Shared.UNTAG, allow_decoy=True))

        assert set(done.statuses.values()) == {"untagged"}
        assert tags(sandbox) == ["latest"]


@pytest.mark.parametrize("change", [{"read_only": True}, {"delete_enabled": False}])
@pytest.mark.parametrize("settings", [TAGS, NO_TAGS], ids=["tags", "decoy"])
async def test_no_more_deletion_after_the_tags_went(
    change: dict[str, bool], settings: SandboxSettings, tmp_path: Path
) -> None:
    """Read-only or disabled between tags and manifests: unfinished, with a hint to resume, and resume finishes it."""
    clock = FakeClock(auto=True)
    async with Sandbox(settings, clock=clock.wall) as sandbox:
        digests = fill(sandbox, 10)

        async def switch(_: ServerRequest) -> None:
            sandbox.change(**change)

        # The decoy is the first digest that goes.
        sandbox.faults.add(Call(switch), method="DELETE", path=REAL, skip=2 + (settings is NO_TAGS))
        options = Options(clock=clock, strategy=Strategy.TAGS_FIRST, allow_decoy=True, concurrency=1, state=tmp_path)

        done = await delete(sandbox.host, LIST, options)

        code = "read-only" if "read_only" in change else "deletion-disabled"
        failed = [image for image in done.images if image["status"] == "failed"]
        assert {image["error"]["code"] for image in failed} == {code}
        assert all("bulkrm resume" in image["hint"] for image in failed)
        assert done.report.tally.unfinished == len(failed) == 8 * 3

        sandbox.change(read_only=False, delete_enabled=True)
        again = await resume(sandbox.host, options)

        assert set(again.statuses.values()) == {"deleted"}
        assert again.code == 0
        assert not sandbox.store.digests(APP) & set(digests.values())


Stopped = Callable[[ServerRequest], Awaitable[None]]


async def test_stopped_with_doubts(tmp_path: Path) -> None:
    """What is not proved when the run is interrupted is looked up all the same, mended by `resume`, and known to undo."""
    clock = FakeClock(auto=True)
    async with Sandbox(TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox, 6)
        stops_half_way(sandbox, digests["pr-2-a"], 1)
        stop = Stop()

        async def interrupt(_: ServerRequest) -> None:
            stop.interrupt(Signal.INTERRUPT)

        sandbox.faults.add(Call(interrupt), method="DELETE", path=digests["pr-3-a"])
        options = Options(clock=clock, strategy=Strategy.DIGEST, state=tmp_path, concurrency=1)

        done = await delete(sandbox.host, LIST, replace(options, stop=stop))

        words = {name.partition(":")[2]: word for name, word in done.statuses.items()}
        assert words["pr-2-a"] == "deleted"
        assert words["pr-2-b"] == words["pr-2-c"] == "failed unfinished"
        assert "not-attempted interrupted" in words.values()

        again = await resume(sandbox.host, options)

        assert set(again.statuses.values()) == {"deleted"}
        assert tags(sandbox) == ["latest"]


async def test_pushed_again_while_in_doubt() -> None:
    """What somebody pushed anew after the registry stopped is nobody's remainder: it is kept as moved, and stays."""
    clock = FakeClock(auto=True)
    async with Sandbox(TAGS, clock=clock.wall) as sandbox:
        digests = fill(sandbox)
        stops_half_way(sandbox, digests["pr-1-a"], 1)

        async def push(_: ServerRequest) -> None:
            put_image(sandbox.store, APP, ["pr-1-b"], oci_image(1))

        sandbox.faults.add(Call(push), method="GET", path="tags/list", skip=2)

        done = await delete(sandbox.host, LIST, Options(clock=clock, strategy=Strategy.DIGEST, concurrency=1))

        words = {name.partition(":")[2]: word for name, word in done.statuses.items()}
        assert (words["pr-1-a"], words["pr-1-b"]) == ("deleted", "kept moved")
        assert sandbox.store.digest_of(APP, "pr-1-b") == digests["pr-1-a"]
        assert sandbox.store.manifest(APP, digests["pr-1-a"]) is not None
