"""The end of a command: its report goes out, and whoever reads standard error hears of what is wrong with that."""

from collections.abc import Sequence

from bulkrm.cli.terminal.console import complain
from bulkrm.cli.terminal.writers import Writer
from bulkrm.model.result.report import Report

_FAILED, _KEPT = 1, 3


def deliver(writers: Sequence[Writer], report: Report, code: int) -> int:
    """Write the end of all reports; return the exit code."""
    for writer in writers:
        writer.whole(report)
        if writer.trouble is not None:
            complain(f"the report is not complete: {writer.trouble}")
            code = failed(code)
    return code


def raise_bug(bug: BaseException | None) -> None:
    """Raise what a bug raised, if one stopped the run: called when the reports are out."""
    if bug is not None:
        complain("a bug in bulkrm stopped the run; please report what follows")
        raise bug


def failed(code: int) -> int:
    """Return the exit code of a run in which something went wrong that no image tells of."""
    return _FAILED if code in (0, _KEPT) else code
