"""Errors that carry the report of a run."""

from bulkrm.model.errors import BulkrmError
from bulkrm.model.result.report import Report


class PlanIncomplete(BulkrmError):  # noqa: N818 (the name says what happened)
    """The run was stopped before its plan was complete, so there is no plan. `report` has an outcome for every image."""

    def __init__(self, report: Report) -> None:
        """`report`: the report of the run that ended so."""
        super().__init__("the run was stopped before its plan was complete")
        self.report = report


class InternalError(BulkrmError):
    """A bug in bulkrm, or in a listener, stopped the run. `report` is complete; `__cause__` is the exception of the bug.

    Images that were not tried are `not-attempted`, `internal-error` in the report.
    """

    def __init__(self, report: Report) -> None:
        """`report`: the report of the run that ended so."""
        super().__init__("a bug stopped the run; its report is complete")
        self.report = report
