r"""Makes text from registries and files safe to show: none of it controls a terminal, is invisible, or fakes a line.

Every character that `str.isprintable` rejects is replaced by its JSON escape (RFC 8259, section 7): control characters
(C0, DEL, C1, and so every escape sequence), line ends, bidirectional controls, characters without a width, and lone
surrogates, which stand for bytes that were not UTF-8. The form `\u001b` is readable, and a JSON parser turns it back
into the character. The colours of bulkrm itself are the only escape sequences that pass.
"""

import re
from enum import Enum


def printable(text: str) -> str:
    """Return the text as one line, with unprintable characters escaped; line ends are escaped too."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else escaped(character) for character in text)


def printable_lines(text: str) -> str:
    r"""Return a text of several lines, each made printable; `\n` is kept as the line end."""
    return text if text.isprintable() else "\n".join(printable(line) for line in text.split("\n"))


def escaped(text: str) -> str:
    r"""Return every character as `\uXXXX`, as JSON writes it; a character beyond U+FFFF becomes two of these."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


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
