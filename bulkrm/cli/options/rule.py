"""What typer does not know: where the value of an option may come from, how values combine, and a command's examples.

The rule of an option is in its annotation. An option without a rule can be set by the command line, by the environment and
by the configuration file; the first of these layers that sets it holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import Any

from bulkrm.model.valueclass import valueclass


class SetBy(Enum):
    """Which layers may set an option.

    COMMAND_LINE: the option loosens a safety rule, chooses images, or sends passwords elsewhere, so whoever reads the
    command must see it. NONE: the command line too, but the option is no setting of a run: it shows something instead of
    running, or names the configuration file.
    """

    ANYWHERE = "the command line, the environment and the configuration file"
    COMMAND_LINE = "the command line only"
    NONE = "the command line only, and it is no setting"


@valueclass
class OptionRule:
    """The rule of one option.

    `check` raises InputError on a text that is no value of the option. `combine` makes one value from those of a lower and a
    higher layer; without it the higher one holds. `at_hosts`: the option may be set in a host's table of the configuration
    file. `words`: the values that the option knows, each with its meaning, for help and completion.
    """

    reach: SetBy = SetBy.ANYWHERE
    check: Callable[[str], object] | None = None
    combine: Callable[[Any, Any], Any] | None = None
    at_hosts: bool = False
    words: Callable[[], Sequence[tuple[str, str]]] | None = None


COMMAND_LINE = OptionRule(SetBy.COMMAND_LINE)
NO_SETTING = OptionRule(SetBy.NONE)
DEFAULT = OptionRule()


def union(lower: Sequence[str], higher: Sequence[str]) -> list[str]:
    """Return the values of both layers: of options that protect images, every value holds."""
    return list(dict.fromkeys([*lower, *higher]))


@valueclass
class Option:
    """An option that layers may set. `parameter`: its name in the command's function."""

    name: str
    parameter: str
    is_flag: bool = False
    is_list: bool = False
    is_path: bool = False
    rule: OptionRule = DEFAULT

    @property
    def is_setting(self) -> bool:
        """Tell whether the environment and the configuration file can set it."""
        return self.rule.reach is SetBy.ANYWHERE

    @property
    def refuses_empty(self) -> bool:
        """Tell whether an empty variable is an error, because ignoring it would loosen a safety rule."""
        return self.rule.combine is not None


@valueclass
class Example:
    """One example in a command's help: a sentence about its purpose, and the command lines, one a line."""

    what: str
    lines: str


@valueclass
class CommandExtras:
    """The rules of a command's options, by the names of the function's parameters, and its examples."""

    rules: Mapping[str, OptionRule] = field(default_factory=dict)
    examples: Sequence[Example] = ()


def extras_of(command: Any) -> CommandExtras:
    """Return the rules and examples that were registered with a command, as an attribute of its function."""
    found = getattr(command.callback, "extras", None)
    return found if isinstance(found, CommandExtras) else CommandExtras()
