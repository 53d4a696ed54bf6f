"""What an option is beside its name and its help: where its value may come from, and how several values go together.

A rule stands beside the option, in its annotation. An option without one can be set by the environment and the
configuration file, and the highest of the layers that say something holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class SetBy(Enum):
    """What may set an option.

    COMMAND_LINE: it loosens a rule, chooses images or sends passwords elsewhere, so it has to be seen where the command
    is. NONE: it is no setting of a run, because it shows something instead, or names the file of the settings.
    """

    ANYWHERE = "the command line, the environment and the configuration file"
    COMMAND_LINE = "the command line only"
    NONE = "nothing beside the command line, which it is no setting of"


@dataclass(frozen=True, slots=True)
class OptionRule:
    """The rule of one option.

    `check` raises InputError on a text that the option cannot be. `combine` makes one value of a lower layer's and a higher
    layer's; without it the higher one holds. `at_hosts`: it may stand in a host's table of the configuration file.
    `words` are the values that it knows, with what each means: help and completion show them.
    """

    reach: SetBy = SetBy.ANYWHERE
    check: Callable[[str], object] | None = None
    combine: Callable[[Any, Any], Any] | None = None
    at_hosts: bool = False
    words: Callable[[], Sequence[tuple[str, str]]] | None = None


COMMAND_LINE = OptionRule(SetBy.COMMAND_LINE)
NO_SETTING = OptionRule(SetBy.NONE)
DEFAULT = OptionRule()


def added(lower: Sequence[str], higher: Sequence[str]) -> list[str]:
    """Return the values of both layers: what keeps images from being deleted adds up."""
    return list(dict.fromkeys([*lower, *higher]))


@dataclass(frozen=True, slots=True)
class Option:
    """An option as its layers see it. `parameter`: its name in the command's function."""

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
    def must_say_something(self) -> bool:
        """Tell whether an empty variable is a mistake: to ignore it would loosen what it was to hold."""
        return self.rule.combine is not None
