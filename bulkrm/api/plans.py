"""Plans as values: with what they were made with, as text and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_writer import write
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.run import would
from bulkrm.model.events import ignore
from bulkrm.model.plan import Plan
from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.result.outcome import NotAttemptedReason, WouldDelete
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.settings import Policy
from bulkrm.model.target import Line, Target, Unmatched
from bulkrm.selection.image_list import read_patterns


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What would be deleted, with its digests, its policy and its protections: `Client.apply` carries it out.

    `document`: all that is saved of it.
    """

    document: PlanDocument

    @property
    def plan(self) -> Plan:
        """The verdict on every manifest."""
        return self.document.plan

    @property
    def policy(self) -> Policy:
        """The policy that it was made with."""
        return self.document.policy

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries that are asked to carry it out."""
        return self.job().hosts

    @property
    def images(self) -> Sequence[ImageResult]:
        """What would become of each image and pattern, in the order of the list."""
        outcomes = Outcomes(ignore, _raise)
        outcomes.open(in_order(self.plan, self.document.unmatched))
        for settled in self.plan.settled:
            outcomes.record(settled.target, settled.outcome)
        for item in self.plan.items:
            for target in item.targets:
                outcomes.record(target, would(item), item.resolved)
        for dangling in self.plan.dangling:
            outcomes.record(dangling.target, WouldDelete(for_good=True))
        return outcomes.close(NotAttemptedReason.INTERNAL_ERROR)

    def to_json(self) -> str:
        """Return the text of a plan file: the same for the same plan, without time, run, credentials or TLS options."""
        return write(self.document)

    @staticmethod
    def from_json(text: str | bytes, name: str = "plan") -> "DeletionPlan":
        """Read the text of a plan file; `name` is what it is called in messages.

        Raises InputError for what is no plan, no consistent one, or one of another version of the format.
        """
        from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (making a plan needs nothing of what it loads)

        return DeletionPlan(read(text, name))

    def job(self, default_port: int = HTTPS_PORT) -> Job:
        """Return what is to be done to carry it out. `default_port`: of hosts in its protections without one."""
        document = self.document
        return Job(
            Saved(document.plan, in_order(document.plan, document.unmatched)),
            read_patterns("protect", document.protect, default_port),
            document.policy,
            read_patterns("ignore_unreadable", document.ignore, default_port),
            document.conditions,
            default_port,
        )


@dataclass(frozen=True, slots=True)
class MadePlan(DeletionPlan):
    """A plan that was made just now. `report`: what the dry run which made it says of each image, in requests and time."""

    report: Report


def in_order(plan: Plan, unmatched: Sequence[Unmatched]) -> tuple[Line, ...]:
    """Return the lines of a plan's report in the order of the list."""
    targets = [target for item in plan.items for target in item.targets] + [entry.target for entry in plan.settled]
    targets += [entry.target for entry in plan.dangling]
    lines: list[Line] = [*targets, *unmatched]
    return tuple(sorted(lines, key=_place))


def _place(line: Line) -> tuple[bool, str, int, str]:
    """Order lines as the list had them; what belongs to something comes last."""
    text = str(line.reference) if isinstance(line, Target) else line.text
    return (True, "", 0, text) if line.source is None else (False, line.source.name, line.source.line, text)


def _raise(bug: BaseException) -> None:
    raise bug
