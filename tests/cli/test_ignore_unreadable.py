"""`--ignore-unreadable` on the command line: what it says, asks, records, and takes from a plan or a run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Reply, Sandbox, SandboxSettings, oci_image, put_image
from tests.cli.command import Command, bulkrm, killed, served, tags, terminal

APP = "team/app"
NO_MANIFEST = Reply(200, {"Content-Type": "text/html", "Docker-Distribution-Api-Version": "registry/2.0"}, b"<html>")
SETTINGS = SandboxSettings(auth=Auth.NONE, tag_deletes=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A registry that asks for nothing and deletes tags."""
    with served(SETTINGS) as started:
        yield started


def fill(sandbox: Sandbox) -> str:
    """Two images and a damaged tag, for which the registry sends a page; return the list's image."""
    for number, tag in enumerate(("old", "kept", "bad", "worse")):
        put_image(sandbox.store, APP, [tag], oci_image(number))
    sandbox.store.tag(APP, "worse", "sha256:" + "9" * 64)
    sandbox.faults.add(NO_MANIFEST, method="GET|HEAD", path="manifests/bad", times=None)
    return f"{sandbox.host}/{APP}:old"


def test_the_hint_leads_out(run: Command, sandbox: Sandbox) -> None:
    """Without it the repository is kept, and the hint is the option as it has to be written."""
    image = fill(sandbox)

    kept = run(image, "-y")
    option = kept.out.partition("--ignore-unreadable ")[2].split()[0].rstrip(";,.")
    done = run(image, "-y", "-o", "json", "--ignore-unreadable", option)

    assert (kept.code, option) == (3, f"{sandbox.host}/{APP}:bad")
    assert (done.code, done.statuses) == (0, {f"{APP}:old": "deleted"})


def test_it_is_recorded_like_protection(run: Command, sandbox: Sandbox) -> None:
    """A plan has the patterns, and so has a run; `apply` takes them from there and not from its own options."""
    image = fill(sandbox)

    assert run("plan", image, "--out", "plan.json", "--ignore-unreadable", "*:bad").code == 0
    run_folder = json.loads(Path("plan.json").read_text())["options"]["ignore_unreadable"]
    refused = run("apply", "plan.json", "--ignore-unreadable", "*:bad")
    done = run("apply", "plan.json", "-y", "-o", "json")

    assert run_folder == ["*:bad"]
    assert refused.code == 2
    assert done.statuses == {f"{APP}:old": "deleted"}
    asked = [json.loads(path.read_text()) for path in Path("..").glob("state/runs/*/run.json")]
    assert [run["ignore_unreadable"] for run in asked] == [["*:bad"]]


def test_a_plan_without_it(run: Command, sandbox: Sandbox) -> None:
    """A plan that was made without it keeps the repository when it is applied."""
    image = fill(sandbox)
    sandbox.faults.clear()
    run("plan", image, "--out", "plan.json")
    sandbox.faults.add(NO_MANIFEST, method="GET|HEAD", path="manifests/bad", times=None)

    assert "ignore_unreadable" not in Path("plan.json").read_text()
    assert run("apply", "plan.json", "-y", "-o", "json").statuses == {f"{APP}:old": "kept"}


def test_a_dangling_tag_in_a_plan(run: Command, sandbox: Sandbox) -> None:
    """A plan says that a tag leads nowhere, and applying it deletes the tag, unless it leads somewhere by then."""
    fill(sandbox)
    image = f"{sandbox.host}/{APP}:worse"
    shown = run("plan", image, "--out", "plan.json")
    digest = sandbox.store.digest_of(APP, "kept") or ""
    held = sandbox.store.digest_of(APP, "worse") or ""

    sandbox.store.tag(APP, "worse", digest)
    moved = run("apply", "plan.json", "-y", "-o", "json")
    sandbox.store.tag(APP, "worse", held)
    done = run("apply", "plan.json", "-y", "-o", "json")

    assert "a tag that leads nowhere" in shown.out
    assert [(one["status"], one["reason"]) for one in moved.images] == [("kept", "moved")]
    assert [(one["status"], one["digest"]) for one in done.images] == [("deleted", None)]
    assert "worse" not in (sandbox.store.tags(APP) or ())


def test_undo_of_a_dangling_tag(run: Command, sandbox: Sandbox) -> None:
    """A tag that led nowhere was deleted and cannot be put back, so `undo` does not say that nothing was deleted."""
    fill(sandbox)
    deleted = run(f"{sandbox.host}/{APP}:worse", "-y", "-o", "json")

    undone = run("undo", deleted.report["run"]["id"], "-y")

    assert deleted.statuses == {f"{APP}:worse": "deleted"}
    assert (undone.code, tags(sandbox)) == (0, {"bad", "kept", "old"})
    assert "deleted nothing that can be put back" in undone.err


@pytest.mark.parametrize("pattern", ["team/app", "", "app@sha256:" + "0" * 64])
def test_a_bad_pattern(run: Command, pattern: str) -> None:
    """A pattern that could not be one is named with the option, and nothing is attempted."""
    result = run("reg.example.com/app:1", "--ignore-unreadable", pattern)

    assert (result.code, "--ignore-unreadable" in result.err) == (2, True)


def test_no_list_can_set_it(run: Command, tmp_path: Path) -> None:
    """A list file cannot loosen a safety rule."""
    listed = tmp_path / "list.yaml"
    listed.write_text("ignore-unreadable: ['*:bad']\nimages: [reg.example.com/app:1]\n")

    assert run("-f", str(listed)).code == 2


async def test_the_question_names_them() -> None:
    """Who is asked sees which damaged tags hold nothing back, and which tags cannot be put back."""
    async with Sandbox(SETTINGS) as sandbox:
        image = fill(sandbox)
        arguments = (image, f"{sandbox.host}/{APP}:worse", "--ignore-unreadable", "*:bad")
        async with terminal(*arguments) as screen:
            await screen.until("[y/N] ")
            screen.type("n\n")
            shown = " ".join((await screen.end()).err.split())

        assert f"1 tag that leads nowhere cannot be put back: {sandbox.host}/{APP}:worse" in shown
        assert f"1 damaged tag holds nothing back (--ignore-unreadable): {sandbox.host}/{APP}:bad" in shown
        assert "Delete 1 image (1 manifest) and remove 1 tag that leads nowhere in 1 repository" in shown


async def test_resume_takes_it_from_the_run(tmp_path: Path) -> None:
    """A run that was killed goes on with the patterns that it was given."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SETTINGS) as sandbox:
        image = fill(sandbox)
        arguments = (image, "--ignore-unreadable", "*:bad")
        release = await killed(sandbox, *arguments, method="GET", path="manifests/old", env=env)
        sandbox.faults.add(NO_MANIFEST, method="GET|HEAD", path="manifests/bad", times=None)

        result = await bulkrm("resume", "-o", "json", env=env)
        release.set()

    assert (result.code, result.statuses) == (0, {f"{APP}:old": "deleted"})


@pytest.mark.parametrize("acted", [True, False])
async def test_killed_while_a_tag_is_removed(*, acted: bool, tmp_path: Path) -> None:
    """A tag that leads nowhere and whose DELETE took effect counts as deleted; else it is sent again."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SETTINGS) as sandbox:
        fill(sandbox)
        image = f"{sandbox.host}/{APP}:worse"
        release = await killed(sandbox, image, method="DELETE", path="manifests/worse", env=env)
        if acted:
            sandbox.store.delete_tag(APP, "worse")

        result = await bulkrm("resume", "-o", "json", env=env)
        release.set()

    assert (result.code, result.statuses) == (0, {f"{APP}:worse": "deleted"})
    assert "worse" not in (sandbox.store.tags(APP) or ())


@pytest.mark.parametrize("deletes", [True, False])
async def test_killed_while_a_decoy_covers_a_tag(*, deletes: bool, tmp_path: Path) -> None:
    """The decoy under a tag that led nowhere is the run's own: `resume` deletes it, or says that it stands there."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox)
        sandbox.faults.clear()
        image, decoys = f"{sandbox.host}/{APP}:worse", r"manifests/sha256:(?!0{64})"
        await killed(sandbox, image, "--allow-decoy", "-y", method="DELETE", path=decoys, env=env)
        assert sandbox.store.manifest(APP, sandbox.store.digest_of(APP, "worse") or "") is not None
        if not deletes:
            sandbox.faults.add(Reply(405), method="DELETE", path=decoys, times=None)

        shown = await bulkrm("resume", "-n", "-o", "json", env=env)
        result = await bulkrm("resume", "-y", "-o", "json", env=env)

        assert shown.statuses == {f"{APP}:worse": "would-delete"}
        assert result.statuses == {f"{APP}:worse": "deleted" if deletes else "failed"}
        assert ("worse" in (sandbox.store.tags(APP) or ())) is not deletes
        assert len(sandbox.store.digests(APP)) == 4 + (not deletes)
