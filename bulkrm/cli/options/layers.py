"""What options are when the command line does not say it: the environment, then the configuration file.

Every option `--some-name` has the variable BULKRM_SOME_NAME and the key `some-name`, but the ones that loosen a rule,
choose images or send passwords elsewhere: those have to be seen where the command is. What keeps images from being
deleted adds up, and of limits the smallest holds, so that no layer can loosen what another one says.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bulkrm.cli.options.configuration import (
    RESERVED,
    Configuration,
    below,
    default_path,
    is_reserved,
    read_configuration,
)
from bulkrm.cli.options.rule import Option
from bulkrm.model.errors import InputError, Problem

PREFIX = "BULKRM_"
_CONFIG = "config"
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
# What runs the tests of bulkrm, and is nothing to it.
_OTHERS = ("BULKRM_TEST_",)


class Layers:
    """The environment and the configuration file, for the options of one command. `known`: all options by name."""

    def __init__(self, environment: Mapping[str, str], known: Mapping[str, Option], config: str | None) -> None:
        """Read the file; `config` is what `--config` says. Raises InputError."""
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
            said = variables.get(name, "")
            option = self._known.get(said)
            if said == "image":
                yield f"{name} has no effect: images are named on the command line, or in a list"
            elif is_reserved(said, option):
                yield f"{name} has no effect: --{said} is taken from the command line only"
            elif option is None or not (option.is_setting or said == _CONFIG):
                yield f"{name} has no effect: there is no such setting{self._meant(name)}"

    def _meant(self, name: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 (for mistakes only)

        variables = [variable_of(option.name) for option in self._known.values() if option.is_setting]
        close = get_close_matches(name, [*variables, variable_of(_CONFIG)], 1)
        return f"; perhaps {close[0]} is meant" if close else ""

    def of(self, option: Option) -> tuple[Any, bool] | None:
        """Return what the layers say of an option, and whether the environment does; None where neither says anything.

        Raises InputError where it cannot be understood.
        """
        if not option.is_setting:
            return None
        told = self._from_environment(option)
        kept = self._from_file(option)
        if told is None:
            return None if kept is None else (kept, False)
        return (told if kept is None else combined(option, kept, told)), True

    def _from_environment(self, option: Option) -> Any:
        variable = variable_of(option.name)
        text = self._environment.get(variable)
        if text is None:
            return None
        if not text.strip():
            if not option.must_say_something:
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
        return below(self.file, text) if option.is_path else text


def variable_of(name: str) -> str:
    """Return the variable of the environment that sets an option."""
    return PREFIX + name.upper().replace("-", "_")


def combined(option: Option, lower: Any, higher: Any) -> Any:
    """Return what two layers make together: what the option's rule says, else what the higher one says."""
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
    """Return the text if the option can be that. Raises InputError that names the place, not the option."""
    try:
        if option.rule.check is not None:
            option.rule.check(text.strip())
    except InputError as error:
        raise InputError(*(Problem(place, problem.what, problem.remedy) for problem in error.problems)) from error
    return text.strip()
