"""What the run was asked to delete, and where that was written."""

from dataclasses import dataclass
from typing import Self

from bulkrm.model.reference import DigestRef, Reference
from bulkrm.model.result.outcome import Failed, NoMatch, NotAttempted

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the input: `name` is a file name, `-` or `argument`; `line` counts from 1 (the position of an argument)."""

    name: str
    line: int

    def __str__(self) -> str:
        """`images.yaml:2`, `argument 1`."""
        return f"{self.name} {self.line}" if self.name == "argument" else f"{self.name}:{self.line}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what was written so. Raises ValueError."""
        name, _, line = text.rpartition(" " if text.startswith("argument ") else ":")
        if not name or not (line.isascii() and line.isdigit()) or len(line) > _DIGITS:
            raise ValueError(f"{text[:200]!r} is no place in a list")
        return cls(name, int(line))


@dataclass(frozen=True, slots=True)
class Target:
    """One image: exactly one outcome of the report belongs to it.

    What the list does not name, but goes with something that it names, has no source and a `parent`: the manifest that
    it belongs to. `bound`: the numbers of the entries with conditions that name it, where no other entry does.
    """

    reference: Reference
    source: Source | None
    note: str | None = None
    parent: DigestRef | None = None
    bound: tuple[int, ...] = ()

    def __hash__(self) -> int:
        """Hash what differs: a target is looked up a dozen times on its way."""
        return hash(self.reference)

    @property
    def host(self) -> str:
        """The registry, in normal form."""
        return self.reference.repository.host


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A pattern that leads to no image of its own: it chose nothing, or could not be looked up."""

    text: str
    source: Source
    note: str | None
    outcome: NoMatch | Failed | NotAttempted


Line = Target | Unmatched
