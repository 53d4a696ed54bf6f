"""`bulkrm runs`: the recorded runs, what one of them did, and getting rid of old ones."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bulkrm.cli.guarded import guarded
from bulkrm.cli.options import StateDir
from bulkrm.model.errors import InputError, Problem
from bulkrm.state.errors import StateError
from bulkrm.state.folder import KnownRun, known_runs
from bulkrm.state.journal import read_journal
from bulkrm.state.place import state_dir

_AGE = re.compile(r"(\d{1,6})([dhw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}

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
    context.obj = _root(state_dir)
    if context.invoked_subcommand is None:
        for run in known_runs(context.obj):
            typer.echo(f"{run.id}  {_state(run):<11}{_summary(run)}".rstrip())


@runs.command()
def show(context: typer.Context, run: Run) -> None:
    """Show what a run was asked, and what became of every image."""

    def shown() -> int:
        found = _find(context.obj, run)
        typer.echo(f"{found.id}  {_state(found)}\nfolder: {found.path}\n")
        for line in _outcomes(found):
            typer.echo(line)
        return 0

    raise typer.Exit(guarded(shown))


@runs.command()
def prune(context: typer.Context, older_than: Before) -> None:
    """Delete the records of runs that are over and older than that; they cannot be undone any more then."""

    def pruned() -> int:
        limit = datetime.now(UTC) - _age(older_than)
        old = [
            run for run in known_runs(context.obj) if _started(run) < limit and run.is_finished and not run.is_locked
        ]
        for run in old:
            try:
                run.remove()
            except OSError as error:
                raise InputError(
                    Problem(str(run.path), f"cannot be deleted: {error.strerror}", "look into it")
                ) from error
            typer.echo(f"deleted {run.id}")
        return 0

    raise typer.Exit(guarded(pruned))


def _root(option: Path | None) -> Path:
    return state_dir(option, os.environ)


def _find(root: Path, name: str) -> KnownRun:
    found = [run for run in known_runs(root) if run.id.startswith(name)]
    if len(found) != 1:
        what = "there is no such run" if not found else f"{len(found)} runs begin so"
        raise InputError(Problem(name, what, f"`bulkrm runs` lists those in {root}"))
    return found[0]


def _state(run: KnownRun) -> str:
    if run.is_locked:
        return "running"
    if not run.is_finished:
        return "unfinished"
    return "undone" if run.is_undone else f"exit {(run.end or {}).get('code')}"


def _summary(run: KnownRun) -> str:
    counts: Any = (run.end or {}).get("summary", {})
    words = [f"{count} {status.replace('_', '-')}" for status, count in counts.items() if count]
    return ", ".join(words)


def _started(run: KnownRun) -> datetime:
    return datetime.strptime(run.id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise InputError(Problem("--older-than", f"{text[:40]!r} is not understood", "write 30d, 12h or 8w"))
    return timedelta(hours=int(match[1]) * _HOURS[match[2]])


def _outcomes(run: KnownRun) -> Iterator[str]:
    try:
        for event in read_journal(run.path / "journal.jsonl"):
            if event.get("event") == "outcome":
                more = event.get("reason") or (event.get("error") or {}).get("code") or ""
                yield f"{event['status']:<15}{event['image']}  {more}".rstrip()
    except (StateError, KeyError) as error:
        raise InputError(Problem(str(run.path), str(error), "the journal is damaged")) from error
