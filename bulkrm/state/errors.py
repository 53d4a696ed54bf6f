"""The error for records of runs that cannot be written or read."""

from bulkrm.model.errors import BulkrmError


class StateError(BulkrmError):
    """A record cannot be read, or cannot be written any further, so that nothing more may be deleted."""

    def __init__(self, what: str, remedy: str | None = None) -> None:
        """Keep `what`, one line for people, and `remedy`, what to do (None: there is no advice)."""
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def changed(where: object, why: str) -> StateError:
    """Return the error for a record that somebody changed. `where`: the file, with its line if there is one."""
    return StateError(
        f"{where}: this record was changed: {why}", "the record cannot be used as it is; name another run"
    )
