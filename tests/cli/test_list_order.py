"""The images of a report are in the order of the command line and of its lists, also in a later part or command."""

import json
from pathlib import Path

import pytest

from bulkrm.sandbox import Reply, Sandbox
from tests.cli.command import Command, Result, fill

WORDS = ("-f", "z.yaml", "-f", "b.yaml", "-f", "a.yaml")


@pytest.fixture
def image(sandbox: Sandbox) -> str:
    """A repository whose tags three lists name, the first of them by the last name."""
    fill(sandbox, "first", "z", "y", "g-1", "g-2", "a", "b")
    image = f"{sandbox.host}/team/app"
    Path("z.yaml").write_text(f"- {image}:z\n- {{image: {image}, tags: [y, gone]}}\n")
    Path("b.yaml").write_text(f"- {image}:g-*\n- {image}:nothing-*\n")
    Path("a.yaml").write_text(f"- {{image: {image}, tags: [b, a]}}\n")
    return image


def names(result: Result) -> list[str]:
    """The tags of the images of a report, in its order."""
    return [entry["image"].rpartition(":")[2] for entry in result.images]


ORDER = ["first", "z", "y", "gone", "g-1", "g-2", "nothing-*", "b", "a"]


def test_apply(run: Command, image: str) -> None:
    """A plan knows the order of the files that it was made from, and the run that applies it does; within a line, names sort."""
    planned = run("plan", f"{image}:first", *WORDS, "--out", "plan.json", "-o", "json")

    applied = run("apply", "plan.json", "-y", "-o", "json")
    shown = run("runs", "show", applied.report["run"]["id"])

    assert names(planned) == ORDER
    assert names(applied) == [*ORDER[:2], "gone", "y", *ORDER[4:7], "a", "b"]
    rows = [line.split()[1].rpartition(":")[2] for line in shown.out.split("\n\n")[1].splitlines()]
    assert rows == names(applied)


def test_resume(run: Command, sandbox: Sandbox, image: str) -> None:
    """The record of a run has its list, so that every image is where the first report had it."""
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    failed = run(f"{image}:first", *WORDS, "--fail-fast", "-c", "1", "-o", "json")
    sandbox.faults.clear()

    resumed = run("resume", "-o", "json")

    assert names(failed) == ORDER
    assert names(resumed) == ORDER


def test_resume_of_an_applied_plan(run: Command, sandbox: Sandbox, image: str) -> None:
    """The record of a run that applied a plan has the order of the files of the plan."""
    run("plan", f"{image}:first", *WORDS, "--fail-fast", "--out", "plan.json")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    failed = run("apply", "plan.json", "-c", "1", "-y", "-o", "json")
    sandbox.faults.clear()

    resumed = run("resume", "-o", "json")

    assert names(resumed) == names(failed)
    assert names(resumed)[0] == "first"
    assert names(resumed)[1] == "z"


def test_undo_since(run: Command, image: str) -> None:
    """What was put back since is in the order of the list, too."""
    done = run(f"{image}:first", *WORDS, "-y", "-o", "json")
    run("undo", "-y")

    shown = run("runs", "show", done.report["run"]["id"])

    rows = [line.split()[1].rpartition(":")[2] for line in shown.out.split("\n\n")[2].splitlines()[1:]]
    assert rows == [name for name in ORDER if name not in {"gone", "nothing-*"}]


def test_files_in_the_order_of_their_names(run: Command, image: str) -> None:
    """Such a plan is the same as ever, byte for byte: nothing has to be written about it."""
    run("plan", f"{image}:z", "-f", "a.yaml", "-f", "b.yaml", "--out", "sorted.json")
    run("plan", *WORDS, "--out", "other.json")

    plans = {name: json.loads(Path(name).read_text())["options"] for name in ("sorted.json", "other.json")}
    assert "lists" not in plans["sorted.json"]
    assert plans["other.json"]["lists"] == ["z.yaml", "b.yaml", "a.yaml"]
