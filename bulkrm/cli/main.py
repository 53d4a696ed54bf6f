"""The entry point: finds the command word, which may be left out."""

import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bulkrm import __version__
from bulkrm.cli.collector import rare_collections
from bulkrm.cli.command_names import COMMANDS, mistaken
from bulkrm.cli.terminal.console import complain, express_everything, say, show
from bulkrm.model.errors import InputError

if TYPE_CHECKING:
    from bulkrm.cli.terminal.streams import Streams

# Set by the scripts of `bulkrm completion`: the name of the shell that asks.
COMPLETE = "_BULKRM_COMPLETE"
_BAD_USAGE, _INTERRUPTED = 2, 130
_FILES = 4096
_VERSION, _VERBOSE = frozenset({"--version", "-V"}), frozenset({"--verbose", "-v"})


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `delete` before arguments that do not begin with a command: an image never equals one."""
    return list(arguments) if arguments and arguments[0] in COMMANDS else ["delete", *arguments]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code of the contract."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]) and sys.stdout is not None:
        show(f"bulkrm {__version__}")
        return
    shell = os.environ.get(COMPLETE)
    if shell is not None:
        from bulkrm.cli.commands.completion import print_completions  # noqa: PLC0415 (for shells only)

        print_completions(given, shell)
        return
    from bulkrm.cli.terminal.streams import Stream, Streams  # noqa: PLC0415 (`--version` answers at once)

    streams = Streams.of_process()  # before a closed one is replaced, and before anything is displayed
    _replace_closed_streams()
    if streams.stdout is Stream.CLOSED:
        complain("standard output is closed, and that is where the report goes; write >/dev/null to have none")
        say("Nothing was attempted.")
        sys.exit(_BAD_USAGE)
    _allow_connections()
    try:
        sys.exit(_run(given, streams))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _run(given: Sequence[str], streams: "Streams") -> int:
    """Run a command; return its exit code. The streams were looked at before anything was displayed."""
    from typer import TyperException  # noqa: PLC0415 (`--version` answers at once)

    from bulkrm.cli.input_errors import show_input_error  # noqa: PLC0415 (as above)
    from bulkrm.cli.options.usage import explain  # noqa: PLC0415 (as above)

    with rare_collections():
        try:
            if wants_plugins(given):
                from bulkrm.cli.plugins import show_plugins  # noqa: PLC0415 (`--version -v` alone)

                return show_plugins()
            _refuse_mistaken(given)
            from bulkrm.cli.commands.app import app  # noqa: PLC0415 (as above)

            code = app(args=with_command(given), prog_name="bulkrm", standalone_mode=False, obj=streams)
        except InputError as error:
            return show_input_error(error)
        except TyperException as error:
            return explain(error)
    return code if isinstance(code, int) else 0


def _refuse_mistaken(given: Sequence[str]) -> None:
    """Raise InputError where the word of the command is none."""
    word = mistaken(given)
    if word is not None:
        from bulkrm.cli.inputs import no_command  # noqa: PLC0415 (for mistakes only)

        raise InputError(no_command(word, "argument 1"))


def wants_plugins(arguments: Sequence[str]) -> bool:
    """Tell whether this is `--version -v`, in whatever order: the parser would answer the first of them."""
    flags = set(arguments[1:] if arguments[:1] == [COMMANDS[0]] else arguments)
    both = {"-vV", "-Vv"}
    if not flags <= {*_VERSION, *_VERBOSE, *both}:
        return False
    return bool(flags & both) or bool(flags & _VERSION and flags & _VERBOSE)


def _allow_connections() -> None:
    """Raise the limit of open files, which is 256 on some systems, as Go programs do: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then there are fewer connections
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _replace_closed_streams() -> None:
    """Give a process that was started with closed streams (`>&-`) some that lead nowhere, and one text for all bytes."""
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 (as long as the process lives)
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    express_everything()
