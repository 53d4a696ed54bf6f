"""The entry point: finds the command word, which may be left out."""

import io
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bulkrm import __version__
from bulkrm.cli.garbage import seldom_collected
from bulkrm.cli.words import COMMANDS

_INTERRUPTED = 130
_FILES = 4096


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `delete` before arguments that do not begin with a command: an image never equals one."""
    return list(arguments) if arguments and arguments[0] in COMMANDS else ["delete", *arguments]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code of the contract."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--version"]:
        print(f"bulkrm {__version__}")  # noqa: T201 (the answer)
        return
    _replace_closed_streams()
    _allow_connections()
    try:
        from bulkrm.cli.app import app  # noqa: PLC0415 (`--version` answers at once)

        with seldom_collected():
            app(args=with_command(given), prog_name="bulkrm")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
