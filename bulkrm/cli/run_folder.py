"""The folder of a run as the command line makes it: what was asked, in a form from which it can be asked again."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bulkrm import __version__
from bulkrm.cli.commands.saved_plan import plan_text
from bulkrm.codec.policy_fields import rules_record
from bulkrm.codec.run_record import list_fields, run_fields
from bulkrm.engine.job import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.selection.entry import Entry
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder, locked
from bulkrm.state.known import KnownRun
from bulkrm.state.location import state_dir


def new_run_id(started: datetime) -> str:
    """Name a run: by its time, and by chance."""
    return f"{started:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"


@contextmanager
def run_folder(job: Job, option: Path | None) -> Iterator[RunFolder | None]:
    """Hold the folder of a new run; a dry run has none. Raises InputError where it cannot be made."""
    if job.policy.dry_run:
        yield None
        return
    started = datetime.now(UTC)
    folder = RunFolder.create(
        state_dir(option, os.environ), new_run_id(started), _asked(job, started), list_fields(_listed(job))
    )
    with held(folder):
        if isinstance(job.work, Saved):
            _keep_plan(folder, plan_text(job, job.work.plan, job.work.lines))
        yield folder


@contextmanager
def held(folder: RunFolder) -> Iterator[RunFolder]:
    """Hold an open folder, and let it go."""
    try:
        yield folder
    finally:
        with suppress(StateError):  # the user was told when the end of the run could not be written
            folder.close()


@contextmanager
def opened(root: Path, run: str, *, dry_run: bool) -> Iterator[RunFolder | None]:
    """Hold the folder of a recorded run, to write on in it; a dry run only keeps others from it, and writes nothing."""
    if dry_run:
        with locked(root, run):
            yield None
        return
    with held(RunFolder.open(root, run)) as folder:
        yield folder


@contextmanager
def readable(run: KnownRun) -> Iterator[None]:
    """Turn what is wrong with the record of a run into bad input: nothing is attempted with it."""
    try:
        yield
    except StateError as error:
        remedy = error.remedy or "the record of this run is damaged; name another one"
        raise InputError(Problem(run.id, error.what, remedy)) from error


def _keep_plan(folder: RunFolder, pieces: Iterable[str]) -> None:
    try:
        folder.write_plan(pieces)
    except StateError as error:
        raise InputError(Problem("--state-dir", error.what, "give another folder")) from error


def _asked(job: Job, started: datetime) -> dict[str, Any]:
    command = "apply" if isinstance(job.work, Saved) else "delete"
    rules = rules_record(map(str, job.protect), map(str, job.ignore), job.conditions)
    return run_fields(started, __version__, command, job.policy, rules)


def _listed(job: Job) -> Sequence[Entry]:
    return () if isinstance(job.work, Saved) else job.work


def trouble_of(error: StateError) -> str:
    """Say that the end of a run is not on disk."""
    return f"the record of the run is not complete: {error.what}"
