"""One run of the command line: opens what it needs, listens for signals, reports, and returns the exit code."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio

from bulkrm import __version__
from bulkrm.cli.commands.saved_plan import plan_text
from bulkrm.cli.options.declared import Confirmation, Output
from bulkrm.cli.origins import origins
from bulkrm.cli.run_folder import new_run_id, trouble_of
from bulkrm.cli.terminal.closing_notes import closing_of, warnings_of
from bulkrm.cli.terminal.console import complain, say
from bulkrm.cli.terminal.progress import Display, EventOutput, display
from bulkrm.cli.terminal.question import Question
from bulkrm.cli.terminal.report_output import deliver, failed, raise_bug
from bulkrm.cli.terminal.writers import Writer, begin_all
from bulkrm.engine.context import RunContext
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.record.folder_recorder import FolderRecorder
from bulkrm.engine.record.noting import noting
from bulkrm.engine.record.recorder import NoRecorder, Recorder
from bulkrm.engine.run import Run
from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal, Status
from bulkrm.model.result.report import Report, RunInfo
from bulkrm.model.settings import Settings
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.registries import Listening, Registries, open_registries
from bulkrm.remote.request_events import tracing
from bulkrm.state.ephemeral import ends_with
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

_SIGNALS = {signal.SIGINT: Signal.INTERRUPT, signal.SIGTERM: Signal.TERMINATE, signal.SIGHUP: Signal.HANG_UP}


@dataclass(frozen=True, slots=True)
class Task:
    """Everything a run needs that the command line knows."""

    job: Job
    settings: Settings
    credentials: Credentials
    writers: Sequence[Writer]
    talk: Output
    consent: Confirmation
    folder: RunFolder | None = None  # where the run is recorded
    finished: Callable[[Run], str | None] | None = None  # told of the run before its report; returns what went wrong
    about: str | None = None  # which recorded run is gone on with

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know before the run begins."""
        if self.about is not None:
            yield self.about
        if self.talk.verbose:
            yield from origins(tuple(self.job.hosts), self.credentials, self.settings)
        if self.folder is not None:
            end = ends_with(self.folder.root, os.environ, chosen=self.talk.state_dir is not None)
            if end is not None:
                yield f"warning: {end}"


async def perform(task: Task) -> int:
    """Run, report, and return the exit code. Raises what a bug raised, after the report is out."""
    stop = Stop()
    shown = display(task.talk.streams, task.writers[0].format, quiet=task.talk.quiet)
    tell = EventOutput(shown, task.writers, verbose=task.talk.verbose)
    opened = open_registries(task.settings, task.credentials, SystemClock(), Listening(tell, tracing(tell)))
    # A signal is listened to until the reports are out: one that comes while they are written must not cut them off.
    async with opened as registries, signals(stop, shown):
        begin_all(task.writers)
        recorder = FolderRecorder(task.folder, partial(plan_text, task.job)) if task.folder else NoRecorder()
        run = Run(task.job, registries, RunContext(noting(recorder.outcome, tell), stop, SystemClock(), recorder))
        question = Question(shown, stop, task.talk.streams, yes=task.consent.yes)
        with shown:
            for remark in task.remarks():
                shown.say(remark)
            report = await _report(task, run, registries, question)
            for line in report.explained if task.talk.output != "text" else ():
                shown.say(line)
            for warning in (*registries.remarks(), *warnings_of(report)):
                shown.say(f"warning: {warning}")
        code = _conclude(task, run, recorder, report, stop, declined=question.declined)
    raise_bug(stop)
    return code


def _conclude(task: Task, run: Run, recorder: Recorder, report: Report, stop: Stop, *, declined: bool) -> int:
    """Store the plan, close the record, and deliver the reports; return the exit code."""
    code = report.exit_code(stop.signal)
    trouble = task.finished(run) if task.finished else None
    if trouble is not None:
        complain(trouble)
        code = failed(code)
    over = declined and not _is_resumed(task.job)
    if isinstance(recorder, FolderRecorder):
        code = _close(recorder, report, code, declined=over)
    code = deliver(task.writers, report, code)
    left = report.tally.unfinished or report.summary[Status.NOT_ATTEMPTED]
    if left and task.folder is not None and not over and not task.talk.quiet:
        say(f"`bulkrm resume {task.folder.id}` goes on with this run")
    return code


def _close(recorder: FolderRecorder, report: Report, code: int, *, declined: bool) -> int:
    """Record the end of a run that came to one; an interrupted one can be gone on with."""
    try:
        summary = {status.value.replace("-", "_"): count for status, count in report.summary.items()}
        recorder.end(code, summary, report.tally.unfinished, declined=declined)
    except StateError as error:
        complain(trouble_of(error))
        return failed(code)
    return code


def _is_resumed(job: Job) -> bool:
    return isinstance(job.work, Saved) and job.work.resumed


async def _report(task: Task, run: Run, registries: Registries, question: Question) -> Report:
    clock = SystemClock()
    started, begin = datetime.now(UTC), clock.monotonic()
    run_id = task.folder.id if task.folder else new_run_id(started)
    images = await run.perform(question)
    policy = task.job.policy
    info = RunInfo(run_id, started, clock.monotonic() - begin, policy.dry_run, __version__)
    closing = tuple(closing_of(run, images, registries, policy))
    return Report(info, images, registries.requests, closing, run.orphans, run.verification, run.explained)


@asynccontextmanager
async def signals(stop: Stop, shown: Display) -> AsyncIterator[None]:
    """Pass SIGINT, SIGTERM and SIGHUP to the stop while the run goes on.

    One that was ignored when the process started (`nohup`, a job in the background of a script) stays ignored.
    """
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]

    async def listen() -> None:
        with anyio.open_signal_receiver(*heeded) as received:
            async for number in received:
                again = stop.signal is not None
                stop.interrupt(_SIGNALS[number])
                shown.say("aborting" if again else "stopping: what is under way may finish; once more aborts it")

    async with anyio.create_task_group() as group:
        if heeded:
            group.start_soon(listen)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
