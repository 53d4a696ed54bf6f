"""Plans as values, with the policy and rules by which they were made: as text, from text, and as a job."""

from collections.abc import Sequence

from bulkrm.codec.list_order import ListOrder
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_writer import write
from bulkrm.engine.job import Job, Saved
from bulkrm.engine.outcomes import Outcomes
from bulkrm.model.events import ignore
from bulkrm.model.plan import Plan
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.model.result.outcome import NotAttemptedReason, WouldDelete
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.settings import Policy
from bulkrm.model.target import Line
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.verdict_outcomes import outcome_of_verdict, would
from bulkrm.selection.image_list import read_patterns


@valueclass
class DeletionPlan:
    """A verdict on every manifest, with the policy and the protections of the plan: `Client.apply` carries it out.

    `document`: the content of a plan file.
    """

    document: PlanDocument

    @property
    def plan(self) -> Plan:
        """The verdict on every manifest."""
        return self.document.plan

    @property
    def policy(self) -> Policy:
        """The policy by which the plan was made."""
        return self.document.policy

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries that `Client.apply` sends requests to; `hosts_at` has their names with another default port."""
        return self.job().hosts

    def hosts_at(self, default_port: int) -> tuple[str, ...]:
        """Return the same registries as a connection with this default port names them. Raises InputError as `job` does."""
        return self.job(default_port).hosts

    @property
    def images(self) -> Sequence[ImageResult]:
        """The outcome that each image and each pattern would have, in the order of the list."""
        outcomes = Outcomes(ignore, _raise)
        outcomes.open(in_order(self.document, ListOrder(self.document.lists)))
        for settled in self.plan.settled:
            outcomes.record(settled.target, outcome_of_verdict(settled.outcome))
        for item in self.plan.items:
            for target in item.targets:
                outcomes.record(target, would(item), item.resolved)
        for dangling in self.plan.dangling:
            outcomes.record(dangling.target, WouldDelete(for_good=True))
        return outcomes.close(NotAttemptedReason.INTERNAL_ERROR)

    def to_json(self) -> str:
        """Return the text of a plan file. Equal plans have equal texts: it has no time, run, credentials or TLS options."""
        return write(self.document)

    @staticmethod
    def from_json(text: str | bytes, name: str = "plan") -> "DeletionPlan":
        """Read the text of a plan file; `name` is the name of the file in messages.

        Raises InputError where the text is no plan, contradicts itself, or has another version of the format.
        """
        from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (`plan` starts without what it loads)

        return DeletionPlan(read(text, name))

    def job(self, default_port: int = HTTPS_PORT) -> Job:
        """Return the job that carries the plan out. `default_port`: that of the connection, by which its hosts are named.

        Raises InputError where two hosts of the plan are one by this default port.
        """
        document = _named_by(self.document, default_port)
        return Job(
            Saved(document.plan, in_order(document, ListOrder(document.lists))),
            read_patterns("protect", document.protect, default_port),
            document.policy,
            read_patterns("ignore_unreadable", document.ignore, default_port),
            document.conditions,
            default_port,
        )


@valueclass
class MadePlan(DeletionPlan):
    """A plan that was made just now. `report`: the report of the dry run that made it, with its requests and its time."""

    report: Report


def _named_by(document: PlanDocument, default_port: int) -> PlanDocument:
    """Return a plan whose hosts are in normal form by a default port: `host:80` is `host` with `--plain-http`."""
    plan, texts = document.plan, [line.text for line in document.unmatched] + [*document.conditions.in_use]
    hosts = {item.repository.host for item in plan.items} | {entry.host for entry in document.conditions.entries}
    hosts |= {entry.target.reference.repository.host for entry in plan.without_manifest}
    hosts |= {text.partition("/")[0] for text in texts if "/" in text}
    if all(parse_host(host, default_port) == host for host in hosts):
        return document
    from bulkrm.codec.plan_reader import read  # noqa: PLC0415 (as above)

    return read(write(document), "the plan", default_port)


def in_order(document: PlanDocument, order: ListOrder) -> tuple[Line, ...]:
    """Return the lines of a plan's report in the order of the list."""
    plan = document.plan
    targets = [target for item in plan.items for target in item.targets] + [entry.target for entry in plan.settled]
    targets += [entry.target for entry in plan.dangling]
    lines: list[Line] = [*targets, *document.unmatched]
    return tuple(sorted(lines, key=order.key_of))


def _raise(bug: BaseException) -> None:
    raise bug
