"""A page of the manual on a terminal: formatted, and through a pager where it is longer than the screen."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from bulkrm.cli.terminal.colours import is_dumb, wants_colour
from bulkrm.cli.terminal.console import show_lines

_WIDEST = 120  # longer lines are hard to read
_HEIGHT = 2  # the lines that a shell's prompt takes
_LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)")
_BLANK = re.compile(r"\n(?:(?:\x1b\[[0-9;]*m)* *(?:\x1b\[[0-9;]*m)*\n){2,}")
_STYLES = {
    "markdown.code": "bold",
    "markdown.code_block": "none",
    "markdown.h1": "bold underline",
    "markdown.h2": "bold underline",
    "markdown.h3": "bold",
    "markdown.table.header": "bold",
    "markdown.table.border": "dim",
    "markdown.item.bullet": "bold",
}


def show_page(text: str, environment: Mapping[str, str]) -> bool:
    """Show a page on the terminal that standard output is; return whether somebody may have read it."""
    size = shutil.get_terminal_size()
    pager = pager_of(environment)
    is_styled = not is_dumb(environment) and (pager is None or keeps_styles(pager, environment))
    has_colours = is_styled and wants_colour(environment, is_terminal=True)
    shown = formatted(text, min(size.columns, _WIDEST), is_styled=is_styled, has_colours=has_colours)
    if pager is not None and shown.count("\n") > size.lines - _HEIGHT and _paged(shown, pager, environment):
        return True
    return show_lines(shown.splitlines())


def formatted(text: str, width: int, *, is_styled: bool = False, has_colours: bool = False) -> str:
    """Return a page as a terminal shows it; one without UTF-8 gets the source text.

    `is_styled`: headings and code are told apart by bold and underlined letters; `has_colours`: examples by colours too.
    """
    from rich.console import Console  # noqa: PLC0415 (for terminals only)
    from rich.theme import Theme  # noqa: PLC0415 (as above)

    from bulkrm.cli.manual.rendering import DrawnPage  # noqa: PLC0415 (as above)

    console = Console(
        force_terminal=is_styled, width=width, theme=Theme(_STYLES), highlight=False, no_color=not has_colours
    )
    if console.options.ascii_only:
        return text
    with console.capture() as capture:
        console.print(DrawnPage(without_links(text), code_theme="ansi_dark", hyperlinks=False))
    lines = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    return _BLANK.sub("\n\n", lines).lstrip("\n")


def without_links(text: str) -> str:
    """Return Markdown whose links are words that a terminal can follow: a topic of `bulkrm help`, or an address."""
    return _LINK.sub(_followed, text)


def _followed(link: re.Match[str]) -> str:
    image, label, target = link.groups()
    path = target.partition("#")[0]
    if image or not path:
        return label
    if "://" in target:
        return f"{label} ({target})"
    topic = path.removesuffix(".md")
    if "/" not in path and topic != path:
        return label if f"`bulkrm help {topic}`" == label else f"{label} (`bulkrm help {topic}`)"
    return f"{label} ({path.removeprefix('../../')})" if path.removeprefix("../../") not in label else label


def pager_of(environment: Mapping[str, str]) -> Sequence[str] | None:
    """Return the command that shows long texts: `PAGER`, else `less` or `more`. None: there is none, or none is wanted."""
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
    """Tell whether a pager passes styles on: of the common ones only `less` does, where `-R` is not taken from it."""
    return os.path.basename(pager[0]) == "less" and "R" in environment.get("LESS", "FRX").upper()  # noqa: PTH119 (a word)


def _paged(text: str, pager: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Hand a text to the pager and wait for it; return False where it cannot be started."""
    try:
        process = subprocess.Popen(  # noqa: S603 (the user's own command)
            pager, stdin=subprocess.PIPE, env={**environment, "LESS": environment.get("LESS", "FRX")}
        )
    except OSError:
        return False
    assert process.stdin is not None  # noqa: S101 (it is a pipe)
    with suppress(OSError, KeyboardInterrupt):  # OSError: the pager was left before it had read everything
        process.stdin.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
        process.stdin.close()
    while True:
        with suppress(KeyboardInterrupt):  # it is the pager that answers to Ctrl-C
            process.wait()
            return True
