"""Numbers, lists of names, wrapped lines and columns, laid out the same way in every text for people.

Widths are columns of a terminal: a Chinese character takes two, a combining accent none.

>>> counted(1012, "request"), counted(1, "repository", "repositories")
('1,012 requests', '1 repository')
>>> listed(["a", "b", "c"], most=2)
'a, b and 1 more'
>>> size(1434)
'1.4 KiB'
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from bulkrm.model.text.printable import printable, uncoloured

MOST_NAMED = 5  # names before a list in a sentence is cut
MOST_IN_A_ROW = 3  # names before a list in a row of a table is cut
_WORDS = re.compile(r" +|[^ ]+")
_MIN_WIDTH = 40  # characters; on a narrower terminal wrapped lines would be harder to read than broken ones
_GAP = "  "  # between two columns
_WIDE = frozenset("WF")  # Unicode Standard Annex 11, "East Asian Width": wide, and fullwidth
_NO_WIDTH = frozenset({"Mn", "Me"})  # marks that are drawn over the character before


def cells(text: str) -> int:
    """Return the width of a printable text, in columns."""
    return len(text) if text.isascii() else sum(map(_of_character, text))


def padded(text: str, width: int) -> str:
    """Return the text with blanks appended up to `width` columns."""
    return text + " " * (width - cells(text))


def _of_character(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 image`, `12,345 images`. `many` is the plural where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """Join names by commas; those beyond the first `most` are counted: `a, b and 4 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def size(number: int) -> str:
    """Return a number of bytes with its unit: `812 B`, `1.4 KiB`."""
    amount, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:  # noqa: PLR2004 (bytes in a KiB)
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def wrapped(lines: Iterable[str], width: int | None, *, indent: int = 2, first: int = 0) -> Iterator[str]:
    """Yield the lines, each made printable and broken at blanks to at most `width` characters (at least 40).

    `width` None: the text goes into a pipe or a file, where a line stays one line, so that grep finds it whole. `first`
    blanks begin a line and `indent` blanks each line that continues it. Names are never broken: they are copied.
    """
    for text in map(printable, lines):
        if width is None:
            yield f"{' ' * first}{text}"
            continue
        yield from _broken(text, max(width, _MIN_WIDTH), " " * first, " " * indent)


def _broken(text: str, width: int, first: str, indent: str) -> Iterator[str]:
    """Break a line at blanks, so that each piece has at most `width` columns, except where one word is longer."""
    line, blanks = first, ""
    is_begun = False  # whether the piece has a word
    for piece in _WORDS.findall(text):
        if piece.isspace():
            blanks = piece
            continue
        if is_begun and cells(line) + len(blanks) + cells(piece) > width:
            yield line
            line, blanks, is_begun = indent, "", False
        line, blanks, is_begun = f"{line}{blanks}{piece}", "", True
    if is_begun:
        yield line


def two_columns(rows: Sequence[tuple[str, str]], width: int | None, indent: int = 0) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each row: one, or two if the name is so long that its text does not fit beside it.

    `width` is the terminal's, in columns; None: every row is one line. The texts may be painted
    (`bulkrm.model.text.printable`).
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
