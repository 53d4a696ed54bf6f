"""`bulkrm runs`: lists the recorded runs, shows one of them, and deletes the records of old ones."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bulkrm.cli.options.command import command, group
from bulkrm.cli.options.declared import ConsentOptions, ImageOptions, OutputOptions, StateDir
from bulkrm.cli.options.rule import Example
from bulkrm.cli.terminal import console
from bulkrm.model.errors import InputError, Problem

_FAILED = 1

runs = typer.Typer(add_completion=False, rich_markup_mode=None)
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, or the beginning of it.")]
Before = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="AGE", help="Which ones: older than 30d, 12h or 8w.", rich_help_panel=ImageOptions.panel
    ),
]
Show = Annotated[
    bool,
    typer.Option("--dry-run", "-n", help="Show which would go, and delete none.", rich_help_panel=ConsentOptions.panel),
]
Format = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="text|json|jsonl", help="The list's format.", rich_help_panel=OutputOptions.panel
    ),
]


@group(
    runs,
    examples=(
        Example("List the runs", "bulkrm runs"),
        Example("See what became of every image of one", "bulkrm runs show 20260131T120000Z-1a2b3c"),
        Example("Remove the records of old ones", "bulkrm runs prune --older-than 90d"),
    ),
)
def list_runs(context: typer.Context, output: Format = "text", state_dir: StateDir = None) -> int:
    """List the recorded runs, show one, or remove old records.

    The list says when a run began, where it worked, what it did, and how it stands.
    """
    context.obj = state_dir
    is_typed = str(getattr(context.get_parameter_source("output"), "name", "")) == "COMMANDLINE"
    if context.invoked_subcommand is None:
        return _list(output, state_dir, is_typed=is_typed)
    if is_typed:
        raise InputError(Problem("--output", "only the list of runs has formats", "leave it away"))
    return 0


def _list(output: str, state_dir: Path | None, *, is_typed: bool) -> int:
    from bulkrm.cli.runs.listing import FORMATS, list_text
    from bulkrm.cli.runs.summary import summaries
    from bulkrm.cli.terminal.writers import view_of

    if output not in FORMATS:
        if is_typed:
            what = f"{output[:40]!r} is no format of this list"
            raise InputError(Problem("--output", what, f"write one of {', '.join(FORMATS)}"))
        output = "text"  # a default that is meant for reports
    root = _root(state_dir)
    found = summaries(root)
    lines = list_text(found, output, datetime.now(UTC), view_of(sys.stdout))
    if not found:
        console.say(f"there are no runs in {root}")
    return 0 if console.show_lines(lines) else _FAILED


@command(runs, examples=(Example("Show a run by the beginning of its name", "bulkrm runs show 20260131"),))
def show(context: typer.Context, run: Run, state_dir: StateDir = None) -> int:
    """Show what became of every image of a run.

    The folder of its record is named, too: run.json there has the options of the run, and its list if there was one.
    """
    from bulkrm.api.record import run_named
    from bulkrm.cli.runs.details import details
    from bulkrm.cli.terminal.next_steps import state_dir_option, unusual_state_dir
    from bulkrm.cli.terminal.writers import view_of

    root = _root(state_dir or context.obj)
    view = view_of(sys.stdout, place=state_dir_option(unusual_state_dir(root)))
    lines = details(run_named(root, run), datetime.now(UTC), view)
    return 0 if console.show_lines(lines) else _FAILED


@command(runs, examples=(Example("See which records would go", "bulkrm runs prune --older-than 90d -n"),))
def prune(context: typer.Context, older_than: Before, dry_run: Show = False, state_dir: StateDir = None) -> int:
    """Delete the records of old runs.

    Only records of runs that are over are deleted. Such a run cannot be undone any more.
    """
    from bulkrm.cli.runs.prune import Pruning

    pruning = Pruning(_root(state_dir or context.obj), older_than, datetime.now(UTC))
    is_read = console.show_lines(pruning.carry_out(dry_run=dry_run))
    for remark in pruning.remarks(dry_run=dry_run):
        console.say(remark)
    for trouble in pruning.trouble:
        console.complain(trouble)
    return 0 if is_read and not pruning.trouble else _FAILED


def _root(option: Path | None) -> Path:
    from bulkrm.cli.state_dir import state_dir

    return state_dir(option, os.environ)
