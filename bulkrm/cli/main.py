"""The entry point: runs the command that the first word names, or `delete`, whose word may be left out."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulkrm import __version__
from bulkrm.cli.command_names import COMMANDS, mistyped_command
from bulkrm.cli.process import ProcessContext, allow_connections, rare_collections, replace_closed_streams
from bulkrm.cli.terminal.console import complain, say, show
from bulkrm.model.errors import InputError

if TYPE_CHECKING:
    from bulkrm.remote.clock import Clock

# Set by the scripts of `bulkrm completion`: the name of the shell that asks.
COMPLETE = "_BULKRM_COMPLETE"
_FAILED, _BAD_USAGE, _INTERRUPTED = 1, 2, 130
_VERSION, _VERBOSE = frozenset({"--version", "-V"}), frozenset({"--verbose", "-v"})


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `delete` before arguments that do not begin with a command: an image never equals one."""
    return list(arguments) if arguments and arguments[0] in COMMANDS else ["delete", *arguments]


def main(arguments: Sequence[str] | None = None, clock: "Clock | None" = None) -> None:
    """Run the command line and exit with the code of the contract. `clock` is the system's, unless one is given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if _is_answered_at_once(given):
        return
    from typer import TyperException  # noqa: PLC0415 (`--version` answers at once)

    from bulkrm.cli.options.usage import show_input_error, show_usage_error  # noqa: PLC0415 (as above)
    from bulkrm.cli.terminal.streams import Stream  # noqa: PLC0415 (as above)

    process = ProcessContext(clock=clock)  # before a closed stream is replaced, and before anything is displayed
    replace_closed_streams()
    if process.streams.stdout is Stream.CLOSED:
        complain("standard output is closed, and that is where the report goes; write >/dev/null to have none")
        say("Nothing was attempted.")
        sys.exit(_BAD_USAGE)
    allow_connections()
    try:
        with rare_collections():
            if wants_plugins(given):
                sys.exit(_show_plugins())
            _refuse_mistyped_command(given)
            from bulkrm.cli.commands.app import app  # noqa: PLC0415 (as above)

            code = app(args=with_command(given), prog_name="bulkrm", standalone_mode=False, obj=process)
    except InputError as error:
        code = show_input_error(error)
    except TyperException as error:
        code = show_usage_error(error)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


def _is_answered_at_once(given: Sequence[str]) -> bool:
    """Print the version, or completions for a shell, if that is all; both are fast, since no command is imported."""
    if given in (["--version"], ["-V"]) and sys.stdout is not None:
        if not show(f"bulkrm {__version__}"):
            sys.exit(_FAILED)
        return True
    shell = os.environ.get(COMPLETE)
    if shell is not None:
        from bulkrm.cli.commands.completion import print_completions  # noqa: PLC0415 (for shells only)

        print_completions(given, shell)
    return shell is not None


def _refuse_mistyped_command(given: Sequence[str]) -> None:
    """Raise InputError where the first word resembles a command and is none."""
    word = mistyped_command(given)
    if word is not None:
        from bulkrm.cli.inputs import no_command  # noqa: PLC0415 (for mistakes only)

        raise InputError(no_command(word, "argument 1"))


def wants_plugins(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments are `--version -v`, in either order: the parser would obey the first one only."""
    flags = set(arguments[1:] if arguments[:1] == [COMMANDS[0]] else arguments)
    both = {"-vV", "-Vv"}
    if not flags <= {*_VERSION, *_VERBOSE, *both}:
        return False
    return bool(flags & both) or bool(flags & _VERSION and flags & _VERBOSE)


def _show_plugins() -> int:
    """Show the version, and each plugin of another distribution. Raises InputError where one cannot be used."""
    from bulkrm.api.run_setup import loaded_plugins  # noqa: PLC0415 (`--version -v` alone)

    show(f"bulkrm {__version__}")
    lines = [f"plugin {plugin}" for plugin in loaded_plugins()] or ["no plugins are installed"]
    return 0 if all(show(line) for line in lines) else _FAILED
