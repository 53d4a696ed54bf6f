"""A page of the manual as text for a terminal: Markdown that rich draws, without links."""

import re
from collections.abc import Mapping
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.theme import Theme

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


class WholeTable(TableElement):
    """A table in which a word that is wider than its column continues in the next line; rich would cut it off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table."""
        for drawn in super().__rich_console__(console, options):
            if isinstance(drawn, Table):
                for column in drawn.columns:
                    column.overflow = "fold"
            yield drawn


class DrawnPage(Markdown):
    """A page of the manual."""

    elements: ClassVar[Mapping[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": WholeTable}  # type: ignore[assignment]


def formatted(text: str, width: int, *, is_styled: bool = False, has_colours: bool = False) -> str:
    """Return a page of the manual as text for a terminal; its source text if the terminal cannot show UTF-8.

    `is_styled`: headings and code are bold or underlined. `has_colours`: examples are coloured, too.
    """
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
    """Replace the links of a page by their labels with the address, or with the `bulkrm help` command that shows the page."""
    return _LINK.sub(_without_link, text)


def _without_link(link: re.Match[str]) -> str:
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
