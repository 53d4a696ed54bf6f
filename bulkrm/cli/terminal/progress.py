"""What the user sees while a run goes on, always on standard error: a bar, plain lines in a pipe, or nothing."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from bulkrm.cli.terminal.console import EnduringStderr, say
from bulkrm.cli.terminal.event_words import pause_line, phase_name
from bulkrm.cli.terminal.streams import Stream, Streams
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
from bulkrm.model.printable import printable
from bulkrm.reports.format import ReportFormat, no_line


class Display(Protocol):
    """Shows how far a run is."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...

    def phase(self, name: str, total: int) -> None:
        """Begin a phase."""
        ...

    def advance(self) -> None:
        """Go one step on."""
        ...

    def say(self, text: str) -> None:
        """Show a line of text."""
        ...

    def pause(self) -> None:
        """Leave the terminal to a question."""
        ...


class _Quiet:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def phase(self, name: str, total: int) -> None:
        pass

    def advance(self) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def pause(self) -> None:
        pass


class _Lines(_Quiet):
    """A line for each phase."""

    def phase(self, name: str, total: int) -> None:
        self.say(f"{name}: {total}")

    def say(self, text: str) -> None:
        say(text)


class _Bar(_Quiet):
    """A bar for each phase, with rate and time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=Console(file=cast("TextIO", EnduringStderr()), force_terminal=True),
            transient=True,
            expand=True,
            redirect_stdout=False,  # what else writes goes through one console, and not through an object of rich's
            redirect_stderr=False,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def phase(self, name: str, total: int) -> None:
        self._progress.start()
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(printable(name), total=total, rate="")

    def advance(self) -> None:
        if self._task is None:
            return
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=1, rate=f"{speed:.0f}/s" if speed else "")

    def say(self, text: str) -> None:
        self._progress.console.print(Text(printable(text)))

    def pause(self) -> None:
        self._progress.stop()


def display(streams: Streams, output: ReportFormat, *, quiet: bool) -> Display:
    """Choose what fits where standard error goes; `output` is the format of standard output.

    A report that comes line by line on the same terminal would be drawn into the bar, so then there is none.
    """
    if quiet:
        return _Quiet()
    mixed = streams.stdout is Stream.TERMINAL and output.line is not no_line
    return _Bar() if streams.stderr is Stream.TERMINAL and not mixed else _Lines()


class EventOutput:
    """Passes progress, warnings and pauses to the display, and outcomes to the reports."""

    def __init__(
        self, shown: Display, writers: Sequence[Writer], remarks: Iterable[str] = (), *, verbose: bool
    ) -> None:
        """Listen for these. `remarks`: shown when the run begins. `verbose`: show every request."""
        self._remarks = remarks
        self._display = shown
        self._writers = writers
        self._verbose = verbose

    def __call__(self, event: Event) -> None:
        """Show an event, or write it to the reports that want each outcome at once."""
        match event:
            case Advanced():
                self._display.advance()
            case ImageSettled(result):
                for writer in self._writers:
                    writer.line(result)
            case PhaseBegan(phase, total):
                self._display.phase(phase_name(phase), total)
            case Warned() | Paused() | RequestAnswered():
                self._say(event)
            case RunBegan() | PlanMade() | RunEnded():
                self._begin(event)

    def _begin(self, event: RunBegan | PlanMade | RunEnded) -> None:
        """Empty the files of the reports when the run begins: all that was given is known to be good."""
        if isinstance(event, RunBegan):
            begin_all(self._writers)
            for remark in self._remarks:
                self._display.say(remark)

    def _say(self, event: Warned | Paused | RequestAnswered) -> None:
        match event:
            case Warned(_, text):
                self._display.say(f"warning: {text}")
            case Paused():
                self._display.say(pause_line(event))
            case RequestAnswered(method, url, result):
                if self._verbose:
                    self._display.say(f"{method} {url}: {result}")
