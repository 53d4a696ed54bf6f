"""Collects all mistakes of one list file, each with its place."""

from typing import NamedTuple, NoReturn

from bulkrm.model.errors import Problem


class Position(NamedTuple):
    """A place in a file; line and column count from 1, the column in characters."""

    line: int
    column: int


class ReadingStoppedError(Exception):
    """The rest of the file cannot be parsed, or need not: a mistake that says why was noted before."""


class Mistakes:
    """Collects mistakes in any order, and returns them in the order of the file."""

    def __init__(self, name: str, most: int) -> None:
        """`name` is the file's; after `most` mistakes reading stops."""
        self._name = name
        self._most = most
        self._found: list[tuple[Position, Problem]] = []

    def __len__(self) -> int:
        """Return the number of mistakes so far."""
        return len(self._found)

    def add(self, place: Position, what: str, remedy: str = "") -> None:
        """Note a mistake. Raises ReadingStoppedError when there are too many."""
        if len(self._found) > self._most:
            raise ReadingStoppedError  # the last mistake says that there are too many
        self._found.append((place, Problem(f"{self._name}:{place.line}:{place.column}", what, remedy)))
        if len(self._found) == self._most:
            self.stop(place, "too many mistakes, the rest of the file was not read")

    def stop(self, place: Position, what: str, remedy: str = "") -> NoReturn:
        """Note a mistake after which the rest of the file cannot be parsed. Raises ReadingStoppedError."""
        where = f"{self._name}:{place.line}:{place.column}"
        self._found.append((place, Problem(where, what, remedy)))
        raise ReadingStoppedError

    def problems(self) -> list[Problem]:
        """Return all mistakes in the order of the file."""
        return [problem for _, problem in sorted(self._found, key=lambda found: found[0])]
