"""Completions for a shell, of the last word of a command line.

The scripts of `bulkrm completion` pass the words up to the cursor; the last one is being typed. The output is a line with
the kind of completion (`words`, or `files` and `folders`, which the shell finds itself), then a line for each word: the
word, a tab, and its meaning. No request is sent, and errors lead to no completions.
"""

import os
import re
from collections.abc import Sequence
from typing import Any

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.options.rule import DEFAULT, extras_of
from bulkrm.cli.terminal.console import show_lines
from bulkrm.model.text.printable import printable
from bulkrm.model.valueclass import valueclass

SHELLS = ("bash", "zsh", "fish")
_CHOICES = re.compile(r"[a-z-]+(?:\|[a-z-]+)+", re.ASCII)


@valueclass
class Completions:
    """The completions of one word: `words`, each with its meaning, or files or folders, which the shell finds."""

    words: tuple[tuple[str, str], ...] = ()
    kind: str = "words"


_FILES, _FOLDERS, _NOTHING = Completions(kind="files"), Completions(kind="folders"), Completions()


def print_completions(words: Sequence[str], shell: str) -> None:
    """Print the completions of the last word."""
    joined = join_values(words) if shell == "bash" else list(words)
    offer = completions_of(joined)
    typed = joined[-1] if joined else ""
    prefix = typed[: typed.rfind("=") + 1] if offer.kind == "words" and "=" in typed else ""
    # bash splits words at `=` and completes the part behind it.
    before = "" if shell == "bash" or not typed.startswith("-") else prefix
    pairs = [(printable(before + word), printable(meaning)) for word, meaning in offer.words]
    show_lines((offer.kind, *(f"{word}\t{meaning}" if meaning else word for word, meaning in pairs)))


def join_values(words: Sequence[str]) -> list[str]:
    """Join words that bash split at `=`."""
    joined: list[str] = []
    for word in words:
        if joined and (word == "=" or joined[-1].endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def completions_of(words: Sequence[str]) -> Completions:
    """Return the completions of the last word."""
    from typer.main import get_command  # noqa: PLC0415 (help and completion answer without what runs need)

    from bulkrm.cli.commands.app import app  # noqa: PLC0415 (as above)

    root: Any = get_command(app)
    before, typed = list(words[:-1]), words[-1] if words else ""
    name = before[0] if before and before[0] in COMMANDS else "delete"
    rest = before[1:] if before[:1] == [name] else before
    command = root.commands[name]
    if name == "runs" and rest and rest[0] in command.commands:
        name, command = f"runs {rest[0]}", command.commands[rest[0]]
    offer = _value(command, rest, typed)
    if offer is None:
        offer = (
            _starting_with(_options(command), typed) if typed.startswith("-") else _argument(name, command, rest, typed)
        )
    if not before and not typed.startswith("-"):
        offer = _starting_with([(word, _summary(root.commands[word])) for word in COMMANDS], typed)
    return offer


def _value(command: Any, before: Sequence[str], typed: str) -> Completions | None:
    """Return the completions of an option's value; None where no value is being typed."""
    takers = {opt: parameter for parameter in command.params if not _is_flag(parameter) for opt in parameter.opts}
    option, equals, value = typed.partition("=")
    if equals and option in takers:
        return _values_of(command, takers[option], value)
    return _values_of(command, takers[before[-1]], typed) if before and before[-1] in takers else None


def _is_flag(parameter: Any) -> bool:
    return bool(getattr(parameter, "is_flag", False)) or not any(opt.startswith("-") for opt in parameter.opts)


def _values_of(command: Any, parameter: Any, typed: str) -> Completions:
    metavar = parameter.metavar or ""
    known = extras_of(command).rules.get(parameter.name, DEFAULT).words
    if metavar == "FORMAT=FILE" and "=" in typed:
        offer = _FILES
    elif known is not None:
        offer = _starting_with(known(), typed)
    elif _CHOICES.fullmatch(metavar):
        offer = _starting_with([(word, "") for word in metavar.split("|")], typed)
    else:
        offer = {"FILE": _FILES, "DIR": _FOLDERS}.get(metavar, _NOTHING)
    return offer


def _options(command: Any) -> list[tuple[str, str]]:
    own = [
        (opt, (getattr(parameter, "help", None) or "").partition(";")[0].partition(":")[0])
        for parameter in command.params
        for opt in parameter.opts
        if opt.startswith("-") and not getattr(parameter, "hidden", False)
    ]
    return [*own, ("-h", "Show the help"), ("--help", "Show the help")]


def _argument(name: str, command: Any, before: Sequence[str], typed: str) -> Completions:
    if name in {"apply", "check"}:
        return _FILES
    if name == "runs":
        return _starting_with([(word, _summary(other)) for word, other in command.commands.items()], typed)
    if name in {"resume", "runs show"} or (name == "undo" and not before):
        return _starting_with(_runs(), typed)
    if name == "completion":
        return _starting_with([(shell, "") for shell in SHELLS], typed)
    return _starting_with(_topics(), typed) if name == "help" and not before else _NOTHING


def _starting_with(words: Sequence[tuple[str, str]], typed: str) -> Completions:
    return Completions(tuple((word, meaning) for word, meaning in words if word.startswith(typed)))


def _summary(command: Any) -> str:
    return str(command.get_short_help_str(60)).rstrip(".")


def _topics() -> list[tuple[str, str]]:
    from bulkrm.cli.manual.topics import topics  # noqa: PLC0415 (as above)

    return [*((word, "") for word in COMMANDS), *topics().items()]


def _runs() -> list[tuple[str, str]]:
    from bulkrm.cli.runs.summary import names  # noqa: PLC0415 (as above)
    from bulkrm.cli.state_dir import state_dir  # noqa: PLC0415 (as above)

    try:
        return names(state_dir(None, os.environ))
    except OSError:
        return []
