"""The end of a command: its report goes out, and whoever reads standard error hears of what is wrong with that."""

import sys
from collections.abc import Sequence
from contextlib import suppress

from bulkrm.cli.writers import Writer
from bulkrm.engine.stop import Stop
from bulkrm.model.report import Report

_FAILED, _KEPT = 1, 3


def deliver(writers: Sequence[Writer], report: Report, stop: Stop, code: int) -> int:
    """Write the end of all reports; return the exit code. Raises what a bug raised, after the reports are out."""
    for writer in writers:
        writer.whole(report)
        if writer.trouble is not None:
            complain(f"the report is not complete: {writer.trouble}")
            code = failed(code)
    if stop.bug is not None:
        complain("a bug in bulkrm stopped the run; please report what follows")
        raise stop.bug
    return code


def failed(code: int) -> int:
    """Return the exit code of a run in which something went wrong that no image tells of."""
    return _FAILED if code in (0, _KEPT) else code


def complain(text: str) -> None:
    """Tell the user of trouble that no report holds."""
    say(f"bulkrm: {text}")


def say(text: str) -> None:
    """Write a line beside standard output."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr)  # noqa: T201 (this is the terminal)
