"""What stands behind a run: its name and how it is taken back, or how a plan is carried out."""

from pathlib import Path

from bulkrm.sandbox import Sandbox
from tests.cli.command import Command, fill, tags


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
