"""The record of a run is removed, moved, replaced or cut off while the run goes on: nothing more is deleted from then on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Call, Sandbox, SandboxSettings, ServerRequest
from bulkrm.state.known import known_runs
from tests.cli.command import bulkrm, fill, sent, tags

APP = "team/app"
IMAGES, FIRST, AT_ONCE = 150, 5, 4
Harm = Callable[[Path], object]


def the_run(state: Path) -> Path:
    (run,) = known_runs(state)
    return run.path


def move(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}-moved"))


def replace(path: Path) -> None:
    """Put a copy in its place."""
    aside = path.with_name(f"{path.name}-moved")
    path.rename(aside)
    shutil.copytree(aside, path)


def again(path: Path) -> None:
    """Remove a file, and make it anew."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


HARMS: dict[str, tuple[Harm, str]] = {
    "state folder removed": (shutil.rmtree, "was removed or moved"),
    "state folder moved": (move, "was removed or moved"),
    "state folder replaced": (replace, "was re"),  # removed, for whoever looks in between
    "run removed": (lambda state: shutil.rmtree(the_run(state)), "was removed or moved"),
    "run moved": (lambda state: move(the_run(state)), "was removed or moved"),
    "journal removed": (lambda state: (the_run(state) / "journal.jsonl").unlink(), "was removed or moved"),
    "journal replaced": (lambda state: again(the_run(state) / "journal.jsonl"), "was replaced"),
    "journal cut off": (lambda state: os.truncate(the_run(state) / "journal.jsonl", 10), "was truncated"),
    "archive removed": (lambda state: (the_run(state) / "manifests.jsonl.gz").unlink(), "was removed or moved"),
    "archive replaced": (lambda state: again(the_run(state) / "manifests.jsonl.gz"), "was replaced"),
    "archive cut off": (lambda state: os.truncate(the_run(state) / "manifests.jsonl.gz", 10), "was truncated"),
}


@pytest.mark.parametrize("strategy", ["digest", "tags-first"])
@pytest.mark.parametrize("kind", HARMS)
async def test_in_the_middle(kind: str, strategy: str, tmp_path: Path) -> None:
    """Only what was under way at that moment still goes; the rest is `not-recorded`, and the run fails."""
    state = tmp_path / "state"
    harm, said = HARMS[kind]
    async with Sandbox(SandboxSettings(auth=Auth.NONE, tag_deletes=True)) as sandbox:
        fill(sandbox, *(f"pr-{number:03}" for number in range(IMAGES)), "latest")

        async def do_harm(_: ServerRequest) -> None:
            harm(state)

        path = "sha256:(?!0{64})" if strategy == "digest" else "manifests/pr-"
        sandbox.faults.add(Call(do_harm), method="DELETE", path=path, skip=FIRST)
        arguments = (f"{sandbox.host}/{APP}:pr-*", "-c", str(AT_ONCE), "--strategy", strategy, "-o", "json")
        result = await bulkrm(*arguments, "--state-dir", str(state))
        number = len(sent(sandbox))

    assert result.code == 1
    assert number <= FIRST + 1 + 2 * AT_ONCE
    assert IMAGES + 1 - len(tags(sandbox)) <= FIRST + 2 * AT_ONCE
    errors = [image["error"] for image in result.images if image["error"]]
    (error,) = [error for error in errors if error["code"] == "not-recorded"][:1]
    assert said in error["message"]
    assert {image["status"] for image in result.images} <= {"deleted", "failed", "not-attempted"}
    hints = {image["hint"] for image in result.images if image["error"] and image["error"]["code"] == "not-recorded"}
    assert all("move it back" in hint for hint in hints)


async def test_moved_back(tmp_path: Path) -> None:
    """What went before the record was moved comes back when it is where it was."""
    state = tmp_path / "state"
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, *(f"pr-{number:03}" for number in range(IMAGES)), "latest")
        before = tags(sandbox)

        async def do_harm(_: ServerRequest) -> None:
            move(state)

        sandbox.faults.add(Call(do_harm), method="DELETE", path="sha256:(?!0{64})", skip=FIRST)
        await bulkrm(f"{sandbox.host}/{APP}:pr-*", "-c", "1", "--state-dir", str(state))
        left = tags(sandbox)
        (tmp_path / "state-moved").rename(state)
        undone = await bulkrm("undo", "--state-dir", str(state))

    assert left < before
    assert undone.code == 0
    assert tags(sandbox) == before


async def test_while_it_is_undone(tmp_path: Path) -> None:
    """Of an undo too: what cannot be written down any more is not pushed."""
    state = tmp_path / "state"
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        fill(sandbox, *(f"pr-{number:03}" for number in range(IMAGES)), "latest")
        await bulkrm(f"{sandbox.host}/{APP}:pr-*", "--state-dir", str(state))

        async def do_harm(_: ServerRequest) -> None:
            shutil.rmtree(state)

        sandbox.faults.add(Call(do_harm), method="PUT", skip=FIRST)
        result = await bulkrm("undo", "-c", "1", "-o", "json", "--state-dir", str(state))

    assert result.code == 1
    assert list(result.statuses.values()).count("restored") == FIRST + 1
    errors = {image["error"]["code"] for image in result.images if image["error"]}
    assert errors == {"not-recorded"}
    assert len(tags(sandbox)) == FIRST + 2
