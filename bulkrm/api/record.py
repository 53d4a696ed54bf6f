"""The folder of a run: what was asked, in a form from which it can be asked again."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bulkrm import __version__
from bulkrm.api.plugins import loaded_plugins
from bulkrm.codec.policy_fields import rules_record
from bulkrm.codec.run_record import list_fields, run_fields
from bulkrm.engine.job import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.selection.entry import Entry
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder, locked
from bulkrm.state.known import KnownRun, known_runs


def new_run_id(started: datetime) -> str:
    """Name a run: by its time, and by chance."""
    return f"{started:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"


@contextmanager
def run_folder(job: Job, root: Path | None) -> Iterator[RunFolder | None]:
    """Hold the folder of a new run below `root`. A dry run has none, and nor has a run without a root.

    Raises InputError where it cannot be made.
    """
    if job.policy.dry_run or root is None:
        yield None
        return
    started = datetime.now(UTC)
    folder = RunFolder.create(root, new_run_id(started), _asked(job, started), list_fields(_listed(job)))
    with held(folder):
        if isinstance(job.work, Saved):
            _keep_plan(folder, job.plan_text(job.work.plan, job.work.lines))
        yield folder


@contextmanager
def held(folder: RunFolder) -> Iterator[RunFolder]:
    """Hold an open folder, and let it go."""
    try:
        yield folder
    finally:
        with suppress(StateError):  # the report says it when the end of the run could not be written
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


def run_named(root: Path, name: str) -> KnownRun:
    """Return the run whose name begins so. Raises InputError where there is none, or more than one."""
    if not name:
        raise InputError(Problem("RUN", "the name is empty", "perhaps a variable is not set; `bulkrm runs` lists them"))
    found = [run for run in known_runs(root) if run.id.startswith(name)]
    if len(found) != 1:
        what = "there is no such run" if not found else f"{len(found)} runs begin so"
        raise InputError(Problem(name, what, f"`bulkrm runs` lists those in {root}"))
    return found[0]


def _keep_plan(folder: RunFolder, text: Iterable[str]) -> None:
    try:
        folder.write_plan(text)
    except StateError as error:
        raise InputError(Problem("--state-dir", error.what, "give another folder")) from error


def _asked(job: Job, started: datetime) -> dict[str, Any]:
    command = "apply" if isinstance(job.work, Saved) else "delete"
    rules = rules_record(map(str, job.protect), map(str, job.ignore), job.conditions)
    return run_fields(started, __version__, command, job.policy, rules, loaded_plugins())


def _listed(job: Job) -> Sequence[Entry]:
    return () if isinstance(job.work, Saved) else job.work
