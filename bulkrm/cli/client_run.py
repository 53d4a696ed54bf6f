"""One run of the client for a command: finds credentials, shows events, obeys signals, writes reports."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bulkrm.api.client import Client
from bulkrm.api.errors import InternalError, PlanIncomplete
from bulkrm.cli.options.declared import ConfirmationOptions, ConsentOptions, OutputOptions, PaceOptions, SignInOptions
from bulkrm.cli.options.retyped import retyped
from bulkrm.cli.origins import origins
from bulkrm.cli.setup import credentials_of, files_of, settings_of, writers_of
from bulkrm.cli.state_dir import loss_warning, state_dir
from bulkrm.cli.terminal.closing_notes import closing_of, warnings_of
from bulkrm.cli.terminal.console import complain, say
from bulkrm.cli.terminal.display.display import Display
from bulkrm.cli.terminal.next_steps import apply_step, resume_step, undo_step, unusual_state_dir
from bulkrm.cli.terminal.progress import EventOutput, display
from bulkrm.cli.terminal.question import Question
from bulkrm.cli.terminal.writers import Writer, complete_reports, with_failure
from bulkrm.model.result.outcome import Signal, Status
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Policy, Settings
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.registries import refuse_unusable_connections

if TYPE_CHECKING:
    from bulkrm.cli.commands.saved_plan import PlanOutput
    from bulkrm.remote.credentials import Credentials

_SIGNALS = {signal.SIGINT: Signal.INTERRUPT, signal.SIGTERM: Signal.TERMINATE, signal.SIGHUP: Signal.HANG_UP}
# One call of a method of the client. The question is asked before anything is changed.
ClientCall = Callable[[Client, Question], Awaitable[Report]]


@valueclass
class ClientRun:
    """One call of the client, with the options of the command, the files that it reads, and its messages.

    `hosts`: the registries that are asked. `policy`: of a run that plans and deletes; None: an undo. `read`: files that the
    command reads, which no report may overwrite. `list_from_stdin`: standard input is a list, so that no password can be
    read from it. `about`: a message on the recorded run that is resumed or undone. `plan`: where the plan is written that
    the call makes. `unrecorded`: the message where the end of the run could not be recorded.
    """

    call: ClientCall
    hosts: Sequence[str]
    policy: Policy | None
    consent: ConsentOptions
    sign_in: SignInOptions
    pace: PaceOptions
    output: OutputOptions
    _: KW_ONLY
    read: Sequence[Path] = ()
    list_from_stdin: bool = False
    about: str | None = None
    plan: "PlanOutput | None" = None
    unrecorded: str = "the record of the run is not complete"

    def run(self) -> int:
        """Open the reports, find the credentials, and call the client.

        Returns the exit code. Raises InputError before anything was attempted.
        """
        settings = settings_of(self.sign_in, self.pace, self.hosts)
        with writers_of(self.output, files_of(self.sign_in, self.read), self.plan) as writers:
            refuse_unusable_connections(self.hosts, settings)  # before the user is asked for a password
            streams, stdin = self.output.process.streams, self.list_from_stdin
            credentials = credentials_of(self.sign_in, self.hosts, streams, list_from_stdin=stdin)
            return anyio.run(self.call_client, settings, credentials, writers)

    async def call_client(self, settings: Settings, credentials: "Credentials", writers: Sequence[Writer]) -> int:
        """Make the call and write the reports; return the exit code. A bug is raised after the reports are written."""
        output = self.output
        shown = display(output.process.streams, writers[0].format, quiet=output.quiet)
        tell = EventOutput(shown, writers, self._remarks(settings, credentials), verbose=output.verbose)
        question = Question(shown, output.process.streams, self._confirm_above, recursive=self._is_recursive)
        client = Client(
            credentials=credentials,
            settings=settings,
            state_dir=self._state_dir,
            on_event=tell,
            clock=output.process.clock,
        )
        bug: BaseException | None = None
        # Signals are obeyed until the reports are written: one that comes in between must not cut a report off.
        async with client:
            with stopped_by_signals(client, shown):
                with shown:
                    try:
                        report = await self.call(client, question)
                    except PlanIncomplete as error:
                        report = error.report
                    except InternalError as error:
                        report, bug = error.report, error.__cause__
                    self._show_remarks(report, shown)
                code = self._conclude(report, report.exit_code(client.stopped_by), writers, declined=question.declined)
        if bug is not None:
            complain("a bug in bulkrm stopped the run; please report what follows")
            raise bug
        return code

    @property
    def _state_dir(self) -> Path | None:
        """The folder of recorded runs; None where this run is not recorded."""
        return state_dir(self.output.state_dir, os.environ) if self._is_recorded else None

    @property
    def _is_recorded(self) -> bool:
        """Tell whether the run has a record of its own, with which it can be resumed and undone."""
        return self.policy is not None and not self.policy.dry_run

    @property
    def _is_recursive(self) -> bool:
        """Tell whether child manifests and referrers are deleted with their parents."""
        return self.policy is not None and self.policy.recursive

    @property
    def _confirm_above(self) -> int | None:
        """The number above which the user types the number of deletions; None: there is no question."""
        if self.consent.yes:
            return None
        return self.consent.confirm_above if isinstance(self.consent, ConfirmationOptions) else 0

    def _remarks(self, settings: Settings, credentials: "Credentials") -> Iterator[str]:
        """Yield messages that are shown when the run begins."""
        if self.about is not None:
            yield self.about
        if self.output.verbose:
            yield from origins(tuple(self.hosts), credentials, settings)
        if self._state_dir is not None:
            lost = loss_warning(self._state_dir, os.environ, chosen=self.output.state_dir is not None)
            if lost is not None:
                yield f"warning: {lost}"

    def _show_remarks(self, report: Report, shown: Display) -> None:
        for line in report.explained if self.output.output != "text" else ():
            shown.say(line)
        for warning in warnings_of(report):
            shown.say(f"warning: {warning}")

    def _conclude(self, report: Report, code: int, writers: Sequence[Writer], *, declined: bool) -> int:
        """Print failures that no image has, write the reports, and print the next steps; return the exit code."""
        unwritten = self.plan.write() if self.plan is not None else None
        unrecorded = f"{self.unrecorded}: {report.unrecorded}" if report.unrecorded is not None else None
        for trouble in (unwritten, unrecorded):
            if trouble is not None:
                complain(trouble)
                code = with_failure(code)
        code = with_failure(code) if declined else code
        code = complete_reports(writers, report.with_closing(closing_of(report, recursive=self._is_recursive)), code)
        for step in self._next_steps(report, declined=declined) if not self.output.quiet else ():
            say(step)
        return code

    def _next_steps(self, report: Report, *, declined: bool) -> Iterator[str]:
        """Yield the commands that apply the plan, resume the recorded run, or undo it."""
        place = unusual_state_dir(state_dir(self.output.state_dir, os.environ))
        options = retyped(self.sign_in, self.pace)
        if self.plan is not None and self.plan.applicable is not None:
            yield apply_step(self.plan.applicable, place, options)
        if not self._is_recorded:
            return
        left = report.tally.unfinished or report.summary[Status.NOT_ATTEMPTED]
        over = declined and self.about is None  # a run that was resumed can be resumed again
        if left and not over:
            yield resume_step(report.run.id, place, options)
        yield from undo_step(report.run.id, report.images, report.reclaiming.later, place, options)


@contextmanager
def stopped_by_signals(client: Client, shown: Display) -> Iterator[None]:
    """Stop the client by SIGINT, SIGTERM and SIGHUP until the block is left.

    A signal that was ignored when the process started (`nohup`, a job in the background of a script) stays ignored.
    """
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        again = client.stopped_by is not None
        client.stop(_SIGNALS[number])
        shown.say("aborting" if again else "stopping: requests in flight may finish; a second signal aborts them")

    for number in heeded:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
