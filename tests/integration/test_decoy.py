"""Decoys: whatever goes wrong between push and deletion, the tags hold what they held, or the next run cleans up."""

import asyncio
from dataclasses import replace

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Login, Shared
from bulkrm.sandbox import Call, DropAfter, Reply, Sandbox, SandboxSettings, ServerRequest, User, oci_image, put_image
from tests.integration.engine import Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
DECOY = Options(shared=Shared.UNTAG, allow_decoy=True)
LIST = f"- {APP}:pr-*"


def fill(sandbox: Sandbox) -> str:
    """One image under two listed tags and one other; return its digest."""
    return put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], oci_image(seed=1))


def untouched(sandbox: Sandbox, digest: str) -> bool:
    """Tell whether all tags hold what they held."""
    return sandbox.store.tags_on(APP, digest) == {"pr-1", "pr-2", "latest"}


async def test_no_permission_to_push() -> None:
    """Who may not push keeps the tags, and is told what is missing; other images of the repository still go."""
    users = {"cleaner": User.allowed("cleaner", {"*": ["pull", "delete"]})}
    async with Sandbox(users=users) as sandbox:
        digest = fill(sandbox)
        put_image(sandbox.store, APP, ["pr-9"], oci_image(seed=9))

        done = await delete(sandbox.host, LIST, replace(DECOY, login=Login("cleaner", Secret("cleaner"))))

        assert done.statuses == {
            f"{APP}:pr-1": "failed not-permitted",
            f"{APP}:pr-2": "failed not-permitted",
            f"{APP}:pr-9": "deleted",
        }
        assert "push" in done.images[0]["hint"]
        assert untouched(sandbox, digest)
        assert done.count("PUT") <= 2


async def test_immutable_tags() -> None:
    """A tag that cannot be overwritten is refused and holds what it held."""
    async with Sandbox(SandboxSettings(immutable_tags=True)) as sandbox:
        digest = fill(sandbox)

        done = await delete(sandbox.host, LIST, DECOY)

        assert done.statuses == {f"{APP}:pr-1": "failed refused", f"{APP}:pr-2": "failed refused"}
        assert untouched(sandbox, digest)


@pytest.mark.parametrize(
    ("change", "code"), [({"delete_enabled": False}, "deletion-disabled"), ({"read_only": True}, "read-only")]
)
async def test_a_registry_that_changes_its_mind(change: dict[str, bool], code: str) -> None:
    """Where deletion ends between push and DELETE, the tags are put back, as far as the registry lets anybody push."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)

        async def switch(_: ServerRequest) -> None:
            sandbox.change(**change)

        sandbox.faults.add(Call(switch), method="DELETE", path=r"sha256:(?!0{64})")

        done = await delete(sandbox.host, LIST, DECOY)

        assert done.statuses == {f"{APP}:pr-1": f"failed {code}", f"{APP}:pr-2": f"failed {code}"}
        if "read_only" not in change:
            assert untouched(sandbox, digest)
            assert all("holds what it held" in image["error"]["message"] for image in done.images)
            return
        assert all("may hold an empty index" in image["error"]["message"] for image in done.images)
        sandbox.change(read_only=False)
        again = await delete(sandbox.host, LIST, DECOY)
        assert set(again.statuses.values()) == {"deleted"}
        assert sandbox.store.tags(APP) == ["latest"]


async def test_a_decoy_that_cannot_be_deleted() -> None:
    """After refusals for good the tags are put back."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)
        sandbox.faults.add(Reply(409), method="DELETE", path=r"sha256:(?!0{64})", times=None)

        done = await delete(sandbox.host, LIST, DECOY)

        assert done.statuses == {f"{APP}:pr-1": "failed refused", f"{APP}:pr-2": "failed refused"}
        assert untouched(sandbox, digest)


@pytest.mark.parametrize("fault", [DropAfter(), Reply(502)])
async def test_a_push_without_an_answer(fault: DropAfter | Reply) -> None:
    """A push that took effect without an answer is found out, one that did not is sent again; the tag goes."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)
        sandbox.faults.add(fault, method="PUT", path="pr-1$")

        done = await delete(sandbox.host, LIST, replace(DECOY, clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "untagged"}
        assert sandbox.store.tags_on(APP, digest) == {"latest"}
        assert sandbox.store.digests(APP) == {digest}


@pytest.mark.parametrize("took_effect", [True, False])
async def test_a_push_of_which_nobody_knows(*, took_effect: bool) -> None:
    """The decoy is deleted all the same: the tag goes with it, or holds what it held and says so."""
    async with Sandbox() as sandbox:
        digest = put_image(sandbox.store, APP, ["pr-1", "latest"], oci_image(seed=1))

        async def blind(_: ServerRequest) -> None:
            sandbox.faults.add(Reply(503), method="HEAD|GET", path="manifests/pr-1$", times=10)

        sandbox.faults.add(Call(blind), method="PUT", path="pr-1$")
        sandbox.faults.add(DropAfter() if took_effect else Reply(502), method="PUT", path="pr-1$")

        done = await delete(sandbox.host, LIST, replace(DECOY, clock=FakeClock(auto=True)))

        assert done.statuses == {f"{APP}:pr-1": "untagged" if took_effect else "failed unconfirmed"}
        assert sandbox.store.tags_on(APP, digest) == ({"latest"} if took_effect else {"pr-1", "latest"})
        assert sandbox.store.digests(APP) == {digest}
        if not took_effect:
            assert "the tag holds what it held" in done.images[0]["error"]["message"]


async def test_somebody_pushes_over_the_decoy() -> None:
    """What somebody pushes between push and DELETE stays, and so it does where the DELETE fails."""
    for fails in (False, True):
        async with Sandbox() as sandbox:
            digest = fill(sandbox)
            new = put_image(sandbox.store, APP, (), oci_image(seed=5))

            async def push(_: ServerRequest, sandbox: Sandbox = sandbox, new: str = new) -> None:
                sandbox.store.tag(APP, "pr-1", new)

            sandbox.faults.add(Call(push), method="DELETE", path=r"sha256:(?!0{64})")
            if fails:
                sandbox.faults.add(Reply(409), method="DELETE", path=r"sha256:(?!0{64})", times=None)

            done = await delete(sandbox.host, LIST, DECOY)

            assert done.statuses[f"{APP}:pr-1"] == "kept moved"
            assert sandbox.store.digest_of(APP, "pr-1") == new
            assert sandbox.store.digest_of(APP, "pr-2") == (digest if fails else None)


async def test_a_tag_that_moved_is_not_overwritten() -> None:
    """A tag that holds something else right before the push is kept."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        new = put_image(sandbox.store, APP, (), oci_image(seed=5))

        async def push(_: ServerRequest) -> None:
            sandbox.store.tag(APP, "pr-2", new)

        sandbox.faults.add(Call(push), method="PUT", path="pr-1$")

        done = await delete(sandbox.host, LIST, DECOY)

        assert done.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "kept moved"}
        assert sandbox.store.digest_of(APP, "pr-2") == new


async def test_killed_between_push_and_delete() -> None:
    """After a kill the tag holds a decoy; the next run with the same list deletes it, and nothing else is lost."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)
        reached, forever = asyncio.Event(), asyncio.Event()

        async def hang(_: ServerRequest) -> None:
            reached.set()
            await forever.wait()

        sandbox.faults.add(Call(hang), method="DELETE", path=r"sha256:(?!0{64})")
        run = asyncio.create_task(delete(sandbox.host, LIST, DECOY))
        await reached.wait()
        run.cancel()
        await asyncio.wait([run])
        sandbox.faults.clear()
        left = {tag: sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()}

        done = await delete(sandbox.host, LIST, DECOY)

        forever.set()
        assert left["latest"] == digest
        assert left["pr-1"] == left["pr-2"] != digest
        assert set(done.statuses.values()) <= {"deleted", "untagged", "absent"}
        assert sandbox.store.tags(APP) == ["latest"]
        assert sandbox.store.digests(APP) == {digest}


async def test_interrupted_between_push_and_delete() -> None:
    """After one signal the decoy is still deleted; nothing new is begun."""
    async with Sandbox() as sandbox:
        digest = fill(sandbox)
        put_image(sandbox.store, APP, ["pr-7", "other"], oci_image(seed=7))
        stop = Stop()

        async def interrupt(_: ServerRequest) -> None:
            stop.interrupt(Signal.INTERRUPT)

        sandbox.faults.add(Call(interrupt), method="PUT", path="pr-1$")

        done = await delete(sandbox.host, LIST, replace(DECOY, concurrency=1, stop=stop))

        assert done.code == 130
        assert done.statuses[f"{APP}:pr-1"] == "untagged"
        assert "latest" in (sandbox.store.tags(APP) or ())
        held = {sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()}
        assert held <= {digest, sandbox.store.digest_of(APP, "other")}
