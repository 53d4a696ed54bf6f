"""Plan files: written by `bulkrm plan --out`, read by `bulkrm apply`."""

from collections.abc import Sequence
from pathlib import Path

from bulkrm.api.plans import DeletionPlan, MadePlan
from bulkrm.cli.commands.plan_file import PlanFile
from bulkrm.cli.terminal.closing_notes import CONDITION_READS
from bulkrm.codec.plan_document import MAX_SIZE
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.result.report import Report
from bulkrm.reports import plan_view
from bulkrm.reports.format import ReportFormat, View, formats, no_line

_REMEDY = "give the file that `bulkrm plan --out FILE` wrote"


class PlanOutput:
    """Writes the plan that a client made to a file, and as text to standard output."""

    def __init__(self, out: Path | None, read: Sequence[Path]) -> None:
        """`out`: the file, if any. Raises InputError where it cannot be written, or is one of `read`."""
        self._plan: DeletionPlan | None = None
        self.applicable: Path | None = None  # the plan that was written, where it deletes anything
        self._out = PlanFile(out, read) if out is not None else None

    @property
    def written(self) -> tuple[Path, ...]:
        """The file that the plan is written to, if any."""
        return () if self._out is None else (self._out.path,)

    @property
    def format(self) -> ReportFormat:
        """The format that shows the plan on standard output instead of a report."""
        return ReportFormat("text", "the plan, for people", no_line, self._whole)

    def keep(self, plan: MadePlan) -> Report:
        """Keep a plan to be written at the end; return the report of the run that made it."""
        self._plan = plan
        return plan.report

    def write(self) -> str | None:
        """Write the file, if the plan is complete; return what went wrong."""
        if self._out is None:
            return None
        if self._plan is None:
            return f"{self._out.path} was not written: the plan is not complete"
        trouble = self._out.store(self._plan.to_json())
        plan = self._plan.document.plan
        if trouble is None and self._out.is_file and any((*plan.changed_items, *plan.dangling)):
            self.applicable = self._out.path
        return trouble

    def _whole(self, report: Report, view: View) -> str:
        if self._plan is None:
            return formats()["text"].whole(report, view)
        more = [*report.explained, *(line for line in report.closing if line.startswith(CONDITION_READS))]
        return plan_view.view(self._plan.document, view.width) + "".join(f"{line}\n" for line in more)


def read_plan(files: Sequence[str], *, hide: bool) -> DeletionPlan:
    """Read the plan file. Raises InputError.

    `files`: the arguments, of which there must be one. `hide`: an argument may be a password (docker's `-p secret`), so
    messages do not quote it.
    """
    if len(files) != 1:
        named = "" if hide else f": {', '.join(files)}"
        raise InputError(Problem("", f"one plan file is applied at a time{named}", "give one FILE; -p takes no value"))
    name = files[0]
    if not name:
        raise InputError(Problem("FILE", "the name is empty", "perhaps a variable is not set"))
    if name == "-":
        raise InputError(Problem("", "- is no plan file", "apply reads a file: what `bulkrm plan --out FILE` wrote"))
    try:
        with Path(name).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        shown = "the plan file" if hide else name
        raise InputError(Problem(shown, f"cannot be read: {error.strerror}", _REMEDY)) from error
    if len(content) > MAX_SIZE:
        raise InputError(Problem("the plan file", f"it has more than {MAX_SIZE} bytes", _REMEDY))
    return DeletionPlan.from_json(content, name)
