"""Values that are one of a few words."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from bulkrm.selection.patterns.syntax import refuse

Word = TypeVar("Word", bound=StrEnum)


def choice(key: str, words: type[Word]) -> Callable[[str], Word]:
    """Return what reads one of the words. It raises InputError with one Problem."""

    def parse(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            refuse(text, f"is nothing that {key} can be", f"write one of {', '.join(words)}")

    return parse
