"""A bar on a terminal: the progress of a phase, its rate, the time that is left, or the pause of a registry."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from bulkrm.cli.terminal.console import EnduringStderr
from bulkrm.cli.terminal.display.display import Quiet, pause_line
from bulkrm.cli.terminal.display.pace import PausedHosts, duration, speed
from bulkrm.model.events import Paused
from bulkrm.model.text.printable import printable

# Columns: of the words beside the bar where they are long, and of the bar itself.
_WORDS, _SHORTEST, _LONGEST = 68, 4, 60


class _Pace(ProgressColumn):
    """The column with the rate of a phase and the time left, or, during a pause of a registry, the rest of the pause.

    The name of the registry is in the line above the bar: it may be as long as the terminal is wide.
    """

    def __init__(self, pauses: PausedHosts, now: Callable[[], float]) -> None:
        super().__init__()
        self._pauses = pauses
        self._now = now

    def render(self, task: Task) -> Text:
        found = self._pauses.left(self._now())
        if found is not None:
            return Text(f"waiting {duration(found[1])}", style="yellow")
        if not task.speed:
            return Text("")
        rest = f", {duration(task.time_remaining)} left" if task.time_remaining else ""
        return Text(f"{speed(task.speed)}{rest}")


class Bar(Quiet):
    """One bar at a time, removed at the end of the run. `now`: a monotonic time in seconds."""

    def __init__(self, console: Console | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """Draw on standard error, unless another console is given."""
        self._now = now
        self._pauses = PausedHosts()
        drawn_on = console or Console(file=cast("TextIO", EnduringStderr()), force_terminal=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(min(max(drawn_on.width - _WORDS, _SHORTEST), _LONGEST)),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}", markup=False),
            _Pace(self._pauses, now),
            console=drawn_on,
            get_time=now,
            transient=True,
            redirect_stdout=False,  # other output is written by `say`, not by an object of rich
            redirect_stderr=False,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self._progress.stop()

    def phase(self, name: str, total: int) -> None:
        """Draw a bar for this phase."""
        self._progress.start()
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(printable(name), total=total)

    def advance(self) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, advance=1)

    def wait(self, pause: Paused) -> None:
        """Show the pause in a line above the bar, and count its seconds down beside the bar."""
        self._pauses.add(pause, self._now())
        self.say(pause_line(pause))

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._progress.console.print(Text(printable(text)))

    def pause(self) -> None:
        """Remove the bar until the next phase."""
        self._progress.stop()
