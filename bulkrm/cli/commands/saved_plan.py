"""Plans on disk: written by `bulkrm plan --out`, read by `bulkrm apply`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bulkrm.cli.commands.plan_file import PlanFile
from bulkrm.cli.terminal.closing_notes import READ
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_writer import pieces, write
from bulkrm.engine.job import Job
from bulkrm.engine.run import Run
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.plan import Plan
from bulkrm.model.result.report import Report
from bulkrm.model.settings import Policy
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.reports.format import ReportFormat, View, formats, no_line
from bulkrm.reports.plan_view import view as plan_view
from bulkrm.selection.run_conditions import UNCONDITIONAL, RunConditions
from bulkrm.state.known import MOST


class PlanOutput:
    """Where a plan goes: to a file, and as text to standard output."""

    def __init__(self, job: Job, out: Path | None, read: Sequence[Path]) -> None:
        """Take the job that is planned. Raises InputError where the file cannot be written, or is one of `read`."""
        self._job = job
        self._document: PlanDocument | None = None
        self._out = PlanFile(out, read) if out is not None else None

    @property
    def written(self) -> tuple[Path, ...]:
        """The file that the plan goes to, if any."""
        return () if self._out is None else (self._out.path,)

    @property
    def format(self) -> ReportFormat:
        """The plan as text, in the place of the report."""
        return ReportFormat("text", "the plan, for people", no_line, self._whole)

    def finished(self, run: Run) -> str | None:
        """Write the plan of a run, if it is complete; return what went wrong."""
        if run.plan is None:
            return None if self._out is None else f"{self._out.path} was not written: the plan is not complete"
        self._document = document_of(self._job, run.plan, run.lines)
        return None if self._out is None else self._out.store(write(self._document))

    def _whole(self, report: Report, seen: View) -> str:
        if self._document is None:
            return formats()["text"].whole(report, seen)
        more = [*report.explained, *(line for line in report.closing if line.startswith(READ))]
        return plan_view(self._document, seen.width) + "".join(f"{line}\n" for line in more)


def document_of(job: Job, plan: Plan, lines: Sequence[Line] = ()) -> PlanDocument:
    """Put a plan together with what it was made with."""
    policy = replace(job.policy, dry_run=False, measure=False)
    protect = tuple(dict.fromkeys(str(pattern) for pattern in job.protect))
    unmatched = tuple(line for line in lines if isinstance(line, Unmatched))
    ignore = tuple(dict.fromkeys(str(pattern) for pattern in job.ignore))
    return PlanDocument(plan, policy, protect, unmatched, ignore, job.conditions)


def plan_text(job: Job, plan: Plan, lines: Sequence[Line] = ()) -> Iterator[str]:
    """Yield the text of a plan's file, in pieces."""
    return pieces(document_of(job, plan, lines))


def in_order(plan: Plan, unmatched: Sequence[Unmatched]) -> tuple[Line, ...]:
    """Return the lines of a plan's report in the order of the list."""
    targets = [target for item in plan.items for target in item.targets] + [entry.target for entry in plan.settled]
    targets += [entry.target for entry in plan.dangling]
    lines: list[Line] = [*targets, *unmatched]
    return tuple(sorted(lines, key=_place))


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What a plan file says. `lines`: its images and patterns, in the order of the list."""

    plan: Plan
    policy: Policy
    protect: tuple[str, ...]
    ignore: tuple[str, ...]
    lines: tuple[Line, ...]
    conditions: RunConditions = UNCONDITIONAL


def read_plan(files: Sequence[str], *, hide: bool) -> ReadPlan:
    """Read the one plan file that was named; `hide`: an argument may be a password, behind docker's habit `-p secret`.

    Raises InputError.
    """
    from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (only `apply` needs what it loads)

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
            content = file.read(MOST + 1)
    except OSError as error:
        shown = "the plan file" if hide else name
        raise InputError(Problem(shown, f"cannot be read: {error.strerror}", "give what plan --out wrote")) from error
    if len(content) > MOST:
        raise InputError(Problem("the plan file", f"it has more than {MOST} bytes", "give what plan --out wrote"))
    document = read(content, name)
    plan = document.plan
    lines = in_order(plan, document.unmatched)
    return ReadPlan(plan, document.policy, document.protect, document.ignore, lines, document.conditions)


def _place(line: Line) -> tuple[bool, str, int, str]:
    """Order lines as the list had them; what belongs to something comes last."""
    text = str(line.reference) if isinstance(line, Target) else line.text
    return (True, "", 0, text) if line.source is None else (False, line.source.name, line.source.line, text)
