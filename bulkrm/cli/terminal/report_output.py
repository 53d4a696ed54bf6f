"""The end of a command: writes the reports, prints their errors on standard error, and decides the exit code."""

from collections.abc import Sequence

from bulkrm.cli.terminal.console import complain
from bulkrm.cli.terminal.writers import Writer
from bulkrm.model.result.report import Report

_FAILED, _KEPT = 1, 3


def complete_reports(writers: Sequence[Writer], report: Report, code: int) -> int:
    """Complete all reports; return the exit code, which tells of a report that could not be written."""
    for writer in writers:
        writer.whole(report)
        if writer.trouble is not None:
            complain(f"the report is not complete: {writer.trouble}")
            code = with_failure(code)
    return code


def raise_bug(bug: BaseException | None) -> None:
    """Raise the exception of a bug that stopped the run, if there is one. Called after the reports are written."""
    if bug is not None:
        complain("a bug in bulkrm stopped the run; please report what follows")
        raise bug


def with_failure(code: int) -> int:
    """Return the exit code of a run with a failure that is no image's: 1 instead of 0 and 3."""
    return _FAILED if code in (0, _KEPT) else code
