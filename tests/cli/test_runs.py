"""`bulkrm runs`: the list of runs, one of them in full, and what prune says."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bulkrm.cli.runs.listing import list_text, table
from bulkrm.cli.runs.summary import RunState, RunSummary, summary_of, where
from bulkrm.codec.journal_events import Undone
from bulkrm.reports.format import View
from bulkrm.sandbox import Reply, Sandbox
from bulkrm.state.folder import RunFolder
from bulkrm.state.known import KnownRun, known_runs
from bulkrm.state.run_repositories import RunRepositories
from tests.cli.command import Command, fill

NOW = datetime(2026, 2, 3, 12, 0, 0, tzinfo=UTC)
HOST = "registry.example.com"


def summary(number: int = 0, state: RunState = RunState.FINISHED, **fields: object) -> RunSummary:
    """A run of some days ago."""
    started = NOW - timedelta(days=number, minutes=5)
    name = f"{started:%Y%m%dT%H%M%SZ}-abcdef"
    return RunSummary(name, Path("/runs", name), started, state, **fields)  # type: ignore[arg-type]


RUNS = [
    summary(400, RunState.DAMAGED, damage="/runs/x/journal.jsonl:3: this record was changed: it is not JSON"),
    summary(3, RunState.INTERRUPTED, undone=Undone.PARTLY, counts={"deleted": 1234, "not_attempted": 98}),
    summary(
        1,
        counts={"deleted": 20000, "kept": 18211, "failed": 3, "absent": 12, "not_attempted": 1},
        touched=RunRepositories(
            tuple(f"{HOST}/team/with/a/long/name-{number}" for number in range(12)), is_planned=True
        ),
    ),
    summary(
        touched=RunRepositories((f"{HOST}/team/app", "other.example.com:5000/app"), is_planned=True),
        counts={"deleted": 1},
    ),
]


@pytest.mark.parametrize("width", [80, 200])
def test_table(width: int) -> None:
    """No line is wider than the terminal; each run begins a line with its name, age and state."""
    lines = list(table(RUNS, NOW, width))

    assert [line for line in lines if len(line) > width] == []
    rows = [line for line in lines if line[:1] == "2"]
    assert [line[:23] for line in rows] == [run.id for run in RUNS]
    assert [line[25:].split("  ")[0] for line in rows] == [
        "13 months ago",
        "3 days ago",
        "24 hours ago",
        "5 minutes ago",
    ]
    assert ("interrupted, partly undone" in rows[1], "1,234 deleted" in "".join(lines)) == (True, True)
    assert f"{HOST}: team/app; other.example.com:5000: app" in "\n".join(lines)


def test_table_in_a_pipe() -> None:
    """In a pipe each run is one line, and each column begins where its header does."""
    header, *rows = table(RUNS, NOW, None)

    assert len(rows) == len(RUNS)
    for row, run in zip(rows, RUNS, strict=True):
        assert row[header.index("STATE") :].startswith(run.words)
        assert row[header.index("IMAGES") :].startswith(run.damage or run.images)


def test_where() -> None:
    """Registries and repositories are named, three of them; the rest is counted."""
    names = [f"{HOST}/a", f"{HOST}/b", "one.example/c", "two.example/d", "two.example/e"]

    assert where(RunRepositories(tuple(names[:2]))) == f"{HOST}: a, b"
    assert where(RunRepositories(tuple(names))) == f"{HOST}: a, b; one.example: c and 2 more on 1 more registry"


def test_as_json(run: Command, sandbox: Sandbox) -> None:
    """-o json is one object with schema 1 and the same keys for each run; jsonl is an object a line."""
    fill(sandbox, "a", "b")
    run(f"{sandbox.host}/team/*:a", "--protect", "*:latest")
    run(f"{sandbox.host}/team/none:x*", "--fail-fast")

    found = json.loads(run("runs", "-o", "json").out)
    lines = [json.loads(line) for line in run("runs", "-o", "jsonl").out.splitlines()]

    assert found["schema"] == 1
    assert found["runs"] == lines
    first, second = lines
    assert list(first) == list(second) == [
        "run", "started", "state", "undone", "resumable", "exit_code", "hosts", "repositories", "planned", "summary",
        "damage", "folder",
    ]  # fmt: skip
    assert (first["state"], first["undone"], first["exit_code"], first["resumable"]) == ("finished", "no", 0, False)
    assert (first["hosts"], first["repositories"], first["planned"]) == (
        [sandbox.host],
        [f"{sandbox.host}/team/app"],
        True,
    )
    assert first["summary"]["deleted"] == 1
    assert (second["repositories"], second["planned"]) == ([f"{sandbox.host}/team/none"], False)


def test_a_format_that_is_none(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that the list has not is bad usage where it is typed; as a default for reports it means nothing here."""
    typed, behind = run("runs", "-o", "xml"), run("runs", "-o", "json", "show", "x")
    monkeypatch.setenv("BULKRM_OUTPUT", "xml")

    assert (typed.code, "write one of text, json, jsonl" in typed.err) == (2, True)
    assert (behind.code, "only the list of runs has formats" in behind.err) == (2, True)
    assert run("runs").code == 0


def test_list_order(run: Command, sandbox: Sandbox) -> None:
    """`runs show` has the images in the order of the list, whatever was done first, each once with what became of it last."""
    fill(sandbox, "z", "m", "a", "g-1", "g-2")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    image = f"{sandbox.host}/team/app"
    Path("two.yaml").write_text(f"- {image}:g-*\n- {{image: {image}, tags: [a, gone]}}\n")
    Path("one.yaml").write_text(f"- {image}:nothing-*\n")
    failed = run(f"{image}:z", f"{image}:m", "-f", "two.yaml", "-f", "one.yaml", "--fail-fast", "-o", "json")
    sandbox.faults.clear()
    resumed = run("resume", "-o", "json")

    shown = run("runs", "show", failed.report["run"]["id"])

    rows = [line.split()[:2] for line in shown.out.split("\n\n")[1].splitlines()]
    assert [name for _, name in rows] == [entry["image"] for entry in failed.images]
    assert {name: status for status, name in rows} == {entry["image"]: entry["status"] for entry in resumed.images}
    assert [name.rpartition(":")[2] for _, name in rows] == ["z", "m", "g-1", "g-2", "a", "gone", "nothing-*"]


def test_head_of_a_run(run: Command, sandbox: Sandbox) -> None:
    """`runs show` says how the run stands, how to go on with it, and where its record is."""
    fill(sandbox, "a", "b")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    name = run(f"{sandbox.host}/team/app:*", "--fail-fast", "-c", "1", "-o", "json").report["run"]["id"]

    head = run("runs", "show", name).out.split("\n\n")[0].splitlines()

    assert head[0].split() == ["run:", name]
    assert "just now" in head[1]
    assert head[2].split(maxsplit=1)[1] == "unfinished, exit code 1"
    assert head[3].split(maxsplit=1)[1] == f"{sandbox.host}: team/app"
    assert head[5].split(maxsplit=2)[2] == f"bulkrm resume {name}"
    assert head[6].split()[1] == str(Path(os.environ["BULKRM_STATE_DIR"], "runs", name))


def break_nothing(_: Path) -> None:
    """Leave it."""


def remove_what_was_asked(folder: Path) -> None:
    (folder / "run.json").unlink()


def make_a_folder_of_the_journal(folder: Path) -> None:
    (folder / "journal.jsonl").unlink()
    (folder / "journal.jsonl").mkdir()


def garble_the_plan(folder: Path) -> None:
    text = (folder / "plan.json").read_text()
    (folder / "plan.json").write_text(text.replace('"repository": "', '"repository": \x1b"', 1))


def take_another_version(folder: Path) -> None:
    (folder / "run.json").write_text('{"version": 2}')


@pytest.mark.parametrize(
    "change",
    [remove_what_was_asked, make_a_folder_of_the_journal, garble_the_plan, take_another_version],
    ids=lambda change: change.__name__,
)
def test_damaged(change: object, run: Command, sandbox: Sandbox) -> None:
    """A damaged record is listed as such, with what is wrong, and the other runs are listed as ever."""
    assert callable(change)
    fill(sandbox, "a", "b")
    for tag in ("a", "b"):
        run(f"{sandbox.host}/team/app:{tag}")
    broken, whole = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    change(broken.path)

    listed, found = run("runs"), json.loads(run("runs", "-o", "json").out)["runs"]

    assert listed.code == 0
    states = {broken.id: "damaged", whole.id: "finished"}
    assert {line.split()[0]: line.split()[3] for line in listed.out.splitlines()[1:]} == states
    assert "\x1b" not in listed.out
    assert {entry["run"]: entry["state"] for entry in found} == states
    assert [str(broken.path) in entry["damage"] for entry in found if entry["damage"]] == [True]


def test_a_folder_with_an_impossible_time(run: Command) -> None:
    """A folder that is called as no run can be is none, and nothing crashes over it."""
    folder = Path(os.environ["BULKRM_STATE_DIR"], "runs", "20269999T999999Z-abcdef")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")

    assert (run("runs").out, run("runs", "prune", "--older-than", "1h").code) == ("", 0)


def test_state_dir_that_is_none(run: Command) -> None:
    """A file in the place of the folder of runs is bad usage: it would be wrong to say that there are no runs."""
    Path("file").write_text("")

    result = run("runs", "--state-dir", "file")

    assert (result.code, result.out) == (2, "")
    assert "--state-dir: the runs in file/runs cannot be read: Not a directory" in result.err


# Pruning


def test_nothing_to_prune(run: Command, sandbox: Sandbox) -> None:
    """Where nothing goes it is said why: there is no run, or none that is old enough, or none that is over."""
    none = run("runs", "prune", "--older-than", "30d")
    fill(sandbox, "a", "b")
    run(f"{sandbox.host}/team/app:a")
    young, dry = run("runs", "prune", "--older-than", "30d"), run("runs", "prune", "--older-than", "1w", "-n")

    assert (none.code, young.code, none.out + young.out + dry.out) == (0, 0, "")
    assert none.err == f"There are no runs in {os.environ['BULKRM_STATE_DIR']}; nothing was removed.\n"
    assert young.err == "No run is older than 30 days; nothing was removed.\n"
    assert dry.err == "No run is older than 1 week; nothing would be removed.\n"


def test_what_prune_leaves(run: Command, sandbox: Sandbox) -> None:
    """Old runs that can be gone on with, or whose record is damaged, stay and are named; the others go."""
    fill(sandbox, "a", "b", "c", "d")
    for tag in ("a", "b"):
        run(f"{sandbox.host}/team/app:{tag}")
    over, damaged = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    (damaged.path / "run.json").write_text("")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    run(f"{sandbox.host}/team/app:*", "--fail-fast", "-c", "1")
    unfinished = next(entry for entry in known_runs(over.path.parent.parent) if entry.id not in (over.id, damaged.id))

    result = run("runs", "prune", "--older-than", "0h")
    again = run("runs", "prune", "--older-than", "0h")

    assert result.out == f"deleted {over.id}\n"
    assert f"1 older run stays, because `bulkrm resume` can go on with it: {unfinished.id}" in result.err
    assert "1 older run stays, because the record is damaged and may be needed" in result.err
    assert again.err.startswith("No run that is over is older than 0 hours; nothing was removed.\n")
    assert {entry.id for entry in known_runs(over.path.parent.parent)} == {damaged.id, unfinished.id}


def test_prune_leaves_a_run_that_goes_on(run: Command, sandbox: Sandbox) -> None:
    """A run that a process works on is listed as running, and stays."""
    fill(sandbox, "a")
    run(f"{sandbox.host}/team/app:a")
    (found,) = known_runs(Path(os.environ["BULKRM_STATE_DIR"]))
    folder = RunFolder.open(found.path.parent.parent, found.id)
    try:
        listed, pruned = run("runs"), run("runs", "prune", "--older-than", "0h")
    finally:
        folder.close()

    assert listed.out.splitlines()[1].split()[3] == "running"
    assert "1 older run stays, because a process works on it" in pruned.err
    assert found.path.exists()


def test_a_record_that_vanishes(tmp_path: Path) -> None:
    """A run whose folder goes while the list is made is listed as damaged, and raises nothing."""
    folder = RunFolder.create(tmp_path, "20260131T120000Z-abcdef", {})
    folder.close()
    (found,) = known_runs(tmp_path)
    shutil.rmtree(found.path)

    (_, row) = list_text([summary_of(KnownRun(found.path))], "text", NOW, View())

    assert row.split()[4] == "damaged" or "damaged" in row
