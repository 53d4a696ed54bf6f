"""Shows a page of the manual on a terminal, by a pager if the page is longer than the screen."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bulkrm.cli.terminal.console import show_lines
from bulkrm.cli.terminal.streams import is_dumb, wants_colour

_WIDEST = 120  # longer lines are hard to read
_HEIGHT = 2  # the lines that a shell's prompt takes


def show_page(text: str, environment: Mapping[str, str]) -> bool:
    """Show a page on the terminal of standard output; return False if it could not be written."""
    from bulkrm.cli.manual.rendering import formatted  # noqa: PLC0415 (rich takes long to load; a pipe gets the source text)

    size = shutil.get_terminal_size()
    pager = pager_of(environment)
    is_styled = not is_dumb(environment) and (pager is None or keeps_styles(pager, environment))
    has_colours = is_styled and wants_colour(environment, is_terminal=True)
    shown = formatted(text, min(size.columns, _WIDEST), is_styled=is_styled, has_colours=has_colours)
    if pager is not None and shown.count("\n") > size.lines - _HEIGHT and _paged(shown, pager, environment):
        return True
    return show_lines(shown.splitlines())


def pager_of(environment: Mapping[str, str]) -> Sequence[str] | None:
    """Return the pager's command: `PAGER`, else `less` or `more`. None: there is none, or the user wants none."""
    if is_dumb(environment):
        return None
    chosen = environment.get("PAGER")
    if chosen is None:
        return next(([name] for name in ("less", "more") if shutil.which(name)), None)
    try:
        words = shlex.split(chosen)
    except ValueError:  # a quote that is not closed
        return None
    return words if words and words != ["cat"] else None


def keeps_styles(pager: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Tell whether a pager shows bold letters and colours: of the common ones only `less` does, unless LESS lacks `-R`."""
    return os.path.basename(pager[0]) == "less" and "R" in environment.get("LESS", "FRX").upper()  # noqa: PTH119 (a word)


def _paged(text: str, pager: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Show a text by the pager, and wait for its end; return False where the pager cannot be started."""
    try:
        process = subprocess.Popen(  # noqa: S603 (the user's own command)
            pager, stdin=subprocess.PIPE, env={**environment, "LESS": environment.get("LESS", "FRX")}
        )
    except OSError:
        return False
    assert process.stdin is not None  # noqa: S101 (it is a pipe)
    with suppress(OSError, KeyboardInterrupt):  # OSError: the user left the pager before it had read everything
        process.stdin.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
        process.stdin.close()
    while True:
        with suppress(KeyboardInterrupt):  # Ctrl-C is for the pager
            process.wait()
            return True
