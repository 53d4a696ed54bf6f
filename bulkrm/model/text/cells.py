"""The width of a text in columns of a terminal: a Chinese character takes two, a combining accent none."""

import unicodedata

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
