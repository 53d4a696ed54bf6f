"""One run or undo, from its job to its report: opens the registries, does the work, and closes the record."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bulkrm import __version__
from bulkrm.api.errors import InternalError
from bulkrm.api.record import new_run_id
from bulkrm.api.undoable import UndoableRun
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.engine.context import RunContext
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.outcomes import noting
from bulkrm.engine.record.folder_recorder import FolderRecorder
from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.record.undo_recorder import UndoRecording
from bulkrm.engine.recover.undo import Undo
from bulkrm.engine.run import Run
from bulkrm.engine.stop import Stop
from bulkrm.model.events import Event, EventListener, RunBegan, RunEnded
from bulkrm.model.plan import Plan
from bulkrm.model.result.report import ImageResult, Report, RunInfo
from bulkrm.model.settings import Settings
from bulkrm.remote.clock import Clock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.registries import Listening, Registries, open_registries
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

ConfirmPlan = Callable[[Plan], Awaitable[bool]]
ConfirmUndo = Callable[[UndoableRun], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Means:
    """The settings, credentials, clock, listener and stop of one run."""

    settings: Settings
    credentials: Credentials
    clock: Clock
    on_event: EventListener
    stop: Stop

    def tell(self, event: Event) -> None:
        """Pass an event on; a listener that raises stops the run as a bug does."""
        try:
            self.on_event(event)
        except Exception as bug:  # noqa: BLE001 (kept, and raised when the report is complete)
            self.stop.crash(bug)

    @property
    def listening(self) -> Listening:
        """The listeners of the registries."""
        return Listening.of(self.tell)

    @asynccontextmanager
    async def connected(self, run: str) -> AsyncIterator[Registries]:
        """Open the registries, and tell that the run begins."""
        async with open_registries(self.settings, self.credentials, self.clock, self.listening) as registries:
            self.tell(RunBegan(run))
            yield registries

    def ended(self, report: Report) -> Report:
        """Tell that the run is over. Raises InternalError where a bug stopped it."""
        self.tell(RunEnded(report))
        if self.stop.bug is not None:
            raise InternalError(report) from self.stop.bug
        return report


class _Confirmation:
    """Asks once; a stop ends the wait for the answer. `declined`: the answer was no."""

    def __init__(self, ask: ConfirmPlan | None, stop: Stop) -> None:
        self.declined = False
        self._ask = ask
        self._stop = stop

    async def __call__(self, plan: Plan) -> bool:
        if self._ask is None:
            return True
        agreed = False
        with self._stop.phase():
            agreed = await self._ask(plan)
        self.declined = not agreed and not self._stop  # a run that was interrupted at the question can be resumed
        return agreed and not self._stop


@dataclass(frozen=True, slots=True)
class Performed:
    """A run that is over. `document`: its plan as it is saved; None where the run was stopped before it was complete."""

    report: Report
    document: PlanDocument | None


async def perform(job: Job, means: Means, folder: RunFolder | None, confirm: ConfirmPlan | None) -> Performed:
    """Carry out a job, recorded in `folder`. Raises InternalError where a bug stopped it, with the complete report."""
    started, begin = datetime.now(UTC), means.clock.monotonic()
    run_id = folder.id if folder else new_run_id(started)
    confirmation = _Confirmation(confirm, means.stop)
    async with means.connected(run_id) as registries:
        recorder = FolderRecorder(folder, job.plan_text) if folder else NoRecorder()
        context = RunContext(noting(recorder.outcome, means.tell), means.stop, means.clock, recorder)
        run = Run(job, registries, context)
        images = await run.perform(confirmation)
        for warning in registries.remarks():
            means.tell(warning)
        seconds = means.clock.monotonic() - begin - run.waited
        info = RunInfo(run_id, started, seconds, job.policy.dry_run, __version__)
        report = _report(info, images, run, registries)
    over = confirmation.declined and not (isinstance(job.work, Saved) and job.work.resumed)
    report = report.with_unrecorded(_close(recorder, report, means.stop, declined=over))
    document = job.document(run.plan, run.lines) if run.plan is not None else None
    return Performed(means.ended(report), document)


def _report(info: RunInfo, images: Sequence[ImageResult], run: Run, registries: Registries) -> Report:
    return Report(
        info,
        images,
        registries.requests,
        orphans=run.orphans,
        verification=run.verification,
        explained=run.explained,
        plan=run.plan,
        condition_reads=run.condition_reads,
        reclaiming=registries.reclaiming,
    )


def _close(recorder: Recorder, report: Report, stop: Stop, *, declined: bool) -> str | None:
    """Record the end of a run, and whether it can be resumed; return what went wrong."""
    if not isinstance(recorder, FolderRecorder):
        return None
    summary = {status.value.replace("-", "_"): count for status, count in report.summary.items()}
    try:
        recorder.end(report.exit_code(stop.signal), summary, report.tally.unfinished, declined=declined)
    except StateError as error:
        return error.what
    return None


async def put_back(run: UndoableRun, means: Means, confirm: ConfirmUndo | None, *, force: bool) -> Report:
    """Undo a run. The report has no images where the answer was no. Raises InternalError where a bug stopped it."""
    started, begin = datetime.now(UTC), means.clock.monotonic()
    async with means.connected(run.id) as registries:
        recording = UndoRecording(run.folder) if run.folder is not None and run.losses else None
        tell = noting(recording.outcome, means.tell) if recording is not None else means.tell
        context = RunContext(tell, means.stop, means.clock)
        dry_run = run.folder is None
        undo = Undo(Gateway(registries), context, force=force, dry_run=dry_run, recording=recording)
        asked = means.clock.monotonic()
        agreed = await _agreed(run, means.stop, confirm)
        begin += means.clock.monotonic() - asked  # seconds at the question are none of the undo
        results = await undo.perform(run.losses) if agreed else ()
        for warning in registries.remarks():
            means.tell(warning)
        info = RunInfo(run.id, started, means.clock.monotonic() - begin, dry_run, __version__)
        report = Report(info, results, registries.requests)
    if recording is not None and results:
        report = report.with_unrecorded(_end(recording, of_everything=run.of_everything))
    return means.ended(report)


async def _agreed(run: UndoableRun, stop: Stop, confirm: ConfirmUndo | None) -> bool:
    if confirm is None or run.folder is None or not run.losses:
        return True
    agreed = False
    with stop.phase():
        agreed = await confirm(run)
    return agreed and not stop


def _end(recording: UndoRecording, *, of_everything: bool) -> str | None:
    """Record how far the run was undone; return what went wrong."""
    try:
        recording.end(of_everything=of_everything)
    except StateError as error:
        return error.what
    return None
