"""Passes the events of a run to a display on standard error (a bar, plain lines, or nothing) and to the reports."""

import os
from collections.abc import Iterable, Mapping, Sequence

from bulkrm.cli.terminal.display.display import Display, Quiet, phase_name
from bulkrm.cli.terminal.display.lines import Lines
from bulkrm.cli.terminal.streams import Stream, Streams, is_dumb
from bulkrm.cli.terminal.writers import Writer, begin_all
from bulkrm.model.events import (
    Advanced,
    Event,
    ImageSettled,
    Paused,
    PhaseBegan,
    PlanMade,
    RequestAnswered,
    RunBegan,
    RunEnded,
    Warned,
)
from bulkrm.reports.format import ReportFormat, no_line


def display(streams: Streams, output: ReportFormat, *, quiet: bool) -> Display:
    """Choose a display: a bar on a terminal, else lines. `output`: the format of standard output.

    There is no bar where a report writes line by line to the terminal, since its lines would be drawn into the bar.
    """
    if quiet:
        return Quiet()
    mixed = streams.stdout is Stream.TERMINAL and output.line is not no_line
    plain = mixed or streams.stderr is not Stream.TERMINAL or _is_ci(os.environ) or is_dumb(os.environ)
    if plain:
        return Lines()
    from bulkrm.cli.terminal.display.bar import Bar  # noqa: PLC0415 (what draws takes long to load)

    return Bar()


def _is_ci(environment: Mapping[str, str]) -> bool:
    """Tell whether the output is the log of a CI system. Some of them give a job a terminal, which shows no moving bar."""
    return environment.get("CI", "").lower() in ("true", "1")


class EventOutput:
    """Passes progress, warnings and pauses to the display, and outcomes to the reports."""

    def __init__(
        self, shown: Display, writers: Sequence[Writer], remarks: Iterable[str] = (), *, verbose: bool
    ) -> None:
        """`remarks`: lines that are shown when the run begins. `verbose`: show every request."""
        self._remarks = remarks
        self._display = shown
        self._writers = writers
        self._verbose = verbose

    def __call__(self, event: Event) -> None:
        """Show an event; write an outcome to the reports whose format has a line for each."""
        match event:
            case Advanced():
                self._display.advance()
            case ImageSettled(result):
                for writer in self._writers:
                    writer.line(result)
            case PhaseBegan(phase, total):
                self._display.phase(phase_name(phase), total)
            case Paused():
                self._display.wait(event)
            case Warned() | RequestAnswered():
                self._say(event)
            case RunBegan() | PlanMade() | RunEnded():
                self._begin(event)

    def _begin(self, event: RunBegan | PlanMade | RunEnded) -> None:
        """When the run begins, and so all input was good, empty the files of the reports and show the remarks."""
        if isinstance(event, RunBegan):
            begin_all(self._writers)
            for remark in self._remarks:
                self._display.say(remark)

    def _say(self, event: Warned | RequestAnswered) -> None:
        match event:
            case Warned(_, text):
                self._display.say(f"warning: {text}")
            case RequestAnswered(method, url, result):
                if self._verbose:
                    self._display.say(f"{method} {url}: {result}")
