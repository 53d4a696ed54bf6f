"""What a terminal can show: its size, and whether the environment wants colours.

`NO_COLOR` (no-color.org) with any value: no colours, whatever else is set. `CLICOLOR_FORCE` (bixense.com/clicolors) with any
value but 0: colours, also where the output is no terminal. `CLICOLOR=0`, or a terminal that is `dumb` or of no known kind: no
colours.
"""

import os
from collections.abc import Mapping
from typing import TextIO

from bulkrm.reports.format import View


def view_of(stream: TextIO, *, every: bool = False, place: str = "") -> View:
    """Return the width and the colours of a text that is written to a stream. `every` and `place` as in `View`."""
    is_terminal = stream.isatty()
    width = size_of(stream.fileno()).columns if is_terminal else None
    return View(width, wants_colour(os.environ, is_terminal=is_terminal), every, place)


def size_of(descriptor: int) -> os.terminal_size:
    """Return columns and lines of a terminal: `COLUMNS` and `LINES` if they are set, else those that the terminal reports.

    Over some connections a terminal reports none; then they are 80 and 24.
    """
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        found = os.terminal_size((0, 0))
    sizes = ((os.environ.get("COLUMNS", ""), found.columns, 80), (os.environ.get("LINES", ""), found.lines, 24))
    columns, lines = (int(told) if told.isdecimal() and int(told) else seen or usual for told, seen, usual in sizes)
    return os.terminal_size((columns, lines))


def wants_colour(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Tell whether a text is to be coloured. `is_terminal`: whether it is written to a terminal."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environment.get("CLICOLOR") != "0" and not is_dumb(environment)


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal cannot do more than show one line after another."""
    return environment.get("TERM", "") in ("", "dumb", "unknown")
