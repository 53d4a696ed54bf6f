"""The recorded runs for people: a line each, what one of them did, and getting rid of old ones."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bulkrm.cli.commands.run_choice import run_named
from bulkrm.model.errors import InputError, Problem
from bulkrm.state.errors import StateError
from bulkrm.state.journal.events import ImageOutcome, UndoOutcome, read_events
from bulkrm.state.journal.standing import Undone
from bulkrm.state.known import KnownRun, known_runs

_AGE = re.compile(r"(\d{1,6})([dhw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


def all_runs(root: Path) -> Iterator[str]:
    """Yield a line for each run."""
    for run in known_runs(root):
        yield _line(run)


def one_run(root: Path, name: str) -> Iterator[str]:
    """Yield how a run ended, where its record is, and what became of every image. Raises InputError."""
    found = run_named(root, name)
    yield _line(found)
    yield f"folder: {found.path}"
    yield ""
    yield from _outcomes(found)


def pruned_runs(root: Path, older_than: str, *, dry_run: bool = False) -> Iterator[str]:
    """Delete the records of runs that are over and older than that; yield a line for each. Raises InputError.

    A dry run only names them.
    """
    limit = datetime.now(UTC) - _age(older_than)
    old = [run for run in known_runs(root) if _started(run) < limit and _is_over(run) and not run.is_locked]
    for run in old:
        if not dry_run:
            try:
                run.remove()
            except OSError as error:
                what = f"cannot be deleted: {error.strerror}"
                raise InputError(Problem(str(run.path), what, "look into it")) from error
        yield f"{'would delete' if dry_run else 'deleted'} {run.id}"


def _line(run: KnownRun) -> str:
    return f"{run.id}  {_state(run):<11}{summary(run)}".rstrip()


def _state(run: KnownRun) -> str:
    if run.is_locked:
        return "running"
    try:
        standing = run.standing
    except StateError:
        return "damaged"
    if standing.undone is Undone.WHOLLY:
        return "undone"
    return f"exit {standing.end.code}" if standing.is_finished and standing.end else "unfinished"


def _is_over(run: KnownRun) -> bool:
    """Tell whether nobody may go on with a run; of one whose record is damaged nobody knows."""
    try:
        return run.standing.is_over
    except StateError:
        return False


def summary(run: KnownRun) -> str:
    """Say in a few words what became of a run's images; nothing where it did not come to its end."""
    try:
        standing = run.standing
    except StateError as error:
        return error.what
    counts = standing.end.summary if standing.end else {}
    words = [f"{count} {status.replace('_', '-')}" for status, count in counts.items() if count]
    words += ["partly undone"] if standing.undone is Undone.PARTLY else []
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
        for event in read_events(run.path / "journal.jsonl"):
            match event:
                case ImageOutcome() | UndoOutcome():
                    yield f"{event.status:<15}{event.image}  {event.why}".rstrip()
                case _:
                    pass
    except StateError as error:
        raise InputError(Problem(run.id, error.what, error.remedy or "the journal cannot be read")) from error
