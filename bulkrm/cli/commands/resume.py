"""`bulkrm resume`: a run that was cut short is gone on with from its folder."""

import os
from dataclasses import replace
from pathlib import Path

import anyio

from bulkrm.cli.commands.run_choice import run_named
from bulkrm.cli.commands.saved_plan import in_order
from bulkrm.cli.inputs import read_ignored, read_protection
from bulkrm.cli.options.declared import Confirmation, Output, Pace, SignIn
from bulkrm.cli.perform import Task, perform
from bulkrm.cli.run_folder import opened, readable
from bulkrm.cli.runs.summary import of_record
from bulkrm.cli.setup import files_of, login_of, settings_of, writers_of
from bulkrm.codec.policy_fields import conditions_of, policy_of, rules_record
from bulkrm.codec.run_record import read_list, read_run
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.recover.reconcile import EarlierProgress
from bulkrm.engine.recover.undone import UndoneImages
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.plan import Plan
from bulkrm.remote.registries import refuse_unusable_connections
from bulkrm.selection.run_conditions import RunConditions
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import changed
from bulkrm.state.journal.history import History, read_history
from bulkrm.state.known import KnownRun, known_runs
from bulkrm.state.location import state_dir


def resume_run(name: str | None, safety: Confirmation, sign_in: SignIn, pace: Pace, output: Output) -> int:
    """Go on with a run. Returns the exit code; raises InputError before anything was attempted."""
    output.streams.refuse_unanswerable(yes=safety.yes, dry_run=safety.dry_run)
    root = state_dir(output.state_dir, os.environ)
    run = _find(root, name)
    with opened(root, run.id, dry_run=safety.dry_run) as folder:
        _refuse_over(KnownRun(run.path))  # now that nobody else works on it
        job = job_of(run, sign_in)
        job = replace(job, policy=replace(job.policy, dry_run=safety.dry_run))
        settings = settings_of(sign_in, pace, job.hosts)
        with writers_of(output, files_of(sign_in, [run.path])) as writers:
            refuse_unusable_connections(job.hosts, settings)
            login = login_of(sign_in, job.hosts, output.streams, list_from_stdin=False)
            if folder is not None:
                folder.begin_part()
            about = f"going on with run {run.id}" + (f" ({before})" if (before := of_record(run).so_far) else "")
            return anyio.run(perform, Task(job, settings, login, writers, output, safety, folder, about=about))


def _find(root: Path, name: str | None) -> KnownRun:
    """Return the run that is to be gone on with. Raises InputError where none can be."""
    if name is None:
        left = next((run for run in reversed(known_runs(root)) if _is_unfinished(run)), None)
        if left is None:
            raise InputError(Problem("", f"there is no unfinished run in {root}", "`bulkrm runs` lists them"))
        return left
    return run_named(root, name)


def _refuse_over(run: KnownRun) -> None:
    """Raise InputError where nobody may go on with a run."""
    with readable(run):
        if run.is_undone:
            what = "this run was undone: all that it had deleted was put back, so there is nothing to go on with"
            raise InputError(Problem(run.id, what, "to delete it after all, run its list again"))
        if run.is_finished:
            raise InputError(Problem(run.id, "this run is finished", "`bulkrm runs show` tells what it did"))


def _is_unfinished(run: KnownRun) -> bool:
    with readable(run):
        return not run.is_locked and not run.standing.is_over


def job_of(run: KnownRun, sign_in: SignIn) -> Job:
    """Return what is left to do of a run. Raises InputError where its record is damaged."""
    place, port = f"{run.path / 'run.json'}", sign_in.connection.default_port
    with readable(run):
        asked = run.asked
        try:
            record = read_run(asked)
            protect = read_protection(record.protect, port)
            ignore = read_ignored(record.ignore_unreadable, port)
            policy = policy_of(record.options)
            conditions = conditions_of(record, port)
            plan = run.plan
            if plan is None:
                entries = tuple(read_list(asked.get("list"), conditions, port))
                return Job(entries, protect, policy, ignore, conditions, port)
        except InputError as error:
            raise changed(place, error.problems[0].what) from error
        except (KeyError, ValueError) as error:
            raise changed(place, f"what it says is not what a run is asked ({error})") from error
        return Job(_saved(run, plan, conditions), protect, policy, ignore, conditions, port)


def _saved(run: KnownRun, content: bytes, conditions: RunConditions) -> Saved:
    from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (only `apply` and `resume` need what it loads)

    path = run.path / "plan.json"
    try:
        document = read(content, str(path))
    except InputError as error:
        problem = error.problems[0]
        raise changed(problem.where, problem.what) from error
    if rules_record((), (), document.conditions) != rules_record((), (), conditions):
        raise changed(str(path), "its conditions are not those that the run was asked to heed")
    lines = in_order(document.plan, document.unmatched)
    history = read_history(run.path)
    earlier, back = _earlier(run, history), undone_images(document.plan, history)
    return Saved(document.plan, lines, replace(earlier, done=back.without(earlier.done)), resumed=True, undone=back)


def undone_images(plan: Plan, history: History) -> UndoneImages:
    """Return what undos put back of a plan's images, with what the run had said of them before."""
    touched = {(repository, digest) for repository, digest, _ in history.back.sure | history.back.maybe}
    names = {
        str(target.reference)
        for item in plan.items
        if (item.repository, item.digest) in touched
        for target in item.targets
    }
    before = {image: history.outcomes[image] for image in names if image in history.outcomes}
    return UndoneImages(history.back.sure, history.back.maybe, before)


def _earlier(run: KnownRun, history: History) -> EarlierProgress:
    begun = {(intent.repository, intent.digest) for intent in history.intents}
    digests = {digest for _, digest in begun} if history.decoys else set()
    manifests = read_archive(run.path / "manifests.jsonl.gz") if digests else ()
    return EarlierProgress(
        history.outcomes,
        frozenset(begun),
        {repository: frozenset(found) for repository, found in history.decoys.items()},
        {manifest.digest: manifest for manifest in manifests if manifest.digest in digests},
        history.removed_ahead,
        frozenset(history.dangling),
    )
