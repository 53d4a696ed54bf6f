"""One run that plans and deletes, from its job to its report: opens the registries, runs the engine, closes the record."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from bulkrm import __version__
from bulkrm.api.record import new_run_id
from bulkrm.api.run_setup import RunSetup
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.engine.context import RunContext
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.record.folder_recorder import FolderRecorder
from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.run import Run
from bulkrm.engine.stop import Stop
from bulkrm.model.plan import Plan
from bulkrm.model.result.report import ImageResult, Report, RunInfo
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.registries import Registries
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

ConfirmPlan = Callable[[Plan], Awaitable[bool]]


@valueclass
class FinishedRun:
    """A run that is over. `document`: its plan as it is saved; None where the run was stopped before it was complete."""

    report: Report
    document: PlanDocument | None


async def plan_and_delete(
    job: Job, setup: RunSetup, record: AbstractContextManager[RunFolder | None], confirm: ConfirmPlan | None
) -> FinishedRun:
    """Carry out a job; its record is made, or opened, once the credentials are found.

    `confirm` is awaited once, when the plan is complete and something would be deleted. Raises InputError before anything
    was attempted, and InternalError, with the complete report, where a bug stopped the run.
    """
    credentials = await setup.credentials_for(job.hosts)
    with record as folder:
        started, begin = datetime.now(UTC), setup.clock.monotonic()
        run_id = folder.id if folder else new_run_id(started)
        confirmation = _Confirmation(confirm, setup)
        async with setup.registries_of_run(run_id, credentials) as registries:
            recorder = FolderRecorder(folder, job.plan_text) if folder else NoRecorder()
            context = RunContext(setup.tell, setup.stop, setup.clock, recorder)
            run = Run(job, registries, context)
            images = await run.plan_and_execute(confirmation)
            seconds = setup.clock.monotonic() - begin - run.waited
            info = RunInfo(run_id, started, seconds, job.policy.dry_run, __version__)
            report = _report(info, images, run, registries)
        over = confirmation.declined and not (isinstance(job.work, Saved) and job.work.resumed)
        report = report.with_unrecorded(_close(recorder, report, setup.stop, declined=over))
        document = job.document(run.plan, run.lines) if run.plan is not None else None
        return FinishedRun(setup.ended(report), document)


class _Confirmation:
    """Asks once whether to carry out a plan. `declined`: the answer was no."""

    def __init__(self, ask: ConfirmPlan | None, setup: RunSetup) -> None:
        self.declined = False
        self._ask = ask
        self._setup = setup

    async def __call__(self, plan: Plan) -> bool:
        if self._ask is None:
            return True
        agreed = await self._setup.agreed(self._ask(plan))
        self.declined = not agreed and not self._setup.stop  # a run interrupted at the question can be resumed
        return agreed


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
