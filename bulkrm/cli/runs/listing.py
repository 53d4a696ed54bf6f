"""The list of runs, as JSON or as a table: a line for each run, several where the terminal is too narrow for that."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from bulkrm.cli.runs.age import ago
from bulkrm.cli.runs.summary import RunState, RunSummary, document
from bulkrm.model.text.layout import cells, padded, wrapped
from bulkrm.model.text.printable import Colour, painted, printable
from bulkrm.reports.format import View

FORMATS = ("text", "json", "jsonl")
_HEADER = ("RUN", "AGE", "STATE", "IMAGES", "WHERE")
_GAP = "  "
_COLOURS = {
    RunState.DAMAGED: Colour.FAILED,
    RunState.INTERRUPTED: Colour.KEPT,
    RunState.UNFINISHED: Colour.KEPT,
    RunState.RUNNING: Colour.DONE,
}


def list_text(runs: Sequence[RunSummary], output: str, now: datetime, view: View) -> Iterator[str]:
    """Yield the lines of the list, printable. `output`: one of `FORMATS`."""
    if output == "json":
        yield json.dumps(document(runs), indent=1)
    elif output == "jsonl":
        yield from (json.dumps(run.as_fields()) for run in runs)
    elif runs:
        yield from table(runs, now, view.width, colour=view.colour)


def table(runs: Sequence[RunSummary], now: datetime, width: int | None, *, colour: bool = False) -> Iterator[str]:
    """Yield the header and the runs. `width` is the terminal's; None: a pipe, where each run is one line."""
    rows = [_cells(run, now) for run in runs]
    widths = [max(cells(row[column]) for row in (_HEADER, *rows)) for column in range(len(_HEADER))]
    is_narrow = width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width
    header = _line(_HEADER[:4] if is_narrow else _HEADER, widths)
    yield painted(header, Colour.HEADER, wanted=colour)
    for run, row in zip(runs, rows, strict=True):
        paint = _COLOURS.get(run.state) if colour else None
        if is_narrow and width is not None:
            yield from _lines(row, widths, width, paint)
        else:
            yield _line(row, widths, paint)


def _cells(run: RunSummary, now: datetime) -> tuple[str, ...]:
    what = run.images if run.damage is None else run.damage
    return tuple(map(printable, (run.id, ago(run.started, now), run.words, what, run.where)))


def _line(row: Sequence[str], widths: Sequence[int], paint: Colour | None = None) -> str:
    """Return the cells in their columns; the third cell, the state, is painted."""
    texts = [padded(text, widths[column]) for column, text in enumerate(row)]
    texts[2] = painted(texts[2], paint)
    return _GAP.join(texts).rstrip()


def _lines(row: Sequence[str], widths: Sequence[int], width: int, paint: Colour | None) -> Iterator[str]:
    """Yield the lines of a run on a narrow terminal: its repositories below its name, and its images if they are long."""
    images, where = row[3], row[4]
    if sum(widths[:3]) + len(_GAP) * 3 + cells(images) <= width:
        yield _line([*row[:3], images], [*widths[:3], 0], paint)
    else:
        yield _line(row[:3], widths, paint)
        yield from wrapped([images], width, first=2, indent=4)
    if where:
        yield from wrapped([where], width, first=2, indent=4)
