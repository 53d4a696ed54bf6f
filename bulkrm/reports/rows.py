"""Rows of a report for people: status, image, and a text such as the reason.

In a pipe every image is one line with its full name, whatever its length, so that grep finds it whole. On a terminal a text
that does not fit beside the name is shown on lines of its own below it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkrm.model.result.outcome import (
    PRECEDENCE,
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttempted,
    Outcome,
    Status,
    Untagged,
    WouldDelete,
    WouldUntag,
)
from bulkrm.model.result.report import ImageResult
from bulkrm.model.text.image_name import shortened
from bulkrm.model.text.layout import MOST_IN_A_ROW, cells, listed, padded, wrapped
from bulkrm.model.text.printable import Colour, painted, printable
from bulkrm.model.valueclass import valueclass
from bulkrm.reports.format import View

STATUS_WIDTH = max(len(status) for status in Status) + 2
COLOURS: Mapping[Status, Colour] = {
    Status.FAILED: Colour.FAILED,
    Status.KEPT: Colour.KEPT,
    Status.NOT_ATTEMPTED: Colour.KEPT,
    Status.NO_MATCH: Colour.KEPT,
}


@valueclass
class Row:
    """One image. `text`: its reason, error, or the tags that are deleted with it; may be ''."""

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
    image, text = printable(shortened(row.image)), printable(row.text)
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


def condition_of(outcome: Outcome) -> KeptReason | None:
    """Return the condition that keeps an image, else None. Such images are only counted, because there may be thousands."""
    return outcome.reason if isinstance(outcome, Kept) and outcome.reason.is_condition else None


def kept_by_conditions(reasons: Iterable[KeptReason], view: View) -> Iterator[str]:
    """Yield a line for each condition that kept anything: `18,211 kept: too-young`."""
    counts = Counter(reasons)
    for reason in PRECEDENCE:
        if counts[reason]:
            yield f"{counts[reason]:,} {painted('kept', Colour.KEPT, wanted=view.colour)}: {reason}"


def row_of(result: ImageResult) -> Row:
    """Return the row of an image."""
    return Row(result.outcome.status, result.image, detail(result))


def detail(result: ImageResult) -> str:
    """Return the text of an image's row; '' if its status says everything."""
    outcome = result.outcome
    match outcome:
        case Deleted(also) | WouldDelete(also) if also:
            text = f"with {listed(also, MOST_IN_A_ROW)}"
        case Deleted(for_good=True) | WouldDelete(for_good=True):
            text = "a tag without a manifest: this cannot be undone"
        case Untagged(remaining_tags) | WouldUntag(remaining_tags) if remaining_tags:
            text = f"stays as {listed(remaining_tags, MOST_IN_A_ROW)}"
        case Gone(no_repository=True):
            text = "no such repository: a typing error?"
        case Kept(reason, because):
            text = f"{reason.value}: {listed(because, MOST_IN_A_ROW)}" if because else reason.value
        case Failed(failure):
            text = f"{failure.code.value}: {failure.message}"
        case NotAttempted(reason):
            text = reason.value
        case _:
            text = ""
    return text
