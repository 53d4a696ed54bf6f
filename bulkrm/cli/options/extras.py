"""What a command has that typer does not know: the rules of its options, and the examples of its help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bulkrm.cli.options.rule import OptionRule


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a command's help: what it does, and the command lines, one a line."""

    what: str
    lines: str


@dataclass(frozen=True, slots=True)
class Extras:
    """The rules by the names of the function's parameters, and the examples."""

    rules: Mapping[str, OptionRule] = field(default_factory=dict)
    examples: Sequence[Example] = ()


def extras_of(command: Any) -> Extras:
    """Return what was registered with a command, as an attribute of its function."""
    found = getattr(command.callback, "extras", None)
    return found if isinstance(found, Extras) else Extras()
