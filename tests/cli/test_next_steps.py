"""What stands behind a run: its name and how it is taken back, or how a plan is carried out."""

import shlex
from pathlib import Path

import pytest

from bulkrm.sandbox import Reply, Sandbox, SandboxSettings
from tests.cli.command import Command, fill, served, tags


def test_undo_after_a_run(run: Command, sandbox: Sandbox) -> None:
    """The command that a run ends with puts back what it deleted; -q, a dry run and one that deleted nothing have none."""
    fill(sandbox, "a", "b")
    image = f"{sandbox.host}/team/app:a"
    silent = [run(image, "-n"), run(f"{sandbox.host}/team/app:gone")]

    done = run(image, "-o", "json")
    step = done.err.splitlines()[-1]
    undone = run(*step.split("`")[1].split()[1:], "-y")
    quiet = run(image, "-q")

    assert step == f"`bulkrm undo {done.report['run']['id']}` puts back what this run deleted"
    assert undone.code == 0
    assert ["undo" in result.err for result in (*silent, quiet)] == [False] * 3
    assert tags(sandbox) == {"b"}


def test_apply_after_a_plan(run: Command, sandbox: Sandbox) -> None:
    """`plan --out` ends with the command that carries the plan out; a plan that deletes nothing needs none."""
    fill(sandbox, "a")
    planned = run("plan", f"{sandbox.host}/team/app:a", "--out", "my plan.json")
    nothing = run("plan", f"{sandbox.host}/team/app:gone", "--out", "nothing.json")
    unsaved = run("plan", f"{sandbox.host}/team/app:a")

    assert planned.err.splitlines()[-1] == "`bulkrm apply 'my plan.json'` carries this plan out"
    assert Path("my plan.json").exists()
    assert "apply" not in nothing.err + unsaved.err
    assert run("apply", "my plan.json").code == 0
    assert tags(sandbox) == set()


def pasted(step: str) -> list[str]:
    """The words of a command that a run prints, without `bulkrm`."""
    return shlex.split(step.split("`")[1])[1:]


def test_lines_that_work_when_they_are_pasted(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines behind a plan and a run repeat what the registry is reached with, and no secret."""
    monkeypatch.setenv("MY_PASSWORD", "admin")
    with served(SandboxSettings(tls=True)) as sandbox:
        fill(sandbox, "a", "b")
        Path("my ca.pem").write_bytes(sandbox.ca_pem or b"")
        how = ("--ca-file", "my ca.pem", "-u", "admin", "--password-env", "MY_PASSWORD", "--state-dir", "runs here")

        planned = run("plan", f"{sandbox.host}/team/app:a", "--out", "plan.json", *how)
        applied = run(*pasted(planned.err.splitlines()[-1]))
        left = tags(sandbox)
        undone = run(*pasted(applied.err.splitlines()[-1]), "-y")

        assert (planned.code, applied.code, undone.code) == (0, 0, 0)
        assert (left, tags(sandbox)) == ({"b"}, {"a", "b"})
        assert "--ca-file 'my ca.pem'" in applied.err.splitlines()[-1]


def test_a_password_that_was_piped_is_asked_for(run: Command, token_sandbox: Sandbox) -> None:
    """The password stands in no line; -p asks for it."""
    fill(token_sandbox, "a")

    done = run(f"{token_sandbox.host}/team/app:a", "-u", "admin", "--password-stdin", stdin=b"admin")

    assert done.code == 0
    assert pasted(done.err.splitlines()[-1])[2:] == ["-u", "admin", "-p"]


def test_the_record_in_a_folder_of_its_own(run: Command, sandbox: Sandbox) -> None:
    """`runs show` of a run that can go on names the folder of the records, if that was typed."""
    fill(sandbox, "a", "b")
    sandbox.faults.add(Reply(400), method="DELETE", times=None)
    where = ("--state-dir", "my runs")
    name = run(f"{sandbox.host}/team/app:*", "--fail-fast", "-c", "1", "-o", "json", *where).report["run"]["id"]

    shown = run("runs", "show", name, *where)

    assert f"bulkrm resume {name} --state-dir 'my runs'\n" in shown.out
