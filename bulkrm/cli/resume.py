"""`bulkrm resume`: a run that was cut short is gone on with from its folder."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from bulkrm.cli.inputs import read_ignored, read_protection
from bulkrm.cli.options import Access, Pace, Talk
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.planning import in_order
from bulkrm.cli.recorded import held
from bulkrm.cli.records import summary
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.cli.which import run_named
from bulkrm.client.registries import refuse_unusable_connections
from bulkrm.engine.landing import Past
from bulkrm.engine.run import Job, Saved
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import parse_repository
from bulkrm.model.target import Source
from bulkrm.planfile.options import ignored_by, policy_of
from bulkrm.reports.shape import result
from bulkrm.selection.entry import Detail, Entry, parse_entry
from bulkrm.selection.pattern import ExcludePattern
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import StateError
from bulkrm.state.folder import KnownRun, RunFolder, known_runs
from bulkrm.state.history import History, read_history
from bulkrm.state.place import state_dir


def resume_run(name: str | None, access: Access, pace: Pace, talk: Talk, *, dry_run: bool) -> int:
    """Go on with a run. Returns the exit code; raises InputError before anything was attempted."""
    talk.streams.refuse_unanswerable(yes=talk.yes, dry_run=dry_run)
    root = state_dir(talk.state_dir, os.environ)
    run = _find(root, name)
    with held(RunFolder.open(root, run.id)) as folder:
        job = _job(run, access)
        job = replace(job, policy=replace(job.policy, dry_run=dry_run))
        settings = settings_of(access, pace)
        with writers_of(talk, files_of(access, [run.path])) as writers:
            refuse_unusable_connections(job.hosts, settings.connection)
            login = login_of(access, job.hosts, talk.streams, list_from_stdin=False)
            if not dry_run:
                folder.begin_part()
            kept = None if dry_run else folder
            about = f"going on with run {run.id}" + (f" ({before})" if (before := summary(run)) else "")
            return anyio.run(perform, Task(job, settings, login, writers, talk, kept, about=about))


def _find(root: Path, name: str | None) -> KnownRun:
    if name is None:
        left = [run for run in known_runs(root) if not run.is_finished and not run.is_locked]
        if not left:
            raise InputError(Problem("", f"there is no unfinished run in {root}", "`bulkrm runs` lists them"))
        return left[-1]
    found = run_named(root, name)
    if found.is_finished:
        raise InputError(Problem(name, "this run is finished", "`bulkrm runs show` tells what it did"))
    return found


def _job(run: KnownRun, access: Access) -> Job:
    try:
        protect = read_protection(run.asked["protect"], access.connection.default_port)
        ignore = read_ignored(ignored_by(run.asked), access.connection.default_port)
        policy = policy_of(run.asked["options"])
        plan = run.path / "plan.json"
        if not plan.exists():
            return Job(tuple(_entries(run.asked["list"], access)), protect, policy, ignore)
        return Job(_saved(run, plan), protect, policy, ignore)
    except (StateError, KeyError, TypeError, ValueError) as error:
        raise InputError(Problem(run.id, f"its record is damaged: {error}", "run its list again")) from error


def _saved(run: KnownRun, plan: Path) -> Saved:
    from bulkrm.planfile.read import read  # noqa: PLC0415 (only `apply` and `resume` need what it loads)

    document = read(plan.read_bytes(), str(plan))
    lines = in_order(document.plan, document.unmatched)
    return Saved(document.plan, lines, _past(run, read_history(run.path)), resumed=True)


def _past(run: KnownRun, history: History) -> Past:
    begun = {(parse_repository(intent.repository, None), intent.digest) for intent in history.intents}
    digests = {digest for _, digest in begun} if history.decoys else set()
    manifests = read_archive(run.path / "manifests.jsonl.gz") if digests else ()
    return Past(
        {image: result(fields) for image, fields in history.outcomes.items() if fields["status"] != "no-match"},
        frozenset(begun),
        {parse_repository(name, None): frozenset(found) for name, found in history.decoys.items()},
        {manifest.digest: manifest for manifest in manifests if manifest.digest in digests},
        {(parse_repository(name, None), tag): digest for (name, tag), digest in history.cleared.items()},
        frozenset((parse_repository(name, None), tag) for name, tag in history.dangling),
    )


def _entries(listed: Sequence[Mapping[str, Any]], access: Access) -> Iterator[Entry]:
    for fields in listed:
        detail = Detail(None, tuple(ExcludePattern(pattern) for pattern in fields["exclude"]), fields["note"])
        port = access.connection.default_port
        yield from parse_entry(
            fields["image"], source=Source.parse(str(fields["source"])), default_port=port, detail=detail
        )
