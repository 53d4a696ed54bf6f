"""Markdown as rich draws it, with tables that lose nothing."""

from collections.abc import Mapping
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table


class WholeTable(TableElement):
    """A table in which a word that is wider than its column goes on in the next line; rich cuts it off by default."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        for drawn in super().__rich_console__(console, options):
            if isinstance(drawn, Table):
                for column in drawn.columns:
                    column.overflow = "fold"
            yield drawn


class DrawnPage(Markdown):
    """A page of the manual."""

    elements: ClassVar[Mapping[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": WholeTable}  # type: ignore[assignment]
