"""The entry point: finds the command word, which may be left out."""

import sys
from collections.abc import Sequence

from bulkrm import __version__

COMMANDS = ("delete", "demo", "schema")


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `delete` before arguments that do not begin with a command: an image never equals one."""
    return list(arguments) if arguments and arguments[0] in COMMANDS else ["delete", *arguments]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code of the contract."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--version"]:
        print(f"bulkrm {__version__}")  # noqa: T201 (the answer)
        return
    from bulkrm.cli.app import app  # noqa: PLC0415 (`--version` answers at once)

    app(args=with_command(given), prog_name="bulkrm")
