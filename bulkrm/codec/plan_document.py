"""A plan with everything that it was made with, as it is saved."""

from dataclasses import dataclass

from bulkrm.model.plan import Plan
from bulkrm.model.settings import Policy
from bulkrm.model.target import Unmatched
from bulkrm.selection.run_conditions import UNCONDITIONAL, RunConditions

FORMAT = "bulkrm-plan"
VERSION = 1


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """What `bulkrm plan --out` writes and `bulkrm apply` reads.

    `policy` without what is about one command only: no dry run, no measuring. `protect` are the patterns as they were
    written; `conditions` what the list says beside its images; `unmatched` the patterns of the list that chose nothing; `ignore` those of damaged tags that hold nothing
    back.
    """

    plan: Plan
    policy: Policy
    protect: tuple[str, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    ignore: tuple[str, ...] = ()
    conditions: RunConditions = UNCONDITIONAL
