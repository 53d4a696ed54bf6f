"""Lays out the help of a command as plain text: its purpose, commands, examples, then its options in groups."""

import inspect
import re
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.options.rule import DEFAULT, Example, OptionRule, SetBy, extras_of

_PANELS = ("What", "Safety", "Sign-in", "Pace", "Output")
_OTHERS = "Options"
_HELP = "help"
# As wide as a short option and a metavar; what is longer has a line of its own.
_COLUMN = 22
_UNBROKEN = "\N{NO-BREAK SPACE}"


def write_help(command: Any, context: Any, formatter: Any) -> None:
    """Write the help of a command into a formatter of the parser's library."""
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    # The help of the command whose word may be left out lists all commands.
    listed = context.find_root().command if command.name == COMMANDS[0] else command
    _write_rows(formatter, "Commands", list(_commands(listed, formatter.width)))
    _write_examples(formatter, extras_of(command).examples)
    _write_parameters(command, context, formatter)
    command.format_epilog(context, formatter)


def usage_of(command: Any, context: Any) -> Iterator[str]:
    """Yield the words of a usage line behind the name of the command."""
    yield command.options_metavar
    for argument in _shown(command, context, "argument"):
        word = argument.metavar if argument.required or argument.metavar.startswith("[") else f"[{argument.metavar}]"
        yield f"{word}..." if argument.nargs != 1 and not word.endswith("...") else word
    if getattr(command, "commands", None):
        yield "[COMMAND]"


def _shown(command: Any, context: Any, kind: str) -> list[Any]:
    """Return the options, or the arguments, that the help shows."""
    return [each for each in command.get_params(context) if each.param_type_name == kind and not each.hidden]


def _commands(command: Any, width: int) -> Iterator[tuple[str, str]]:
    commands = getattr(command, "commands", {})
    longest = max(map(len, commands), default=0)
    for name in sorted(commands, key=lambda name: COMMANDS.index(name) if name in COMMANDS else 0):
        yield name, commands[name].get_short_help_str(width - longest - 6).rstrip(".")


def _write_examples(formatter: Any, examples: Sequence[Example]) -> None:
    if not examples:
        return
    with formatter.section("Examples"):
        for example in examples:
            formatter.write_text(f"{example.what}:")
            with formatter.indentation():
                for line in inspect.cleandoc(example.lines).splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _write_parameters(command: Any, context: Any, formatter: Any) -> None:
    """Write the arguments, then the options by their panels; those that no panel has are in the last one."""
    rules = extras_of(command).rules
    options = _shown(command, context, "option")
    rows = {option.name: _row(option, rules.get(option.name)) for option in options}
    column = max((len(name) for name, _ in rows.values() if len(name) <= _COLUMN), default=0)
    arguments = _shown(command, context, "argument")
    _write_rows(formatter, "Arguments", [(argument.metavar, argument.help or "") for argument in arguments])
    panels = {option.rich_help_panel for option in options}
    last = next((panel for panel in reversed(_PANELS) if panel in panels), _OTHERS)
    for panel in (*_PANELS, _OTHERS):
        own = [option.name for option in options if (option.rich_help_panel or last) == panel]
        if panel == last:
            own.sort(key=lambda name: name == _HELP or rules.get(name, DEFAULT).reach is SetBy.NONE)
        _write_rows(formatter, panel, [rows[name] for name in own], column)


def _row(option: Any, rule: OptionRule | None) -> tuple[str, str]:
    """Return both columns of an option: its names with its value, and its help with its default."""
    names = ", ".join(sorted(option.opts, key=len))
    name = names if option.is_flag else f"{names} {option.metavar}"
    return name, " ".join(_about(option, rule))


def _about(option: Any, rule: OptionRule | None) -> Iterator[str]:
    text = option.help or ""
    if rule is not None and rule.words is not None and not text.endswith("."):
        text = f"{text}: {_listed([word for word, _ in rule.words()])}."
    yield text
    if option.default is not None and not option.is_flag:
        yield f"[default: {option.default}]"


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _write_rows(formatter: Any, heading: str, rows: Sequence[tuple[str, str]], column: int | None = None) -> None:
    """Write two columns under a heading; without a width the first one is as wide as it has to be."""
    if not rows:
        return
    width = column or max(len(name) for name, _ in rows)
    with formatter.section(heading):
        indent = " " * formatter.current_indent
        below = f"{indent}{'':{width}}  "
        for name, text in rows:
            kept = re.sub(r"\[[^]]*\]", lambda found: found[0].replace(" ", _UNBROKEN), text)
            lines = wrap(kept, formatter.width - len(below), break_on_hyphens=False)
            if len(name) > width:
                formatter.write(f"{indent}{name}\n{below}")
            else:
                formatter.write(f"{indent}{name:{width}}  ")
            formatter.write(f"\n{below}".join(lines).replace(_UNBROKEN, " ") + "\n")
