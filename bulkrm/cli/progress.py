"""What the user sees while a run goes on, always on standard error: a bar, plain lines in a pipe, or nothing."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from bulkrm.cli.writers import Writer
from bulkrm.engine.recorder import Recorder
from bulkrm.model.report import ImageResult


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
        # Whoever read standard error may have left; that must not stop a run half-way.
        with suppress(OSError, ValueError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201 (this is the terminal)


class _Bar(_Quiet):
    """A bar for each phase, with rate and time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
            expand=True,
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
        self._task = self._progress.add_task(name, total=total, rate="")

    def advance(self) -> None:
        if self._task is None:
            return
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=1, rate=f"{speed:.0f}/s" if speed else "")

    def say(self, text: str) -> None:
        self._progress.console.print(Text(text))

    def pause(self) -> None:
        self._progress.stop()


def display(*, quiet: bool) -> Display:
    """Choose what fits where standard error goes."""
    if quiet:
        return _Quiet()
    return _Bar() if sys.stderr.isatty() else _Lines()


class Listener:
    """The engine's observer: passes progress to the display and outcomes to the reports."""

    def __init__(self, shown: Display, writers: Sequence[Writer], recorder: Recorder) -> None:
        """Listen for these."""
        self._recorder = recorder
        self._display = shown
        self._writers = writers

    def phase(self, name: str, total: int) -> None:
        """Show a phase."""
        self._display.phase(name, total)

    def advance(self) -> None:
        """Show a step."""
        self._display.advance()

    def outcome(self, result: ImageResult) -> None:
        """Write an outcome down, and to the reports that want each at once."""
        self._recorder.outcome(result)
        for writer in self._writers:
            writer.line(result)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._display.say(f"warning: {text}")
