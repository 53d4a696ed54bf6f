"""What can go wrong with the record of a run."""

from bulkrm.model.errors import BulkrmError


class StateError(BulkrmError):
    """A record cannot be written any further, so nothing further may be deleted, or it cannot be read.

    `what` is one line for people; `remedy` says what to do about it, where that is known.
    """

    def __init__(self, what: str, remedy: str | None = None) -> None:
        """Say what happened."""
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def changed(where: object, why: str) -> StateError:
    """Say that a record is not what bulkrm wrote. `where`: the file, with its line if there is one."""
    return StateError(
        f"{where}: this record was changed: {why}", "the record cannot be used as it is; name another run"
    )
