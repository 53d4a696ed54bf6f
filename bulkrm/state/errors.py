"""What can go wrong with the disk in the middle of a run."""

from bulkrm.model.errors import BulkrmError


class StateError(BulkrmError):
    """The run cannot be recorded any further, so nothing further may be deleted. `what` is one line for people."""

    def __init__(self, what: str) -> None:
        """Say what happened."""
        super().__init__(what)
        self.what = what
