"""A recorded run that was interrupted: opens its record, and reads from it what is left to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bulkrm.api.plans import in_order
from bulkrm.api.record import open_record, refuse_damaged, refuse_other_port, run_named
from bulkrm.codec.list_order import ListOrder
from bulkrm.codec.policy_fields import conditions_of, policy_of, rules_record
from bulkrm.codec.run_record import read_list, read_run
from bulkrm.engine.job import EarlierProgress, Job, Saved, UndoneImages
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.plan import Plan
from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import RunConditions
from bulkrm.selection.image_list import read_patterns
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import changed
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.history import History, read_history
from bulkrm.state.known import KnownRun, known_runs


@valueclass
class ResumableRun:
    """A run that can be resumed; its record is locked until the block of `resumable_run` is left.

    `folder`: where the rest of the run is recorded; None for a dry run.
    """

    id: str
    path: Path
    job: Job
    folder: RunFolder | None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries that the rest of the run sends requests to."""
        return self.job.hosts

    def begin(self) -> RunFolder | None:
        """Note in the record that another part of the run begins; return its folder. Raises InputError."""
        if self.folder is not None:
            with refuse_damaged(KnownRun(self.path)):
                self.folder.begin_part()
        return self.folder


@contextmanager
def resumable_run(
    state_dir: Path, run: str | None = None, *, dry_run: bool = False, default_port: int = HTTPS_PORT
) -> Iterator[ResumableRun]:
    """Open a recorded run to resume it: the latest unfinished one, or the one whose name begins with `run`.

    A dry run writes nothing; it only locks the record. Raises InputError where there is no such run, the run is finished
    or undone, its record is damaged or of another version, or another process works on it.
    """
    found = _run_to_resume(state_dir, run)
    with open_record(state_dir, found.id, dry_run=dry_run) as folder:
        _refuse_finished(KnownRun(found.path))  # read again: no other process can change the record any more
        job = job_of(found, default_port)
        yield ResumableRun(found.id, found.path, replace(job, policy=replace(job.policy, dry_run=dry_run)), folder)


@contextmanager
def next_part(run: ResumableRun) -> Iterator[RunFolder | None]:
    """Begin another part of the run in its record, and yield the folder; None for a dry run. Raises InputError."""
    yield run.begin()


def _run_to_resume(root: Path, name: str | None) -> KnownRun:
    """Return the run to resume. Raises InputError where there is none."""
    if name is not None:
        return run_named(root, name)
    left = next((run for run in reversed(known_runs(root)) if _is_unfinished(run)), None)
    if left is None:
        raise InputError(Problem("", f"there is no unfinished run in {root}", "`bulkrm runs` lists them"))
    return left


def _refuse_finished(run: KnownRun) -> None:
    """Raise InputError if a run is finished or undone, so that nothing of it is left to do."""
    with refuse_damaged(run):
        if run.is_undone:
            what = "this run was undone: all that it had deleted was put back, so there is nothing to go on with"
            raise InputError(Problem(run.id, what, "to delete it after all, run its list again"))
        if run.is_finished:
            raise InputError(Problem(run.id, "this run is finished", "`bulkrm runs show` tells what it did"))


def _is_unfinished(run: KnownRun) -> bool:
    with refuse_damaged(run):
        return not run.is_locked and not run.status.is_over


def job_of(run: KnownRun, port: int = HTTPS_PORT) -> Job:
    """Return the rest of a run, as its record has it. Raises InputError where the record is damaged."""
    place = f"{run.path / 'run.json'}"
    with refuse_damaged(run):
        asked = run.asked
        try:
            record = read_run(asked)
            protect = read_patterns("protect", record.protect, port)
            ignore = read_patterns("ignore_unreadable", record.ignore_unreadable, port)
            policy = policy_of(record.options)
            conditions = conditions_of(record, port)
            plan = run.plan
            if plan is None:
                entries = tuple(read_list(asked.get("list"), conditions, port))
                return Job(entries, protect, policy, ignore, conditions, port)
        except InputError as error:
            raise changed(place, error.problems[0].what) from error
        except (KeyError, ValueError) as error:
            raise changed(place, f"its fields are not those of a run ({error})") from error
        return Job(_saved(run, plan, conditions, port), protect, policy, ignore, conditions, port)


def _saved(run: KnownRun, content: bytes, conditions: RunConditions, port: int) -> Saved:
    from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (only `apply` and `resume` need what it loads)

    path = run.path / "plan.json"
    try:
        document = read(content, str(path))
    except InputError as error:
        problem = error.problems[0]
        raise changed(problem.where, problem.what) from error
    refuse_other_port({item.repository.host for item in document.plan.items}, port)
    if rules_record((), (), document.conditions) != rules_record((), (), conditions):
        raise changed(str(path), "its conditions are not those that the run was asked to heed")
    lines = in_order(document, ListOrder.of_run(run.asked))
    history = read_history(run.path)
    earlier, back = _earlier(run, history), undone_images(document.plan, history)
    return Saved(document.plan, lines, replace(earlier, done=back.without(earlier.done)), resumed=True, undone=back)


def undone_images(plan: Plan, history: History) -> UndoneImages:
    """Return the images of a plan that undos put back, with the outcomes that the run had recorded for them."""
    touched = {(repository, digest) for repository, digest, _ in history.restored.sure | history.restored.maybe}
    names = {
        str(target.reference)
        for item in plan.items
        if (item.repository, item.digest) in touched
        for target in item.targets
    }
    before = {image: history.outcomes[image] for image in names if image in history.outcomes}
    return UndoneImages(history.restored.sure, history.restored.maybe, before)


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
