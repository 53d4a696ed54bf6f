"""One run of the command line: shows what the client tells, listens for signals, reports, and returns the exit code."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulkrm.api.client import Client
from bulkrm.api.errors import InternalError, PlanIncomplete
from bulkrm.cli.options.declared import ConfirmationOptions, ConsentOptions, OutputOptions
from bulkrm.cli.origins import origins
from bulkrm.cli.terminal.closing_notes import closing_of, warnings_of
from bulkrm.cli.terminal.console import complain, say
from bulkrm.cli.terminal.display.display import Display
from bulkrm.cli.terminal.next_steps import elsewhere, resume_step, undo_step
from bulkrm.cli.terminal.progress import EventOutput, display
from bulkrm.cli.terminal.question import Question
from bulkrm.cli.terminal.report_output import deliver, failed, raise_bug
from bulkrm.cli.terminal.writers import Writer
from bulkrm.model.result.outcome import Signal, Status
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Settings
from bulkrm.remote.credentials import Credentials
from bulkrm.state.ephemeral import ends_with
from bulkrm.state.location import state_dir

_SIGNALS = {signal.SIGINT: Signal.INTERRUPT, signal.SIGTERM: Signal.TERMINATE, signal.SIGHUP: Signal.HANG_UP}
# One call of the client, with the question that it asks before anything changes.
Work = Callable[[Client, Question], Awaitable[Report]]


@dataclass(frozen=True, slots=True)
class Task:
    """What a command needs around its work: the client's settings, the outputs, and the answers to questions.

    `state_dir`: where runs are recorded; None: this run is not recorded, or continues an earlier record. `recursive`: attached
    manifests are deleted too. `about`: the recorded run that is resumed or undone. `trouble`: called at the end, returns what
    went wrong with a file that the command writes beside its reports. `unrecorded`: the message where the end of the run
    could not be recorded. `resumable`: the run can be resumed.
    """

    hosts: Sequence[str]
    settings: Settings
    credentials: Credentials
    writers: Sequence[Writer]
    output: OutputOptions
    consent: ConsentOptions
    state_dir: Path | None = None
    recursive: bool = False
    about: str | None = None
    trouble: Callable[[], str | None] | None = None
    unrecorded: str = "the record of the run is not complete"
    resumable: bool = False

    @property
    def confirm_above(self) -> int | None:
        """If more than that would disappear, the number is typed; None: nothing is asked."""
        if self.consent.yes:
            return None
        return self.consent.confirm_above if isinstance(self.consent, ConfirmationOptions) else 0

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know before the run begins."""
        if self.about is not None:
            yield self.about
        if self.output.verbose:
            yield from origins(tuple(self.hosts), self.credentials, self.settings)
        if self.state_dir is not None:
            end = ends_with(self.state_dir, os.environ, chosen=self.output.state_dir is not None)
            if end is not None:
                yield f"warning: {end}"


async def perform(task: Task, work: Work) -> int:
    """Have the client do the work, write the reports, return the exit code. Raises a bug after the reports are out."""
    shown = display(task.output.streams, task.writers[0].format, quiet=task.output.quiet)
    tell = EventOutput(shown, task.writers, task.remarks(), verbose=task.output.verbose)
    question = Question(shown, task.output.streams, task.confirm_above, recursive=task.recursive)
    client = Client(credentials=task.credentials, settings=task.settings, state_dir=task.state_dir, on_event=tell)
    bug: BaseException | None = None
    # A signal is listened to until the reports are out: one that comes while they are written must not cut them off.
    async with client:
        with signals(client, shown):
            with shown:
                try:
                    report = await work(client, question)
                except PlanIncomplete as error:
                    report = error.report
                except InternalError as error:
                    report, bug = error.report, error.__cause__
                _show_remarks(task, report, shown)
            code = _conclude(task, report, report.exit_code(client.stopped_by), declined=question.declined)
    raise_bug(bug)
    return code


def _show_remarks(task: Task, report: Report, shown: Display) -> None:
    for line in report.explained if task.output.output != "text" else ():
        shown.say(line)
    for warning in warnings_of(report):
        shown.say(f"warning: {warning}")


def _conclude(task: Task, report: Report, code: int, *, declined: bool) -> int:
    """Report what went wrong apart from images, and deliver the reports; return the exit code."""
    trouble = task.trouble() if task.trouble else None
    unrecorded = f"{task.unrecorded}: {report.unrecorded}" if report.unrecorded is not None else None
    for what in (trouble, unrecorded):
        if what is not None:
            complain(what)
            code = failed(code)
    code = failed(code) if declined else code
    code = deliver(task.writers, report.with_closing(closing_of(report, recursive=task.recursive)), code)
    for step in _next_steps(task, report, declined=declined) if task.resumable and not task.output.quiet else ():
        say(step)
    return code


def _next_steps(task: Task, report: Report, *, declined: bool) -> Iterator[str]:
    """Yield the commands that resume a recorded run, and that undo it."""
    place = elsewhere(state_dir(task.output.state_dir, os.environ))
    left = report.tally.unfinished or report.summary[Status.NOT_ATTEMPTED]
    over = declined and task.about is None  # a run that is gone on with can be gone on with once more
    if left and not over:
        yield resume_step(report.run.id, place)
    yield from undo_step(report.run.id, report.images, report.reclaiming.later, place)


@contextmanager
def signals(client: Client, shown: Display) -> Iterator[None]:
    """Stop the client by SIGINT, SIGTERM and SIGHUP while the run goes on.

    One that was ignored when the process started (`nohup`, a job in the background of a script) stays ignored.
    """
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        again = client.stopped_by is not None
        client.stop(_SIGNALS[number])
        shown.say("aborting" if again else "stopping: what is under way may finish; once more aborts it")

    for number in heeded:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
