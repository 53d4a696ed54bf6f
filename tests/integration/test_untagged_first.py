"""A registry that deletes a manifest only when no tag is on it: its tags go first, or nothing of it does.

The sandbox answers as Google's registries do. Its host has no known name, so the first refusal is what tells.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import (
    Call,
    DropAfter,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    index_of,
    oci_image,
    oci_index,
    put_image,
)
from tests.integration.engine import Done, Options, delete, lost, undo
from tests.integration.resumed import resume
from tests.support.clock import FakeClock

APP = "team/app"
GOOGLE = SandboxSettings(untagged_first=True, tag_deletes=True)
CODE = b'{"errors": [{"code": "PRECONDITION", "message": "immutable"}]}'
LIST = f"- {APP}:pr-*"


def fill(sandbox: Sandbox, number: int = 4) -> list[str]:
    """So many images to delete, the first with two tags, and one to keep; return their digests."""
    digests = [put_image(sandbox.store, APP, [f"pr-{seed}"], oci_image(seed=seed)) for seed in range(number)]
    sandbox.store.tag(APP, "pr-0-too", digests[0])
    put_image(sandbox.store, APP, ["latest"], oci_image(seed=999))
    return digests


def immutable(sandbox: Sandbox, tag: str) -> None:
    """Let a tag be one that cannot be deleted."""
    refusal = Reply(412, {"Content-Type": "application/json"}, CODE)
    sandbox.faults.add(refusal, method="DELETE", path=f"/manifests/{tag}$", times=None)


def asked_for(done: Done, digest: str) -> bool:
    """Whether the manifest was asked for after the first refusal."""
    return any(method == "DELETE" and path.endswith(digest) for method, path in done.sent)


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_plain_list(strategy: Strategy, concurrency: int) -> None:
    """Everything listed goes, whatever the strategy, after one refusal at most."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, LIST, Options(strategy=strategy, concurrency=concurrency))

        assert (set(done.statuses.values()), done.code) == ({"deleted"}, 0)
        assert sandbox.store.tags(APP) == ["latest"]
        assert not sandbox.store.digests(APP).intersection(digests)
        refused = [line for line in sandbox.log if line.status == 400]
        assert len(refused) <= 1


async def test_the_requests() -> None:
    """Beside the refusal that tells, a tag costs two requests more: it is read and deleted."""
    async with Sandbox(GOOGLE) as sandbox, Sandbox() as other:
        fill(sandbox)
        fill(other)

        done, usual = await delete(sandbox.host, LIST), await delete(other.host, LIST)

        assert len(done.sent) == len(usual.sent) + 1 + 2 * 5


async def test_shared() -> None:
    """A tag that the list does not name keeps the image; with `--shared delete` it goes too, and last of its tags."""
    for shared in (Shared.REFUSE, Shared.DELETE):
        async with Sandbox(GOOGLE) as sandbox:
            digests = fill(sandbox)

            done = await delete(sandbox.host, f"- {APP}:pr-0", Options(shared=shared))

            if shared is Shared.REFUSE:
                assert done.statuses == {f"{APP}:pr-0": "kept shared"}
                assert done.count("DELETE") == 0
            else:
                assert done.statuses == {f"{APP}:pr-0": "deleted"}
                assert done.images[0]["also_removed"] == [f"{sandbox.host}/{APP}:pr-0-too"]
                assert digests[0] not in sandbox.store.digests(APP)
                gone = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
                assert gone == [digests[0], "pr-0", "pr-0-too", digests[0]]


async def test_untag() -> None:
    """`--shared untag` takes the listed tag off, and the image lives on."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(shared=Shared.UNTAG))

        assert done.statuses == {f"{APP}:pr-0": "untagged"}
        assert sandbox.store.digest_of(APP, "pr-0-too") == digests[0]


@pytest.mark.parametrize("recursive", [False, True])
async def test_an_index_with_tagged_children(*, recursive: bool) -> None:
    """The tags of a child go after its index, and the child after them."""
    async with Sandbox(GOOGLE) as sandbox:
        index = oci_index(7)
        digest = put_image(sandbox.store, APP, ["multi"], index)
        child = index.children[0].digest
        sandbox.store.tag(APP, "child", child)
        put_image(sandbox.store, APP, ["latest"], oci_image(seed=999))
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:multi\n- {APP}:child\n{LIST}", Options(recursive=recursive))

        assert set(done.statuses.values()) == {"deleted"}
        gone = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
        last = {name: number for number, name in enumerate(gone)}
        assert last["multi"] < last[digest] < last["child"] < last[child]
        assert sandbox.store.tags(APP) == ["latest"]
        left = {entry.digest for entry in index.children} - {child}
        assert (left <= sandbox.store.digests(APP)) is not recursive


async def test_recursive_with_a_signature() -> None:
    """With `-r` what is attached by a tag goes after its image, its own tag first."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        signature = put_image(sandbox.store, APP, [f"{digests[1].replace(':', '-')}.sig"], oci_image(seed=50))

        done = await delete(sandbox.host, f"- {APP}:pr-1", Options(recursive=True))

        assert set(done.statuses.values()) == {"deleted"}
        assert signature not in sandbox.store.digests(APP)
        gone = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
        assert gone[-2:] == [f"{digests[1].replace(':', '-')}.sig", signature]


@pytest.mark.parametrize("tag", ["pr-0", "pr-0-too"])
async def test_one_tag_that_cannot_go(tag: str, tmp_path: Path) -> None:
    """The manifest is not asked for: what lost its tag is unfinished, what kept it failed, and undo puts the tag back."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        immutable(sandbox, tag)

        # Another image comes first, whose refusal tells.
        done = await delete(sandbox.host, f"- {APP}:pr-1\n{LIST}", Options(concurrency=1, state=tmp_path))

        other = "pr-0" if tag == "pr-0-too" else "pr-0-too"
        lost_first = tag == "pr-0-too"
        assert done.statuses == {
            f"{APP}:{tag}": "failed refused",
            f"{APP}:{other}": "failed unfinished" if lost_first else "failed refused",
            **{f"{APP}:pr-{number}": "deleted" for number in (1, 2, 3)},
        }
        assert not asked_for(done, digests[0])
        assert digests[0] in sandbox.store.digests(APP)
        assert all(
            f"{APP}:{tag} cannot be deleted"
            in (entry["error"] or {"message": f"{APP}:{tag} cannot be deleted"})["message"]
            for entry in done.images
        )
        back = await undo([loss for loss in lost(tmp_path) if loss.manifest.digest == digests[0]])
        assert sandbox.store.digest_of(APP, "pr-0") == digests[0]
        assert sandbox.store.digest_of(APP, "pr-0-too") == digests[0]
        assert set(back.values()) <= {"restored", "unchanged"}


async def test_an_unlisted_tag_that_cannot_go() -> None:
    """The listed tags are gone by then, and what else went is named."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        for tag in ("x-1", "x-2"):
            sandbox.store.tag(APP, tag, digests[0])
        immutable(sandbox, "x-2")

        done = await delete(sandbox.host, f"- {APP}:pr-1\n- {APP}:pr-0*", Options(shared=Shared.DELETE, concurrency=1))

        assert done.statuses[f"{APP}:pr-0"] == "failed unfinished"
        message = next(entry["error"]["message"] for entry in done.images if entry["error"])
        assert f"gone already: {sandbox.host}/{APP}:x-1" in message
        assert sandbox.store.tags(APP) is not None
        assert sandbox.store.digest_of(APP, "x-2") == digests[0]


async def test_a_digest() -> None:
    """A digest without tags goes at once; one with a tag that nobody lists is kept."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        bare = put_image(sandbox.store, APP, [], oci_image(seed=77))

        done = await delete(sandbox.host, f"- {APP}@{bare}\n- {APP}@{digests[1]}\n- {APP}:pr-2\n- {APP}@{digests[2]}")

        assert done.statuses == {
            f"{APP}@{bare}": "deleted",
            f"{APP}@{digests[1]}": "kept shared",
            f"{APP}:pr-2": "deleted",
            f"{APP}@{digests[2]}": "deleted",
        }


async def test_unseen_tags() -> None:
    """With `delete-unseen` a tag that nobody read keeps the manifest, and the listed one is unfinished: no loop."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(shared=Shared.DELETE_UNSEEN))

        (entry,) = done.images
        assert entry["status"] == "failed"
        assert "the tag is gone already" in entry["error"]["message"]
        assert sandbox.store.digest_of(APP, "pr-0-too") == digests[0]


async def test_a_tag_that_moved() -> None:
    """One that leads elsewhere when its turn comes is kept, with what it leads to, and the image goes by its other tag."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        new = put_image(sandbox.store, APP, [], oci_image(seed=60))

        async def move(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "pr-0", new)

        sandbox.faults.add(Call(move), method="DELETE", path="sha256:")
        done = await delete(sandbox.host, LIST, Options(concurrency=1))

        assert done.statuses[f"{APP}:pr-0"] == "kept moved"
        assert done.statuses[f"{APP}:pr-0-too"] == "deleted"
        assert sandbox.store.digest_of(APP, "pr-0") == new
        assert digests[0] not in sandbox.store.digests(APP)


async def test_an_answer_that_does_not_come() -> None:
    """What a tag's DELETE without an answer came to is looked up, and the image goes."""
    async with Sandbox(GOOGLE) as sandbox:
        fill(sandbox)
        sandbox.faults.add(DropAfter(), method="DELETE", path="/pr-", times=None, every=2)

        done = await delete(sandbox.host, LIST, Options(clock=FakeClock(auto=True)))

        assert set(done.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
async def test_interrupted(after: int, tmp_path: Path) -> None:
    """Stopped after so many DELETEs, every image has a true outcome, and `resume` deletes the rest."""
    async with Sandbox(GOOGLE) as sandbox:
        digests = fill(sandbox)
        stop = Stop()

        async def interrupt(_: ServerRequest) -> None:
            stop.interrupt(Signal.INTERRUPT)

        sandbox.faults.add(Call(interrupt), method="DELETE", skip=after)
        done = await delete(sandbox.host, LIST, Options(concurrency=1, stop=stop, state=tmp_path))

        for tag in ("pr-0", "pr-1", "pr-2", "pr-3"):
            word, held = done.statuses[f"{APP}:{tag}"], sandbox.store.digest_of(APP, tag)
            assert (word == "not-attempted interrupted") == (held is not None)
            assert (word == "deleted") == (digests[int(tag[3])] not in sandbox.store.digests(APP))
        resumed = await resume(sandbox.host, Options(state=tmp_path))
        assert set(resumed.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert len(sandbox.store.digests(APP)) == 1


async def test_an_index_that_nobody_sees() -> None:
    """The child of an index without a tag is refused as what it is, and its tag is not lost without a word."""
    async with Sandbox(GOOGLE) as sandbox:
        fill(sandbox)
        index = index_of([oci_image(seed=1)])
        put_image(sandbox.store, APP, [], index)

        done = await delete(sandbox.host, LIST, Options(concurrency=1))

        assert done.statuses[f"{APP}:pr-1"].startswith("failed")
        entry = next(entry for entry in done.images if entry["image"].endswith(":pr-1"))
        assert "the tag is gone already" in entry["error"]["message"]
        assert sum(text == "deleted" for text in done.statuses.values()) == 4


async def test_where_no_tag_can_be_deleted() -> None:
    """A registry that wants tags gone and deletes none keeps everything, and says so once."""
    async with Sandbox(replace(GOOGLE, tag_deletes=False)) as sandbox:
        digests = fill(sandbox)

        done = await delete(sandbox.host, LIST, Options(concurrency=1))

        assert {text.partition(" ")[0] for text in done.statuses.values()} == {"failed"}
        assert set(digests) <= sandbox.store.digests(APP)
        assert len(sandbox.store.tags(APP) or ()) == 6


async def test_a_digest_that_lost_its_tag_before_a_refusal(tmp_path: Path) -> None:
    """A listed digest whose tag went first, and which is refused then, is unfinished: `resume` deletes it."""
    async with Sandbox(GOOGLE) as sandbox:
        (digest,) = fill(sandbox, 1)
        refusal = Reply(412, {"Content-Type": "application/json"}, CODE)
        sandbox.faults.add(refusal, method="DELETE", path=digest, times=None, skip=1)

        options = Options(shared=Shared.DELETE, state=tmp_path)
        done = await delete(sandbox.host, f"- {APP}@{digest}", options)

        assert done.statuses == {f"{APP}@{digest}": "failed refused"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert "gone already" in done.images[0]["error"]["message"]
        assert done.report.tally.unfinished == 1
        sandbox.faults.clear()
        resumed = await resume(sandbox.host, Options(state=tmp_path, shared=Shared.DELETE))
        assert resumed.statuses == {f"{APP}@{digest}": "deleted"}
        assert digest not in sandbox.store.digests(APP)


COLLISION = b'{"errors": [{"code": "MANIFEST_INVALID", "message": "manifest invalid"}]}'


async def test_the_collision_policy_of_zot() -> None:
    """A digest with several tags is refused there with 409, so that its tags go first by themselves."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        digests = fill(sandbox)
        refusal = Reply(409, {"Content-Type": "application/json"}, COLLISION)
        sandbox.faults.add(refusal, method="DELETE", path=digests[0])

        done = await delete(sandbox.host, LIST, Options(concurrency=1))

        assert (set(done.statuses.values()), done.code) == ({"deleted"}, 0)
        assert sandbox.store.tags(APP) == ["latest"]
        assert not sandbox.store.digests(APP).intersection(digests)


async def test_the_collision_policy_of_zot_and_a_tag_that_nobody_read() -> None:
    """Where it refuses although all known tags are gone, the image is unfinished, and the hint says what is left to do."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        digests = fill(sandbox)
        refusal = Reply(409, {"Content-Type": "application/json"}, COLLISION)
        sandbox.faults.add(refusal, method="DELETE", path=digests[0], times=None)

        done = await delete(sandbox.host, f"- {APP}:pr-0", Options(shared=Shared.DELETE_UNSEEN))

        assert done.statuses == {f"{APP}:pr-0": "failed refused"}
        assert done.report.tally.unfinished == 1
        assert "--shared delete" in done.images[0]["hint"]
        assert set(sandbox.store.tags(APP) or ()) == {"latest", "pr-0-too", "pr-1", "pr-2", "pr-3"}
