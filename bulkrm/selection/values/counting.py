"""Parsers of values that are a number of images."""

from collections.abc import Callable

from bulkrm.selection.patterns.syntax import refuse

_MOST = 1_000_000
_DIGITS = 20


def positive_number(key: str) -> Callable[[str], int]:
    """Return a parser of a number of at least 1, for a key. The parser raises InputError with one Problem."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            refuse(text, f"is not a number, as {key} needs one", f"write {key}: 5")
        number = int(text) if len(text) <= _DIGITS else _MOST + 1
        if number == 0:
            refuse(text, f"keeps nothing as {key}", f"leave {key} out")
        if number > _MOST:
            refuse(text, f"is too large for {key}", f"write at most {_MOST}")
        return number

    return parse
