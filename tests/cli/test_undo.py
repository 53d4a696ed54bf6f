"""`bulkrm undo`, `runs` and `resume`: what was recorded is shown, gone on with and taken back."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bulkrm.sandbox import (
    Auth,
    Call,
    Reply,
    Sandbox,
    SandboxSettings,
    ServerRequest,
    artifact,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
    put_image,
)  # fmt: skip
from tests.cli.command import Command, bulkrm, fill, killed, sent, start, tags

APP = "team/app"


def content(sandbox: Sandbox) -> dict[str, str | None]:
    """Every tag with its digest, and every manifest."""
    found: dict[str, str | None] = {tag: sandbox.store.digest_of(APP, tag) for tag in sandbox.store.tags(APP) or ()}
    return found | dict.fromkeys(sandbox.store.digests(APP))


def rich(sandbox: Sandbox) -> dict[str, str | None]:
    """Images with several tags, indexes in indexes, and what is attached to them."""
    fill(sandbox, "pr-1", "pr-2", "latest")
    sandbox.store.tag(APP, "pr-3", sandbox.store.digest_of(APP, "pr-1") or "")
    outer = index_of([oci_index(20), oci_image(30)])
    put_image(sandbox.store, APP, ["pr-multi", "pr-too"], outer)
    sbom = artifact(9, outer)
    put_image(sandbox.store, APP, [fallback_tag(outer)], fallback_index([sbom]))
    sandbox.store.tag(APP, "pr-shared", sandbox.store.digest_of(APP, "latest") or "")
    return content(sandbox)


@pytest.mark.parametrize(
    "settings", [SandboxSettings(auth=Auth.NONE), SandboxSettings(auth=Auth.NONE, tag_deletes=True)]
)
async def test_all_comes_back(settings: SandboxSettings, tmp_path: Path) -> None:
    """Tags, manifests, indexes, attached ones and tags that were taken off come back byte for byte, and only once."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(settings) as sandbox:
        before = rich(sandbox)
        done = await bulkrm(
            f"{sandbox.host}/{APP}:pr-*", "-r", "--shared", "untag", "--allow-decoy", "-o", "json", env=env
        )
        gone = content(sandbox)

        dry = await bulkrm("undo", "-n", "-o", "json", env=env)
        undone = await bulkrm("undo", "-o", "json", env=env)
        after = content(sandbox)
        again = await bulkrm("undo", done.report["run"]["id"], "-o", "json", env=env)
        none = await bulkrm("undo", env=env)

    assert (done.code, dry.code, undone.code, again.code, none.code) == (0, 0, 0, 0, 2)
    assert gone.keys() == {"latest", before["latest"]}
    assert after == before
    assert {image["status"] for image in dry.images} == {"would-restore"}
    assert {image["status"] for image in undone.images} == {"restored"}
    assert {image["status"] for image in again.images} == {"unchanged"}
    assert "there is no run to undo" in none.err


def test_some_of_it(run: Command, sandbox: Sandbox) -> None:
    """Single images or globs of a run come back, with what they need and without what nobody named."""
    rich(sandbox)
    run(f"{sandbox.host}/{APP}:pr-*", "-r")

    result = run("undo", f"{sandbox.host}/{APP}:pr-multi", f"{sandbox.host}/{APP}:pr-[23]", "-o", "json")

    assert result.code == 0
    assert tags(sandbox) == {"latest", "pr-multi", "pr-2", "pr-3", "pr-shared"}
    assert {child.digest for child in oci_index(20).children} <= sandbox.store.digests(APP)


def test_the_latest_run_that_took_something(run: Command, sandbox: Sandbox) -> None:
    """A run that took nothing away is not the one to be undone, and the one that is gets named."""
    fill(sandbox, "pr-1")
    run(f"{sandbox.host}/{APP}:pr-1")
    run(f"{sandbox.host}/{APP}:pr-1")

    result = run("undo", "-o", "json")

    assert result.statuses == {f"{APP}:pr-1": "restored"}
    assert f"undoing run {result.report['run']['id']}" in result.err


@pytest.mark.parametrize("image", ["pr-9", "zz*"])
def test_what_the_run_did_not_take(run: Command, sandbox: Sandbox, image: str) -> None:
    """An image that the latest run did not take away is an error, and nothing is put back."""
    fill(sandbox, "pr-1", "pr-2")
    run(f"{sandbox.host}/{APP}:pr-1")

    result = run("undo", f"{sandbox.host}/{APP}:pr-1", f"{sandbox.host}/{APP}:{image}")

    assert result.code == 2
    assert "argument 2: run" in result.err
    assert tags(sandbox) == {"pr-2"}


def test_what_another_run_took(run: Command, sandbox: Sandbox) -> None:
    """Then that one is named."""
    fill(sandbox, "pr-1", "pr-2")
    first = run(f"{sandbox.host}/{APP}:pr-1", "-o", "json").report["run"]["id"]
    second = run(f"{sandbox.host}/{APP}:pr-2", "-o", "json").report["run"]["id"]

    result = run("undo", second, f"{sandbox.host}/{APP}:pr-1")

    assert result.code == 2
    assert f"run {first} did: name it first" in result.err


def test_the_order_of_the_report(run: Command, sandbox: Sandbox) -> None:
    """By name, in whatever order things go back."""
    rich(sandbox)
    run(f"{sandbox.host}/{APP}:pr-*", "-r")

    result = run("undo", "-o", "json")

    assert list(result.statuses) == sorted(result.statuses)


def test_a_tag_that_leads_elsewhere(run: Command, sandbox: Sandbox) -> None:
    """What somebody pushed since is left alone, unless --force says otherwise."""
    digests = fill(sandbox, "pr-1", "pr-2")
    run(f"{sandbox.host}/{APP}:pr-*")
    new = put_image(sandbox.store, APP, ["pr-1"], oci_image(99))

    result = run("undo", "-o", "json")
    forced = run("undo", "--force", "-o", "json")

    assert {image["image"][-4:]: (image["status"], image["reason"]) for image in result.images} == {
        "pr-1": ("kept", "moved"),
        "pr-2": ("restored", None),
    }
    assert result.images[0]["because"] == [f"{sandbox.host}/{APP}:pr-1@{new}"]
    assert result.code == 3
    assert {image["status"] for image in forced.images} == {"restored", "unchanged"}
    assert sandbox.store.digest_of(APP, "pr-1") == digests["pr-1"]


def test_after_garbage_collection(run: Command, sandbox: Sandbox) -> None:
    """What the registry no longer has is named, and nothing is claimed."""
    fill(sandbox, "pr-1")
    run(f"{sandbox.host}/{APP}:pr-*")
    sandbox.store.collect_garbage()

    result = run("undo", "-o", "json")

    (image,) = result.images
    assert (result.code, image["status"], image["error"]["code"]) == (1, "failed", "blobs-missing")
    assert "sha256:" in image["error"]["message"]


def test_a_push_that_is_no_proof(run: Command, sandbox: Sandbox) -> None:
    """A 201 after which nothing is there (a registry with a warm cache after a collection) is no restoration."""
    fill(sandbox, "pr-1")
    run(f"{sandbox.host}/{APP}:pr-*")
    sandbox.faults.add(Reply(201), method="PUT", times=None)

    result = run("undo", "-o", "json")

    assert [(image["status"], image["error"]["code"]) for image in result.images] == [("failed", "unconfirmed")]


def test_what_was_not_deleted_is_not_undone(run: Command, sandbox: Sandbox) -> None:
    """Kept, absent and refused images are no business of undo."""
    digests = fill(sandbox, "pr-1", "pr-2", "pr-3")
    sandbox.store.tag(APP, "other", digests["pr-2"])
    sandbox.faults.add(Reply(409), method="DELETE", path=digests["pr-3"], times=None)
    run(f"{sandbox.host}/{APP}:pr-*", f"{sandbox.host}/{APP}:gone")

    result = run("undo", "-o", "json")

    assert result.statuses == {f"{APP}:pr-1": "restored"}


def test_runs(run: Command, sandbox: Sandbox) -> None:
    """The runs are listed, shown and pruned; dry runs leave nothing behind."""
    fill(sandbox, "pr-1", "pr-2")
    run(f"{sandbox.host}/{APP}:pr-1", "-n")
    run("plan", f"{sandbox.host}/{APP}:pr-1")
    assert run("runs").out == ""
    done = run(f"{sandbox.host}/{APP}:pr-1", "-o", "json")
    name = done.report["run"]["id"]

    header, row = run("runs").out.splitlines()
    assert header.split() == ["RUN", "AGE", "STATE", "IMAGES", "WHERE"]
    assert row == f"{name}  just now  finished  1 deleted  {sandbox.host}: {APP}"
    shown = run("runs", "show", name[:13])
    assert f"deleted        {sandbox.host}/{APP}:pr-1" in shown.out
    assert run("runs", "show", "2000").code == 2
    assert run("runs", "prune", "--older-than", "1d").out == ""
    assert run("runs", "prune", "--older-than", "soon").code == 2
    assert run("runs", "prune", "--older-than", "0h", "-n").out == f"would delete {name}\n"
    assert name in run("runs").out
    assert run("runs", "prune", "--older-than", "0h").out == f"deleted {name}\n"
    assert run("runs").out == ""


def test_no_runs(run: Command, tmp_path: Path) -> None:
    """Where there are none it is said where they were looked for; a place may be given behind the word, too."""
    result = run("runs", "--state-dir", str(tmp_path / "empty"))
    shown = run("runs", "show", "20260131", "--state-dir", str(tmp_path / "empty"))
    word = run("undo", "something")

    assert (result.code, result.out) == (0, "")
    assert f"there are no runs in {tmp_path / 'empty'}" in result.err
    assert (shown.code, str(tmp_path / "empty") in shown.err) == (2, True)
    assert (word.code, "no run is called so" in word.err) == (2, True)


def test_a_folder_for_the_user_alone(run: Command, sandbox: Sandbox) -> None:
    """Nobody else may read a run, and it holds no secret."""
    fill(sandbox, "pr-1")
    run(f"{sandbox.host}/{APP}:pr-1", "-u", "admin", "--password-stdin", stdin=b"hunter2")

    (folder,) = Path(os.environ["BULKRM_STATE_DIR"], "runs").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not any(b"hunter2" in path.read_bytes() for path in folder.iterdir())


def test_no_place_for_the_record(run: Command, sandbox: Sandbox) -> None:
    """Where runs cannot be recorded nothing is attempted; dry runs need no record."""
    fill(sandbox, "pr-1")
    Path("file").write_text("")

    result = run(f"{sandbox.host}/{APP}:pr-1", "--state-dir", "file")

    assert result.code == 2
    assert "--state-dir" in result.err
    assert sandbox.log == []
    assert run(f"{sandbox.host}/{APP}:pr-1", "-n", "--state-dir", "file").code == 0


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Where the manifests cannot be written, nothing is deleted, and that is said."""
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "pr-1", "pr-2")
        env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
        release, held = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            held.set()
            await release.wait()

        sandbox.faults.add(Call(enforce_limit), method="GET", path="manifests/pr-1")
        process = await start(f"{sandbox.host}/{APP}:pr-*", "-o", "json", env=env)
        await held.wait()
        (folder,) = (tmp_path / "state" / "runs").iterdir()
        (folder / "plan.part").mkdir()  # in the place of what is to be written
        release.set()
        out, _ = await process.communicate()

        assert process.returncode == 1
        assert out.count(b'"not-recorded"') == 2
        assert sent(sandbox) == []


async def test_interrupted_and_gone_on_with(tmp_path: Path) -> None:
    """After Ctrl-C `resume` deletes the rest, and its report is about everything."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        digests = fill(sandbox, *(f"pr-{number}" for number in range(20)), "latest")
        release, held = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            held.set()
            await release.wait()

        sandbox.faults.add(Call(enforce_limit), method="DELETE", path=digests["pr-7"])
        process = await start(f"{sandbox.host}/{APP}:pr-*", "-c", "1", "-o", "json", env=env)
        await held.wait()
        process.send_signal(signal.SIGINT)
        busy = await bulkrm("resume", env=env)
        release.set()
        await process.communicate()
        listed = await bulkrm("runs", env=env)
        left = tags(sandbox)
        result = await bulkrm("resume", "-o", "json", env=env)
        nothing = await bulkrm("resume", env=env)

    assert process.returncode == 130
    assert (busy.code, nothing.code) == (2, 2)
    assert "interrupted" in listed.out
    assert len(left) > 1
    assert result.code == 0
    assert len(result.images) == 20
    assert {image["status"] for image in result.images} == {"deleted"}
    assert [image["source"] for image in result.images] == ["argument 1"] * 20
    assert tags(sandbox) == {"latest"}
    assert "no unfinished run" in nothing.err


async def test_killed_while_planning(tmp_path: Path) -> None:
    """A run that was killed before its plan was complete plans again, with the same list, options and protection."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "pr-1", "pr-2", "pr-keep")
        arguments = (f"{sandbox.host}/{APP}:pr-*", "--protect", "*:pr-keep")
        release = await killed(sandbox, *arguments, method="GET", path="manifests/", env=env)

        result = await bulkrm("resume", "-o", "json", env=env)
        release.set()

    assert result.code == 0
    assert result.statuses == {f"{APP}:pr-1": "deleted", f"{APP}:pr-2": "deleted", f"{APP}:pr-keep": "kept"}


@pytest.mark.parametrize("acted", [True, False])
async def test_killed_in_the_middle_of_a_delete(*, acted: bool, tmp_path: Path) -> None:
    """A DELETE that took effect counts as deleted; one that did not is sent again; what moved since is kept."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        digests = fill(sandbox, "pr-1", "pr-2", "latest")
        held, never = asyncio.Event(), asyncio.Event()

        async def enforce_limit(_: ServerRequest) -> None:
            if acted:
                sandbox.store.delete_manifest(APP, digests["pr-1"])
            held.set()
            await never.wait()

        sandbox.faults.add(Call(enforce_limit), method="DELETE", path=digests["pr-1"])
        process = await start(f"{sandbox.host}/{APP}:pr-1", f"{sandbox.host}/{APP}:pr-2", "-c", "1", env=env)
        await held.wait()
        process.kill()
        await process.communicate()
        sandbox.faults.clear()
        sandbox.store.tag(APP, "pr-2", digests["latest"])
        before = len(sent(sandbox))

        result = await bulkrm("resume", "-o", "json", env=env)
        deleted = sent(sandbox)[before:]
        never.set()

    assert result.statuses == {f"{APP}:pr-1": "deleted", f"{APP}:pr-2": "kept"}
    assert result.images[1]["reason"] == "moved"
    assert len(deleted) == (0 if acted else 1)


async def test_an_apply_that_was_killed(tmp_path: Path) -> None:
    """The plan of an apply is on disk from its start: what is gone on with is that plan, and nothing that came since."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, "pr-1", "pr-2", "pr-3")
        plan = str(tmp_path / "plan.json")
        await bulkrm("plan", f"{sandbox.host}/{APP}:pr-*", "--out", plan, env=env)
        put_image(sandbox.store, APP, ["pr-4"], oci_image(4))
        release = await killed(sandbox, "apply", plan, "-c", "1", method="GET", path="manifests/pr-2$", env=env)

        result = await bulkrm("resume", "-o", "json", env=env)
        release.set()

    assert result.statuses == {f"{APP}:pr-{number}": "deleted" for number in (1, 2, 3)}
    assert tags(sandbox) == {"pr-4"}


async def test_killed_under_a_decoy(tmp_path: Path) -> None:
    """A tag that holds this run's own decoy counts as one to be removed, not as one that moved."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        digest = put_image(sandbox.store, APP, ["pr-1", "pr-2", "latest"], oci_image(1))
        arguments = (f"{sandbox.host}/{APP}:pr-*", "--shared", "untag", "--allow-decoy")
        release = await killed(sandbox, *arguments, method="DELETE", path=r"sha256:(?!0{64})", env=env)

        result = await bulkrm("resume", "-o", "json", env=env)
        left, manifests = tags(sandbox), sandbox.store.digests(APP)
        undone = await bulkrm("undo", "-o", "json", env=env)
        release.set()

    assert result.statuses == {f"{APP}:pr-1": "untagged", f"{APP}:pr-2": "untagged"}
    assert (result.code, left, manifests) == (0, {"latest"}, frozenset({digest}))
    assert {image["status"] for image in undone.images} == {"restored"}
    assert tags(sandbox) == {"pr-1", "pr-2", "latest"}


@pytest.mark.parametrize("strategy", ["digest", "tags-first"])
def test_what_was_only_going_to_go_is_not_undone(run: Command, sandbox: Sandbox, strategy: str) -> None:
    """A run that ended early is taken back as far as it came, and not as far as it had been written ahead."""
    digests = fill(sandbox, "pr-1", "pr-2", "pr-3")
    sandbox.faults.add(Reply(409), method="DELETE", path=digests["pr-1"], times=None)
    done = run(f"{sandbox.host}/{APP}:pr-*", "-c", "1", "--fail-fast", "--strategy", strategy, "-o", "json")
    assert done.statuses[f"{APP}:pr-3"] == "not-attempted"
    sandbox.store.delete_manifest(APP, digests["pr-3"])

    result = run("undo", "-o", "json")

    assert f"{APP}:pr-3" not in result.out
    assert "pr-3" not in tags(sandbox)
