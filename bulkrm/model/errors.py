"""The errors of bulkrm, all below `BulkrmError`. The engine is the one place that turns them into outcomes."""

from bulkrm.model.result.failure import Failure
from bulkrm.model.valueclass import valueclass


class BulkrmError(Exception):
    """Base of all errors that bulkrm raises on purpose; any other exception is a bug."""


@valueclass
class Problem:
    """One mistake in the user's input.

    `where`: its place, such as `images.yaml:3:5` or `argument 2`; empty where only the caller knows it. `what`: what is
    wrong. `remedy`: what to write or do instead; empty where there is no advice.
    """

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """`where: what; remedy`, without the parts that are empty."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.remedy}" if self.remedy else head


class InputError(BulkrmError):
    """Bad usage or a bad list file. Nothing was attempted; exit code 2. Holds every mistake found, not just the first."""

    def __init__(self, *problems: Problem) -> None:
        """`problems`: every mistake that was found, in the order of the input."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ProtocolError(BulkrmError):
    """A registry or token server sent something that the specification does not allow."""


class RequestFailed(BulkrmError):  # noqa: N818 (it reads as what happened)
    """A request failed for good, retries included; so do the images that needed it."""

    def __init__(self, failure: Failure) -> None:
        """`failure`: what the report shows for every image that needed this request."""
        super().__init__(failure.message)
        self.failure = failure
