"""Commands whose options have layers below the command line."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from typer.core import TyperCommand, TyperGroup

from bulkrm.cli.options.layers import Layers, Option, combined
from bulkrm.cli.terminal.console import say

_CONFIG = "config"


def option_of(parameter: Any) -> Option | None:
    """Return what layers need to know of a parameter; None of an argument and of an option without a long name."""
    name = next((opt[2:] for opt in parameter.opts if opt.startswith("--")), None)
    if name is None:
        return None
    is_path = parameter.metavar in {"FILE", "DIR"}
    return Option(name, parameter.name, bool(parameter.is_flag), bool(parameter.multiple), is_path)


def options_below(command: Any) -> Iterator[Option]:
    """Yield the options of a command, and of all commands below it."""
    for parameter in command.params:
        option = option_of(parameter)
        if option is not None:
            yield option
    for other in getattr(command, "commands", {}).values():
        yield from options_below(other)


class _Layered:
    """Reads the layers before the parser, which takes them as defaults, and adds them up afterwards."""

    params: list[Any]

    def parse_args(self, context: Any, arguments: list[str]) -> Any:
        """Parse the arguments. Raises InputError where the environment or the configuration cannot be understood."""
        given = self._given(context, arguments)
        if context.resilient_parsing or given.get("help"):
            return super().parse_args(context, arguments)  # type: ignore[misc]
        known = {option.name for option in options_below(context.find_root().command)}
        layers = Layers(os.environ, known, given.get(_CONFIG))
        options = {option.name: option for option in map(option_of, self.params) if option is not None}
        found = {name: layer for name, option in options.items() if (layer := layers.of(option)) is not None}
        context.default_map = {options[name].parameter: value for name, (value, _) in found.items()}
        rest = super().parse_args(context, arguments)  # type: ignore[misc]
        for name, (value, _) in found.items():
            parameter = options[name].parameter
            if parameter in given:
                context.params[parameter] = combined(options[name], value, context.params[parameter])
        if _CONFIG in context.params:
            typed = frozenset(name for name, option in options.items() if option.parameter in given)
            told = {name for name, (_, is_told) in found.items() if is_told}
            context.params[_CONFIG] = replace(layers.file, overridden=typed | told, typed=typed)
        if not context.params.get("quiet"):
            for remark in layers.remarks():
                say(f"warning: {remark}")
        return rest

    def _given(self, context: Any, arguments: list[str]) -> dict[str, Any]:
        """Return what the command line says, unread, by the names of parameters. Raises what the parser raises."""
        parser = self.make_parser(context)  # type: ignore[attr-defined]
        return dict(parser.parse_args(args=list(arguments))[0])


class LayeredCommand(_Layered, TyperCommand):
    """A command."""


class LayeredGroup(_Layered, TyperGroup):
    """A command with commands below it."""
