"""Errors that carry the report of a run."""

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.report import Report


class PlanIncomplete(BulkrmError):  # noqa: N818 (it reads as what happened)
    """The run was stopped before its plan was complete, so there is none. `report` says of every image what is known."""

    def __init__(self, report: Report) -> None:
        """Carry the report."""
        super().__init__("the run was stopped before its plan was complete")
        self.report = report


class InternalError(BulkrmError):
    """A bug in bulkrm, or in a listener, stopped the run. `report` is complete; `__cause__` is what was raised.

    What was not tried is `not-attempted`, `internal-error` in the report.
    """

    def __init__(self, report: Report) -> None:
        """Carry the report."""
        super().__init__("a bug stopped the run; its report is complete")
        self.report = report
