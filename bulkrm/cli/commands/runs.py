"""`bulkrm runs`: the recorded runs, what one of them did, and getting rid of old ones."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bulkrm.cli.options.command import command, group
from bulkrm.cli.options.declared import Consent, StateDir, What
from bulkrm.cli.options.extras import Example
from bulkrm.cli.terminal import console

runs = typer.Typer(add_completion=False, rich_markup_mode=None)
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, or the beginning of it.")]
Before = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="AGE", help="Which ones: older than 30d, 12h or 8w.", rich_help_panel=What.panel
    ),
]
Show = Annotated[
    bool,
    typer.Option("--dry-run", "-n", help="Show which would go, and delete none.", rich_help_panel=Consent.panel),
]


@group(
    runs,
    examples=(
        Example("List the runs", "bulkrm runs"),
        Example("See what became of every image of one", "bulkrm runs show 20260131T120000Z-1a2b3c"),
        Example("Remove the records of old ones", "bulkrm runs prune --older-than 90d"),
    ),
)
def list_runs(context: typer.Context, state_dir: StateDir = None) -> int:
    """List the recorded runs, show one, or remove old records."""
    context.obj = state_dir
    if context.invoked_subcommand is not None:
        return 0
    from bulkrm.cli.commands.runs_view import all_runs

    root = _root(state_dir)
    return _print(all_runs(root), nothing=f"there are no runs in {root}")


@command(runs, examples=(Example("Show a run by the beginning of its name", "bulkrm runs show 20260131"),))
def show(context: typer.Context, run: Run, state_dir: StateDir = None) -> int:
    """Show what became of every image of a run.

    It names the folder of the record, too, in which run.json says what the run was asked.
    """
    from bulkrm.cli.commands.runs_view import one_run

    return _print(one_run(_root(state_dir or context.obj), run))


@command(runs, examples=(Example("See which records would go", "bulkrm runs prune --older-than 90d -n"),))
def prune(context: typer.Context, older_than: Before, dry_run: Show = False, state_dir: StateDir = None) -> int:
    """Delete the records of old runs.

    Only runs that are over go. They cannot be undone any more then.
    """
    from bulkrm.cli.commands.runs_view import pruned_runs

    return _print(pruned_runs(_root(state_dir or context.obj), older_than, dry_run=dry_run))


def _root(option: Path | None) -> Path:
    from bulkrm.state.location import state_dir

    return state_dir(option, os.environ)


def _print(lines: Iterator[str], nothing: str | None = None) -> int:
    """Print lines; where there are none, say so beside standard output. Returns the exit code."""
    is_empty = True
    for line in lines:
        is_empty = False
        if not console.show(line):
            return 1
    if is_empty and nothing is not None:
        console.say(nothing)
    return 0
