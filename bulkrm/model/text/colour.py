"""The colours of text on a terminal, and a filter that removes all other escape sequences."""

import re
from enum import Enum

from bulkrm.model.text.printable import printable_lines

_RESET = "\x1b[0m"


class Colour(Enum):
    """The colours by their use, as escape sequences of ECMA-48 (section 8.3.117, SGR) that every terminal knows."""

    FAILED = "\x1b[31m"  # red
    KEPT = "\x1b[33m"  # yellow
    DONE = "\x1b[32m"  # green
    HEADER = "\x1b[1m"  # bold
    ASIDE = "\x1b[2m"  # faint


_SEQUENCES = re.compile("(" + "|".join(re.escape(text) for text in (_RESET, *(entry.value for entry in Colour))) + ")")


def painted(text: str, colour: Colour | None, *, wanted: bool = True) -> str:
    """Return a printable text in a colour; unchanged if `colour` is None, no colour is `wanted`, or the text is empty."""
    return f"{colour.value}{text}{_RESET}" if colour is not None and wanted and text else text


def uncoloured(text: str) -> str:
    """Return a text without the escape sequences that `painted` writes."""
    return _SEQUENCES.sub("", text)


def printable_in_colour(text: str) -> str:
    """Make lines printable as `printable_lines` does, except for the sequences that `painted` writes."""
    pieces = _SEQUENCES.split(text)
    pieces[::2] = map(printable_lines, pieces[::2])
    return "".join(pieces)
