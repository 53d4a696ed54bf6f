"""Parsers of values that are one of a few words."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from bulkrm.selection.patterns.syntax import refuse

Word = TypeVar("Word", bound=StrEnum)


def choice(key: str, words: type[Word]) -> Callable[[str], Word]:
    """Return a parser of one of the words, for a key. The parser raises InputError with one Problem."""

    def parse(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            refuse(text, f"is not a value of {key}", f"write one of {', '.join(words)}")

    return parse
