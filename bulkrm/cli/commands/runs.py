"""`bulkrm runs`: the recorded runs, what one of them did, and getting rid of old ones."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bulkrm.cli.input_errors import exit_on_input_error
from bulkrm.cli.options.declared import StateDir
from bulkrm.cli.options.layered import LayeredCommand, LayeredGroup
from bulkrm.cli.terminal import console

runs = typer.Typer(
    cls=LayeredGroup,
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="List the recorded runs: when they began, how they ended, what they did.",
)
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, or the beginning of it.")]
Before = Annotated[str, typer.Option("--older-than", metavar="AGE", help="Such as 30d, 12h or 8w.")]

Show = Annotated[bool, typer.Option("--dry-run", "-n", help="Show which would go, delete none.")]


@runs.callback()
def list_runs(context: typer.Context, state_dir: StateDir = None) -> None:
    """List the recorded runs: when they began, how they ended, what they did."""
    context.obj = state_dir
    if context.invoked_subcommand is None:
        from bulkrm.cli.commands.runs_view import all_runs

        root = _root(state_dir)
        _print(all_runs(root), nothing=f"there are no runs in {root}")


@runs.command(cls=LayeredCommand)
def show(context: typer.Context, run: Run, state_dir: StateDir = None) -> None:
    """Show what became of every image of a run, and where its record is: what it was asked is in there (run.json)."""
    from bulkrm.cli.commands.runs_view import one_run

    _print(one_run(_root(state_dir or context.obj), run))


@runs.command(cls=LayeredCommand)
def prune(context: typer.Context, older_than: Before, dry_run: Show = False, state_dir: StateDir = None) -> None:
    """Delete the records of runs that are over and older than that; they cannot be undone any more then."""
    from bulkrm.cli.commands.runs_view import pruned_runs

    _print(pruned_runs(_root(state_dir or context.obj), older_than, dry_run=dry_run))


def _root(option: Path | None) -> Path:
    from bulkrm.state.location import state_dir

    return state_dir(option, os.environ)


def _print(lines: Iterator[str], nothing: str | None = None) -> None:
    """Print lines; where there are none, say so beside standard output."""

    def printed() -> int:
        is_empty = True
        for line in lines:
            is_empty = False
            if not console.show(line):
                return 1
        if is_empty and nothing is not None:
            console.say(nothing)
        return 0

    raise typer.Exit(exit_on_input_error(printed))
