"""Opens the folders of recorded runs: makes the folder of a new run, and finds, locks and reads that of an earlier one."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bulkrm import __version__
from bulkrm.api.run_setup import loaded_plugins
from bulkrm.codec.list_order import files_to_record
from bulkrm.codec.policy_fields import rules_record
from bulkrm.codec.run_record import list_fields, run_fields
from bulkrm.engine.job import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.selection.entry import Entry
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder, locked
from bulkrm.state.known import KnownRun, known_runs


def new_run_id(started: datetime) -> str:
    """Return a new name of a run: the time at which it started, and six random hex digits."""
    return f"{started:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"


@contextmanager
def run_folder(job: Job, root: Path | None) -> Iterator[RunFolder | None]:
    """Make the folder of a new run below `root`, and close it at the end of the block. A dry run has no folder.

    Without a root no run has a folder. Raises InputError where the folder cannot be made.
    """
    if job.policy.dry_run or root is None:
        yield None
        return
    started = datetime.now(UTC)
    folder = RunFolder.create(root, new_run_id(started), _asked(job, started), list_fields(_listed(job)))
    with closing_folder(folder):
        if isinstance(job.work, Saved):
            _keep_plan(folder, job.plan_text(job.work.plan, job.work.lines))
        yield folder


@contextmanager
def closing_folder(folder: RunFolder) -> Iterator[RunFolder]:
    """Close a folder at the end of the block."""
    try:
        yield folder
    finally:
        with suppress(StateError):  # the report says so if the end of the run could not be written
            folder.close()


@contextmanager
def open_record(root: Path, run: str, *, dry_run: bool) -> Iterator[RunFolder | None]:
    """Open the folder of a recorded run to continue its record; a dry run writes nothing and only locks the folder."""
    if dry_run:
        with locked(root, run):
            yield None
        return
    with closing_folder(RunFolder.open(root, run)) as folder:
        yield folder


@contextmanager
def refuse_damaged(run: KnownRun) -> Iterator[None]:
    """Turn StateError, of a damaged record, into InputError: then nothing is attempted."""
    try:
        yield
    except StateError as error:
        remedy = error.remedy or "the record of this run is damaged; name another one"
        raise InputError(Problem(run.id, error.what, remedy)) from error


def refuse_other_port(hosts: Iterable[str], default_port: int) -> None:
    """Raise InputError where a host of a run is no normal form by the default port of the connection.

    Such a run was made with the other default port, so its host has another name in patterns and credentials now.
    """
    for host in hosts:
        now = parse_host(host, default_port)
        if now != host:
            remedy = (
                "give --plain-http, as that run did"
                if default_port == HTTPS_PORT
                else "leave --plain-http out, as that run did"
            )
            raise InputError(Problem("RUN", f"its registry {host} would be {now} here, whose rules may differ", remedy))


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
    lists = files_to_record(job.work.lines) if isinstance(job.work, Saved) else ()  # else the list itself is recorded
    rules = rules_record(map(str, job.protect), map(str, job.ignore), job.conditions, lists)
    return run_fields(started, __version__, command, job.policy, rules, loaded_plugins())


def _listed(job: Job) -> Sequence[Entry]:
    return () if isinstance(job.work, Saved) else job.work
