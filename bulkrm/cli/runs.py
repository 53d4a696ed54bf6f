"""`bulkrm runs`: the recorded runs, what one of them did, and getting rid of old ones."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bulkrm.cli.guarded import guarded
from bulkrm.cli.options import StateDir

runs = typer.Typer(
    rich_markup_mode=None,
    invoke_without_command=True,
    help="List the recorded runs: when they began, how they ended, what they did.",
)
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, or the beginning of it.")]
Before = Annotated[str, typer.Option("--older-than", metavar="AGE", help="Such as 30d, 12h or 8w.")]


@runs.callback()
def list_runs(context: typer.Context, state_dir: StateDir = None) -> None:
    """List the recorded runs: when they began, how they ended, what they did."""
    context.obj = state_dir
    if context.invoked_subcommand is None:
        from bulkrm.cli.records import all_runs

        _print(all_runs(_root(state_dir)))


@runs.command()
def show(context: typer.Context, run: Run) -> None:
    """Show what a run was asked, and what became of every image."""
    from bulkrm.cli.records import one_run

    _print(one_run(_root(context.obj), run))


@runs.command()
def prune(context: typer.Context, older_than: Before) -> None:
    """Delete the records of runs that are over and older than that; they cannot be undone any more then."""
    from bulkrm.cli.records import pruned_runs

    _print(pruned_runs(_root(context.obj), older_than))


def _root(option: Path | None) -> Path:
    from bulkrm.state.place import state_dir

    return state_dir(option, os.environ)


def _print(lines: Iterator[str]) -> None:
    def printed() -> int:
        for line in lines:
            typer.echo(line)
        return 0

    raise typer.Exit(guarded(printed))
