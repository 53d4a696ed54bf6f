"""What is shown of a run under way: lines every half minute, a bar, and whom a run waits for."""

import io
import re

import pytest
from rich.console import Console

from bulkrm.cli.terminal.display.bar import Bar
from bulkrm.cli.terminal.display.lines import EVERY, Lines
from bulkrm.cli.terminal.display.pace import PausedHosts, duration, speed
from bulkrm.cli.terminal.streams import is_dumb, wants_colour
from bulkrm.model.events import Paused, PauseReason
from tests.support.clock import FakeClock


class Told:
    """Lines of a display on a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: list[str] = []
        self.shown = Lines(self.clock.monotonic, self.clock.sleep, self.lines.append)

    def after(self, seconds: float, steps: int = 0) -> list[str]:
        """Let so many steps be done and so much time pass; return what was said."""
        before = len(self.lines)
        for _ in range(steps):
            self.shown.advance()
        self.clock.skip(seconds)
        self.shown.tick()
        return self.lines[before:]


def test_a_line_every_half_minute() -> None:
    """Every 30 seconds a line says how much of it is done, how fast it goes, and how long the rest takes."""
    told = Told()
    told.shown.phase("Deleting manifests", 20000)

    assert told.lines == ["Deleting manifests: 20,000"]
    assert told.after(EVERY - 1, steps=1230) == []
    assert told.after(1) == ["Deleting manifests: 1,230 of 20,000, 41/s, about 8 min left"]
    assert told.after(EVERY - 1) == []
    assert told.after(1) == ["Deleting manifests: 1,230 of 20,000, 0.0/s"]
    assert told.after(EVERY, steps=18769) == ["Deleting manifests: 19,999 of 20,000, 626/s, about 1 s left"]
    assert told.after(EVERY, steps=1) == []


def test_a_pause_between_two_phases() -> None:
    """A CI system that ends silent jobs hears something while a host pauses, also where the phase has no steps left."""
    told = Told()
    told.shown.phase("Resolving images", 2)
    told.shown.wait(Paused("one.example", 630.0, PauseReason.ASKED))

    assert told.after(EVERY, steps=2) == ["Resolving images: 2 of 2, waiting 10 min more for one.example"]
    assert told.after(600.0) == [], "the pause is over"


def test_the_time_left_is_steady() -> None:
    """The time left follows from the last minutes: it does not jump where a repository is read again in between."""
    told = Told()
    told.shown.phase("Deleting manifests", 20000)

    lines = [told.after(EVERY, steps=steps)[0] for steps in (600, 30, 600, 30, 600, 30, 600, 600, 600, 600, 600)]

    assert lines[1] == "Deleting manifests: 630 of 20,000, 1.0/s, about 31 min left"
    assert lines[5].endswith("1.0/s, about 35 min left"), "and not 5 hours"
    assert lines[10].endswith("20/s, about 13 min left"), "what is long ago does not count"


def test_a_pause_that_the_registry_asked_for() -> None:
    """A line says who asks for it, how long, and why; the next ones say how much of it is left."""
    told = Told()
    told.shown.phase("Deleting manifests", 100)
    told.shown.wait(Paused("registry.example", 300.0, PauseReason.ASKED))

    assert told.lines[-1].startswith("registry.example asks to wait 300 s (429 or Retry-After)")
    assert told.after(EVERY, steps=3) == [
        "Deleting manifests: 3 of 100, 0.1/s, about 16 min left, waiting 4 min more for registry.example"
    ]
    assert told.after(300) == ["Deleting manifests: 3 of 100, 0.0/s"]


def test_nothing_is_said_at_a_question() -> None:
    """While a question waits no line is written into it."""
    told = Told()
    told.shown.phase("Checking other tags", 5)
    told.shown.pause()

    assert told.after(600, steps=2) == []


async def test_the_time_is_looked_at_by_itself() -> None:
    """Lines come also where nothing happens at all, and stop with the run."""
    clock, lines = FakeClock(auto=True), list[str]()
    with Lines(clock.monotonic, clock.sleep, lines.append) as shown:
        shown.phase("Deleting manifests", 7)
        while len(lines) < 3:
            await clock.sleep(1.0)
    count = len(lines)
    await clock.sleep(10 * EVERY)

    assert lines[1:3] == ["Deleting manifests: 0 of 7, 0.0/s"] * 2
    assert len(lines) == count


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (45, "45 s"), (89, "89 s"), (90, "2 min"), (3540, "59 min"), (3600, "1 h"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    """Times are said in the unit that fits."""
    assert duration(seconds) == text


def test_speed() -> None:
    """Slow rates have a digit behind the point."""
    assert [speed(number) for number in (0.25, 9.0, 10.4, 1234.5)] == ["0.2/s", "9.0/s", "10/s", "1,234/s"]


def test_the_longest_wait() -> None:
    """Of several hosts that are waited for, the one that takes longest is named; what is over is forgotten."""
    waiting = PausedHosts()
    waiting.add(Paused("a.example", 10.0, PauseReason.ASKED), 0.0)
    waiting.add(Paused("b.example", 30.0, PauseReason.TROUBLE), 5.0)

    assert waiting.left(6.0) == ("b.example", 29.0)
    assert waiting.left(35.0) is None


@pytest.mark.parametrize("width", [80, 200])
def test_bar(width: int) -> None:
    """A bar has n of N; during a pause the seconds that are left of it, and above it stands who asked for it and why."""
    clock, out = FakeClock(), io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    bar = Bar(console, clock.monotonic)
    with bar:
        bar.phase("Reading manifests for conditions", 20000)
        for _ in range(1234):
            bar.advance()
        clock.skip(10.0)
        bar.advance()
        bar._progress.refresh()
        moving = out.getvalue()
        bar.wait(Paused("registry.with-a-very-long-name.of-a-company.example.com:5000", 42.0, PauseReason.ASKED))
        clock.skip(2.0)
        bar._progress.refresh()
    waiting = out.getvalue()[len(moving) :]

    assert "1,235/20,000" in moving
    assert "asks to wait 42 s (429 or Retry-After)" in " ".join(waiting.split())
    assert "registry.with-a-very-long-name.of-a-company.example.com:5000" in waiting
    assert "waiting 40 s" in waiting
    rows = [row for row in re.split(r"[\r\n]|\x1b\[[?0-9;]*[A-Za-z]", out.getvalue()) if "1,235/20,000" in row]
    assert rows
    assert [row for row in rows if len(row) > width] == []


def test_whether_colours_are_wanted() -> None:
    """NO_COLOR wins over all, CLICOLOR_FORCE over where the text goes; a dumb terminal has none."""
    xterm = {"TERM": "xterm-256color"}

    assert wants_colour(xterm, is_terminal=True)
    assert not wants_colour(xterm, is_terminal=False)
    assert not wants_colour({**xterm, "NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, is_terminal=True)
    assert wants_colour({**xterm, "NO_COLOR": ""}, is_terminal=True)
    assert wants_colour({"CLICOLOR_FORCE": "1"}, is_terminal=False)
    assert not wants_colour({**xterm, "CLICOLOR": "0"}, is_terminal=True)
    assert [is_dumb({"TERM": name}) for name in ("dumb", "", "unknown", "vt100")] == [True, True, True, False]
