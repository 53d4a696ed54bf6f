"""Targets: the images that a run is about, and where the list names them."""

from typing import Self

from bulkrm.model.reference import DigestRef, Reference
from bulkrm.model.result.outcome import Failed, NoMatch, NotAttempted
from bulkrm.model.valueclass import valueclass

ARGUMENT = "argument"  # the name of the place of an argument
_DIGITS = 9


@valueclass
class Source:
    """A place in the input: `name` is a file name, `-` or `argument`; `line` counts from 1 (the position of an argument)."""

    name: str
    line: int

    def __str__(self) -> str:
        """`images.yaml:2`, `argument 1`."""
        return f"{self.name} {self.line}" if self.name == ARGUMENT else f"{self.name}:{self.line}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the text that `str()` returns. Raises ValueError."""
        name, _, line = text.rpartition(" " if text.startswith("argument ") else ":")
        if not name or not (line.isascii() and line.isdigit()) or len(line) > _DIGITS:
            raise ValueError(f"{text[:200]!r} is not a place in a list")
        return cls(name, int(line))


@valueclass
class Target:
    """One image that a run is about; the report has exactly one outcome for it.

    `source`: the place in the list. A child or referrer that the list does not name has no source but a `parent`, the
    manifest that it is deleted with. `bound`: the entries with conditions that name the image, as indexes into the
    run's conditions; empty if an entry without conditions names it too.
    """

    reference: Reference
    source: Source | None
    note: str | None = None
    parent: DigestRef | None = None
    bound: tuple[int, ...] = ()

    def __hash__(self) -> int:
        """Hash the reference alone, for speed: a run looks each target up a dozen times."""
        return hash(self.reference)

    @property
    def host(self) -> str:
        """The registry host, in normal form."""
        return self.reference.repository.host


@valueclass
class Unmatched:
    """A pattern that has a line of its own in the report: it matched nothing, or its listing could not be read."""

    text: str
    source: Source
    note: str | None
    outcome: NoMatch | Failed | NotAttempted


Line = Target | Unmatched
