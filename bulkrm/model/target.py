"""What the run was asked to delete, and where that was written."""

from dataclasses import dataclass

from bulkrm.model.reference import Reference


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the input: `name` is a file name, `-` or `argument`; `line` counts from 1 (the position of an argument)."""

    name: str
    line: int

    def __str__(self) -> str:
        """`images.yaml:2`, `argument 1`."""
        return f"{self.name} {self.line}" if self.name == "argument" else f"{self.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Target:
    """One image: exactly one outcome of the report belongs to it."""

    reference: Reference
    source: Source
    note: str | None = None

    @property
    def host(self) -> str:
        """The registry, in normal form."""
        return self.reference.repository.host
