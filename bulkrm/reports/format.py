"""What a file of this package declares: a report format, as two functions that return text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from bulkrm.model.discovery import discover
from bulkrm.model.result.report import ImageResult, Report


@dataclass(frozen=True, slots=True)
class View:
    """Where the text will be seen.

    `width` is the terminal's in characters; None: a pipe or a file, where nothing is wrapped and every image is listed.
    `colour`: colours are wanted (`bulkrm.model.colour.painted`). `every`: the user wants the whole list on the terminal
    too.
    """

    width: int | None = None
    colour: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """One format. `line` is called for every outcome as it happens, `whole` once in the end; both may return ''."""

    name: str
    help: str
    line: Callable[[ImageResult], str]
    whole: Callable[[Report, View], str]


def no_line(_: ImageResult) -> str:
    """Return no text for a single outcome."""
    return ""


@cache
def formats() -> Mapping[str, ReportFormat]:
    """All report formats by name, loaded on first use."""
    return {entry.name: entry for entry in discover(__package__ or "bulkrm.reports", "FORMAT", ReportFormat)}
