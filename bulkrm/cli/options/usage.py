"""Bad usage and bad input: prints what is wrong, and to which command an option belongs that this one does not have."""

from collections.abc import Iterator
from typing import Any

from typer import TyperException

from bulkrm.cli.terminal.console import complain, say
from bulkrm.model.errors import InputError

_BAD_INPUT = 2
_RECORDED = {
    "apply": "the plan records it; give it to `bulkrm plan`",
    "resume": "the run goes on as it was begun, and its record holds that",
}
_LISTS = frozenset({"-f", "--from-file", "--registry"})
_INSTEAD = {
    "apply": "apply takes one plan file and no list: `bulkrm apply FILE`",
    "resume": "the record of the run holds its list: `bulkrm resume [RUN]`",
    "undo": "undo takes images and no list: `bulkrm undo [RUN] [IMAGE]...`",
}


def show_input_error(error: InputError) -> int:
    """Print every problem, and that nothing was attempted, on standard error; return the exit code."""
    for problem in error.problems:
        complain(str(problem))
    say("Nothing was attempted.")
    return _BAD_INPUT


def show_usage_error(error: TyperException) -> int:
    """Print an error of the parser, with the usage line, on standard error; return the exit code."""
    context = getattr(error, "ctx", None)
    if context is not None:
        for line in f"{context.get_usage()}\nTry '{context.command_path} -h' for help.\n".split("\n"):
            say(line)
    remedy = _remedy(getattr(error, "option_name", None), context)
    say(f"Error: {error.format_message()}" if remedy is None else f"Error: {remedy}")
    return error.exit_code


def _remedy(option: str | None, context: Any) -> str | None:
    """Return which commands have an option that this one lacks; None where this command, or no command, has it."""
    if option is None or context is None or context.parent is None or option in _options(context.command):
        return None
    name = context.command.name
    others = [other for other in _siblings(context) if option in _options(other)]
    if not others:
        return None
    if option in _LISTS and name in _INSTEAD:
        return f"no option {option} here: {_INSTEAD[name]}"
    if name in _RECORDED and any(other.name == "delete" for other in others):
        return f"`bulkrm {name}` has no option {option}: {_RECORDED[name]}"
    where = ", ".join(f"`bulkrm {other.name}`" for other in others)
    return f"`bulkrm {name}` has no option {option}: it is an option of {where}"


def _siblings(context: Any) -> Iterator[Any]:
    yield from getattr(context.parent.command, "commands", {}).values()


def _options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("-")}
