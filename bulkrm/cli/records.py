"""The recorded runs for people: a line each, what one of them did, and getting rid of old ones."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bulkrm.cli.which import run_named
from bulkrm.model.errors import InputError, Problem
from bulkrm.state.errors import StateError
from bulkrm.state.folder import KnownRun, known_runs
from bulkrm.state.journal import read_journal, sound

_AGE = re.compile(r"(\d{1,6})([dhw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


def all_runs(root: Path) -> Iterator[str]:
    """Yield a line for each run."""
    for run in known_runs(root):
        yield f"{run.id}  {_state(run):<11}{summary(run)}".rstrip()


def one_run(root: Path, name: str) -> Iterator[str]:
    """Yield how a run ended, where its record is, and what became of every image. Raises InputError."""
    found = run_named(root, name)
    yield f"{found.id}  {_state(found):<11}{summary(found)}".rstrip()
    yield f"folder: {found.path}"
    yield ""
    yield from _outcomes(found)


def pruned_runs(root: Path, older_than: str, *, dry_run: bool = False) -> Iterator[str]:
    """Delete the records of runs that are over and older than that; yield a line for each. Raises InputError.

    A dry run only names them.
    """
    limit = datetime.now(UTC) - _age(older_than)
    old = [run for run in known_runs(root) if _started(run) < limit and run.is_finished and not run.is_locked]
    for run in old:
        if not dry_run:
            try:
                run.remove()
            except OSError as error:
                what = f"cannot be deleted: {error.strerror}"
                raise InputError(Problem(str(run.path), what, "look into it")) from error
        yield f"{'would delete' if dry_run else 'deleted'} {run.id}"


def _state(run: KnownRun) -> str:
    if run.is_locked:
        return "running"
    if not run.is_finished:
        return "unfinished"
    return "undone" if run.is_undone else f"exit {(run.end or {}).get('code')}"


def summary(run: KnownRun) -> str:
    """Say in a few words what became of a run's images; nothing where it did not come to its end."""
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
    path = run.path / "journal.jsonl"
    try:
        with sound(path):
            for event in read_journal(path):
                if event.get("event") == "outcome":
                    yield f"{event['status']:<15}{event['image']}  {_why(event)}".rstrip()
    except StateError as error:
        raise InputError(Problem(str(run.path), str(error), "the journal is damaged")) from error


def _why(event: Mapping[str, Any]) -> str:
    error = event.get("error")
    if error:
        return f"{error['code']}: {error['message']}"
    because = ", ".join(event.get("because") or ())
    return ": ".join(word for word in (event.get("reason"), because) if word)
