"""Two columns: names, and a text for each."""

from collections.abc import Iterator, Sequence

from bulkrm.model.text.cells import cells, padded
from bulkrm.model.text.colour import uncoloured
from bulkrm.model.text.printable import printable

_GAP = "  "


def two_columns(rows: Sequence[tuple[str, str]], width: int | None, indent: int = 0) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each row: one, or two if the name is so long that its text does not fit beside it.

    `width` is the terminal's, in columns; None: every row is one line. The texts may be painted
    (`bulkrm.model.text.colour`).
    """
    blanks = " " * indent
    names = [printable(name) for name, _ in rows]
    widest_text = max((cells(uncoloured(text)) for _, text in rows), default=0)
    room = None if width is None else width - indent - len(_GAP) - widest_text
    column = max((cells(name) for name in names if room is None or cells(name) <= room), default=0)
    for name, (_, text) in zip(names, rows, strict=True):
        if cells(name) <= column:
            yield (f"{blanks}{padded(name, column)}{_GAP}{text}",)
        else:
            yield f"{blanks}{name}", f"{blanks}{' ' * column}{_GAP}{text}"
