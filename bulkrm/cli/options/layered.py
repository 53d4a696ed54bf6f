"""Commands whose options can be set by the environment and the file, too, and whose help shows the options in groups."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from typer.core import TyperCommand, TyperGroup

from bulkrm.cli.options.help import usage_of, write_help
from bulkrm.cli.options.layers import Layers, combined
from bulkrm.cli.options.rule import DEFAULT, NO_SETTING, Option, extras_of
from bulkrm.cli.terminal.console import say, show_lines

_CONFIG = "config"
_HELP = "help"


def options_of(command: Any) -> Iterator[Option]:
    """Yield the options of a command that have a long name."""
    rules = extras_of(command).rules
    for parameter in command.params:
        name = next((opt[2:] for opt in parameter.opts if opt.startswith("--")), None)
        if name is not None:
            rule = NO_SETTING if name == _HELP else rules.get(parameter.name, DEFAULT)
            is_path = parameter.metavar in {"FILE", "DIR"}
            yield Option(name, parameter.name, bool(parameter.is_flag), bool(parameter.multiple), is_path, rule)


def options_below(command: Any) -> Iterator[Option]:
    """Yield the options of a command, and of all commands below it."""
    yield from options_of(command)
    for other in getattr(command, "commands", {}).values():
        yield from options_below(other)


def _known(root: Any) -> dict[str, Option]:
    """Return the options of all commands by name. Options of one name have the same rule in each command."""
    found: dict[str, Option] = {}
    for option in options_below(root):
        found.setdefault(option.name, option)
    return found


def _check(options: Iterable[Option], given: Mapping[str, Any]) -> None:
    """Raise InputError for a text on the command line that is no value of its option."""
    for option in options:
        if option.rule.check is not None and option.parameter in given:
            option.rule.check(given[option.parameter])


class _Layered:
    """Reads the layers below the command line, which are the parser's defaults, and combines them with its result."""

    params: list[Any]

    def parse_args(self, context: Any, arguments: list[str]) -> Any:
        """Parse the arguments. Raises InputError where the environment or the configuration file has a bad value."""
        given = self._given(context, arguments)
        options = {option.name: option for option in options_of(self)}
        if context.resilient_parsing or given.get(_HELP) or not any(option.is_setting for option in options.values()):
            return super().parse_args(context, arguments)  # type: ignore[misc]
        _check(options.values(), given)
        layers = Layers(os.environ, _known(context.find_root().command), given.get(_CONFIG))
        found = {name: layer for name, option in options.items() if (layer := layers.of(option)) is not None}
        context.default_map = {options[name].parameter: value for name, (value, _) in found.items()}
        rest = super().parse_args(context, arguments)  # type: ignore[misc]
        for name, (value, _) in found.items():
            parameter = options[name].parameter
            if parameter in given:
                context.params[parameter] = combined(options[name], value, context.params[parameter])
        if _CONFIG in context.params:
            typed = frozenset(name for name, option in options.items() if option.parameter in given)
            by_environment = {name for name, (_, is_set) in found.items() if is_set}
            context.params[_CONFIG] = replace(layers.file, overridden=typed | by_environment, typed=typed)
        if not context.params.get("quiet"):
            for remark in layers.remarks():
                say(f"warning: {remark}")
        return rest

    def _given(self, context: Any, arguments: list[str]) -> dict[str, Any]:
        """Return the raw values of the command line, by the names of parameters. Raises the errors of the parser."""
        parser = self.make_parser(context)  # type: ignore[attr-defined]
        return dict(parser.parse_args(args=list(arguments))[0])

    def get_help_option(self, context: Any) -> Any:
        """Return the option -h, which reports a failure to write the help."""
        option = super().get_help_option(context)  # type: ignore[misc]
        if option is not None:
            option.callback = _show_help
        return option

    def collect_usage_pieces(self, context: Any) -> list[str]:
        """Return the words of the usage line."""
        return list(usage_of(self, context))

    def format_help(self, context: Any, formatter: Any) -> None:
        """Write the help."""
        write_help(self, context, formatter)


def _show_help(context: Any, _: Any, wanted: bool) -> None:  # noqa: FBT001 (typer's callback)
    if wanted and not context.resilient_parsing:
        context.exit(0 if show_lines(context.get_help().split("\n")) else 1)


class LayeredCommand(_Layered, TyperCommand):
    """A command."""


class LayeredGroup(_Layered, TyperGroup):
    """A command with commands below it."""
