"""`bulkrm help [TOPIC]`: the list of the pages, a page, or the help of a command."""

import os
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from bulkrm.cli.command_names import COMMANDS, nearest_command
from bulkrm.cli.manual.display import show_page
from bulkrm.cli.manual.pages import page_of, pages, suggested
from bulkrm.cli.terminal.console import show_lines
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.text.printable import printable


def show_topic(words: Sequence[str], context: Any, *, is_terminal: bool) -> bool:
    """Show a page, the help of a command, or without words the list of pages; return False if it could not be written.

    `context`: the parser's context of the command line. Raises InputError where there is no such page or command.
    """
    if not words:
        return show_lines(contents())
    if words[0] in COMMANDS:
        return show_lines(_help_of(words, context).split("\n"))
    page = page_of(" ".join(words))
    if page is None:
        raise InputError(_no_topic(" ".join(words)))
    text = page.text
    return show_page(text, os.environ) if is_terminal else show_lines(text.removesuffix("\n").split("\n"))


def contents() -> list[str]:
    """Return the lines that list the pages."""
    width = max(len(page.topic) for page in pages())
    return [
        "The pages of the manual; `bulkrm help PAGE` shows one:",
        "",
        *(f"  {page.topic:<{width}}  {page.line}" for page in pages()),
        "",
        "The commands; `bulkrm help COMMAND` shows the options of one:",
        "",
        f"  {' '.join(COMMANDS)}",
    ]


def topics() -> Mapping[str, str]:
    """Return the topics of the pages, each with its subject."""
    return {page.topic: page.line for page in pages()}


def _help_of(words: Sequence[str], context: Any) -> str:
    """Return the help of a command, or of one below it (`runs show`). Raises InputError."""
    command, above = context.find_root().command, context.parent
    for place, word in enumerate(words):
        below = getattr(command, "commands", {})
        if word not in below:
            raise InputError(_no_command(words[:place], word, below))
        command = below[word]
        above = command.make_context(word, ["-h"], parent=above, resilient_parsing=True)
    return str(command.get_help(above))


def _no_command(before: Sequence[str], word: str, below: Collection[str]) -> Problem:
    name = " ".join(before)
    near = get_close_matches(word, below, 1)
    remedy = f"perhaps `bulkrm help {name} {near[0]}`" if near else f"`bulkrm help {name}` shows all of it"
    return Problem("help", f"`bulkrm {name}` has no command {printable(word[:40])!r}", remedy)


def _no_topic(word: str) -> Problem:
    command = nearest_command(word)
    near = [command] if command in COMMANDS else suggested(word)
    if near:
        remedy = f"perhaps {' or '.join(f'`bulkrm help {topic}`' for topic in near)}"
    else:
        remedy = f"`bulkrm help` lists the pages, and the commands are {', '.join(COMMANDS)}"
    return Problem("help", f"there is no command {printable(word[:40])!r}, and no page of that name", remedy)
