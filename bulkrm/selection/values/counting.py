"""Values that are a number of images."""

from collections.abc import Callable

from bulkrm.selection.patterns.syntax import refuse

_MOST = 1_000_000
_DIGITS = 20


def count(key: str) -> Callable[[str], int]:
    """Return what reads a number of at least 1. It raises InputError with one Problem."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            refuse(text, f"is no number that {key} can be", f"write {key}: 5")
        number = int(text) if len(text) <= _DIGITS else _MOST + 1
        if number == 0:
            refuse(text, f"keeps nothing as {key}", f"leave {key} out")
        if number > _MOST:
            refuse(text, f"is more than {key} can be", f"write at most {_MOST}")
        return number

    return parse
