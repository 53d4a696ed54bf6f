"""Rows of a report for people: status, image, and what there is to say beside them.

In a pipe every image is one line with its full name, whatever its length: made for grep. On a terminal what does not fit
beside a name moves to lines of its own below it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bulkrm.model.cells import cells, padded
from bulkrm.model.colour import Colour, painted
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.layout import wrapped
from bulkrm.model.printable import printable
from bulkrm.model.result.outcome import PRECEDENCE, Kept, KeptReason, Outcome, Status
from bulkrm.reports.format import View

STATUS_WIDTH = max(len(status) for status in Status) + 2
COLOURS: Mapping[Status, Colour] = {
    Status.FAILED: Colour.FAILED,
    Status.KEPT: Colour.KEPT,
    Status.NOT_ATTEMPTED: Colour.KEPT,
    Status.NO_MATCH: Colour.KEPT,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One image. `text` is what there is to say beside its status."""

    status: Status
    image: str
    text: str = ""


def laid_out(rows: Sequence[Row], view: View) -> Iterator[str]:
    """Yield the lines of the rows."""
    if view.width is None:
        widest = max((cells(printable(row.image)) for row in rows), default=0)
        for row in rows:
            yield f"{_status(row, view)}{padded(printable(row.image), widest)}  {printable(row.text)}".rstrip()
        return
    for row in rows:
        yield from _on_terminal(row, view, view.width)


def _on_terminal(row: Row, view: View, width: int) -> Iterator[str]:
    image, text = printable(_shortened(row.image)), printable(row.text)
    first = f"{_status(row, view)}{image}"
    if not text:
        yield first
    elif STATUS_WIDTH + cells(image) + 2 + cells(text) <= width:
        yield f"{first}  {text}"
    else:
        yield first
        yield from wrapped([text], width, first=STATUS_WIDTH, indent=STATUS_WIDTH)


def _status(row: Row, view: View) -> str:
    """Return the status as a cell of the table, painted where the terminal has colours."""
    blanks = " " * (STATUS_WIDTH - len(row.status))
    return painted(row.status, COLOURS.get(row.status), wanted=view.colour) + blanks


def _shortened(image: str) -> str:
    """Cut a digest in a name down to what people compare; the full one is in the JSON report."""
    name, at, digest = image.partition("@")
    try:
        return f"{name}@{Digest(digest).short}" if at else image
    except InputError:  # a pattern, or a record that somebody changed
        return image


def condition_of(outcome: Outcome) -> KeptReason | None:
    """Return the condition of the list that keeps an image: those are counted, because there may be any number of it."""
    return outcome.reason if isinstance(outcome, Kept) and outcome.reason.is_condition else None


def kept_by_conditions(reasons: Iterable[KeptReason], view: View) -> Iterator[str]:
    """Yield a line for each condition that kept anything: `18,211 kept: too-young`."""
    counts = Counter(reasons)
    for reason in PRECEDENCE:
        if counts[reason]:
            yield f"{counts[reason]:,} {painted('kept', Colour.KEPT, wanted=view.colour)}: {reason}"
