"""The layers below the command line that set options: the environment, and below it the configuration file.

Every option `--some-name` has the variable BULKRM_SOME_NAME and the key `some-name`, except options that loosen a safety
rule, choose images or send passwords elsewhere: whoever reads the command must see those. The protections of all layers
hold, and the smallest limit does, so that no layer can loosen a rule of another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bulkrm.cli.options.configuration import (
    RESERVED,
    Configuration,
    default_path,
    is_reserved,
    path_of_name,
    read_configuration,
)
from bulkrm.cli.options.rule import Option
from bulkrm.model.errors import InputError, Problem

PREFIX = "BULKRM_"
_CONFIG = "config"
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
# Variables of the tests of bulkrm, which no command reads.
_OTHERS = ("BULKRM_TEST_",)


class Layers:
    """The environment and the configuration file. `known`: the options of all commands, by name."""

    def __init__(self, environment: Mapping[str, str], known: Mapping[str, Option], config: str | None) -> None:
        """Read the file; `config` is the value of `--config`. Raises InputError."""
        self._environment = environment
        self._known = known
        named = config or environment.get(f"{PREFIX}CONFIG") or None
        path = Path(named) if named is not None else default_path(environment)
        self.file = Configuration()
        if path is not None:
            self.file = read_configuration(path, known, must_exist=named is not None)

    def remarks(self) -> Iterator[str]:
        """Yield which variables have no effect, and why."""
        variables = {variable_of(name): name for name in (*RESERVED, *self._known)}
        variables[f"{PREFIX}IMAGES"] = "image"
        for name in sorted(self._environment):
            if not name.startswith(PREFIX) or name.startswith(_OTHERS):
                continue
            option_name = variables.get(name, "")
            option = self._known.get(option_name)
            if option_name == "image":
                yield f"{name} has no effect: images are named on the command line, or in a list"
            elif is_reserved(option_name, option):
                yield f"{name} has no effect: --{option_name} is taken from the command line only"
            elif option is None or not (option.is_setting or option_name == _CONFIG):
                yield f"{name} has no effect: there is no such setting{self._suggestion(name)}"

    def _suggestion(self, name: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

        variables = [variable_of(option.name) for option in self._known.values() if option.is_setting]
        close = get_close_matches(name, [*variables, variable_of(_CONFIG)], 1)
        return f"; perhaps {close[0]} is meant" if close else ""

    def of(self, option: Option) -> tuple[Any, bool] | None:
        """Return the value of an option in these layers, and whether the environment sets it; None where neither does.

        Raises InputError where the value is no value of the option.
        """
        if not option.is_setting:
            return None
        from_environment = self._from_environment(option)
        from_file = self._from_file(option)
        if from_environment is None:
            return None if from_file is None else (from_file, False)
        return combined(option, from_file, from_environment), True

    def _from_environment(self, option: Option) -> Any:
        variable = variable_of(option.name)
        text = self._environment.get(variable)
        if text is None:
            return None
        if not text.strip():
            if not option.refuses_empty:
                return None
            raise InputError(Problem(variable, "it is empty", "perhaps a variable is not set; or unset it"))
        if option.is_flag:
            return _flag(variable, text)
        if option.is_list:
            return [line.strip() for line in text.splitlines() if line.strip()]
        return _checked(option, variable, text)

    def _from_file(self, option: Option) -> Any:
        value = self.file.values.get(option.name)
        if value is None:
            return None
        place = self.file.place(option.name)
        if option.is_flag:
            if isinstance(value, bool):
                return value
            raise InputError(Problem(place, f"{option.name} is neither true nor false", "write true or false"))
        if option.is_list:
            return [str(self._path(option, text)) for text in _texts(option, place, value)]
        if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value):
            raise InputError(Problem(place, f"{option.name} is no text, or empty", f'write {option.name} = "..."'))
        return _checked(option, place, str(self._path(option, str(value))))

    def _path(self, option: Option, text: str) -> str | Path:
        return path_of_name(self.file, text) if option.is_path else text


def variable_of(name: str) -> str:
    """Return the variable of the environment that sets an option."""
    return PREFIX + name.upper().replace("-", "_")


def combined(option: Option, lower: Any, higher: Any) -> Any:
    """Combine the values of two layers by the rule of the option; without a rule the higher layer holds."""
    if lower is None or higher is None:
        return lower if higher is None else higher
    combine = option.rule.combine
    return higher if combine is None else combine(lower, higher)


def _flag(variable: str, text: str) -> bool:
    word = text.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise InputError(Problem(variable, f"{text[:40]!r} is neither true nor false", "write 1 or 0"))


def _texts(option: Option, place: str, value: Any) -> Sequence[str]:
    listed = value if isinstance(value, list) else [value]
    if listed and all(isinstance(text, str) and text.strip() for text in listed):
        return listed
    raise InputError(Problem(place, f"{option.name} is no list of texts, or empty", f'write {option.name} = ["..."]'))


def _checked(option: Option, place: str, text: str) -> str:
    """Return the text without blanks around it. Raises InputError, with the place instead of the option, if it is bad."""
    try:
        if option.rule.check is not None:
            option.rule.check(text.strip())
    except InputError as error:
        raise InputError(*(Problem(place, problem.what, problem.remedy) for problem in error.problems)) from error
    return text.strip()
