"""A plan together with all settings that it was made with, as it is saved."""

from bulkrm.model.plan import Plan
from bulkrm.model.settings import Policy
from bulkrm.model.target import Unmatched
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import UNCONDITIONAL, RunConditions

FORMAT = "bulkrm-plan"
VERSION = 1
MAX_SIZE = 2**30  # bytes of the file: a million images need less


@valueclass
class PlanDocument:
    """What `bulkrm plan --out` writes and `bulkrm apply` reads.

    `policy` lacks the settings of a single command, such as a dry run. `protect` and `ignore` (`--ignore-unreadable`) are
    patterns as the user wrote them; `conditions` are those of the list; `unmatched` are its patterns without any image;
    `lists` its files in their order, () where that is the order of their names.
    """

    plan: Plan
    policy: Policy
    protect: tuple[str, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    ignore: tuple[str, ...] = ()
    conditions: RunConditions = UNCONDITIONAL
    lists: tuple[str, ...] = ()
