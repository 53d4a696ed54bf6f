"""The known failures of a host, by which a request that would fail alike is not sent.

A failure that holds for the host or for a repository is known from then on. After many failures in a row the circuit of the
host is open: its other images are left for `bulkrm resume`.
"""

from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import TROUBLE, CircuitOpen, Failure, Reach

# Each of these comes after several sends with pauses in between: so many in a row are no bad luck.
_MOST = 8


class CircuitBreaker:
    """Counts the failures of one host that come in a row."""

    def __init__(self) -> None:
        """`failed`, called `_MOST` times in a row, opens the circuit; until then requests are sent.

        `open`: the failure of every further request to the host; None while the circuit is closed.
        """
        self.open: CircuitOpen | None = None
        self._answered = False
        self._in_a_row = 0

    def counts(self, failure: Failure) -> bool:
        """Tell whether a failure is trouble of the host, which may be over soon, and not one to remember.

        The failures of a host that never answered are remembered: its name or port is wrong, and every image fails alike.
        """
        return self._answered and failure.code in TROUBLE

    def failed(self, failure: Failure) -> None:
        """Count a failure. One that is no trouble of the host counts as an answer."""
        if failure.code not in TROUBLE:
            self.answered()
            return
        self._in_a_row += 1
        if self._in_a_row >= _MOST and self.open is None:
            what = f"not asked: {self._in_a_row} requests in a row failed, the last one with: {failure.message}"
            self.open = CircuitOpen(failure.code, what, failure.status, "run `bulkrm resume` when it works again")

    def answered(self) -> None:
        """Count an answer."""
        self._answered = True
        self._in_a_row = 0


class KnownFailures:
    """The failures of one kind of requests to one host that reach further than one image."""

    def __init__(self) -> None:
        """`note` adds failures; none is removed."""
        self._of_host: Failure | None = None
        self._of_repositories: dict[Repository | None, Failure] = {}

    def note(self, failure: Failure, repository: Repository | None) -> None:
        """Remember a failure as far as it reaches. `repository`: the one that it was met in; None: the catalog."""
        if failure.reach is Reach.HOST:
            self._of_host = self._of_host or failure
        elif failure.reach is Reach.REPOSITORY and repository is not None:  # not the catalog's own trouble
            self._of_repositories.setdefault(repository, failure)

    def find(self, repository: Repository | None) -> Failure | None:
        """Return the failure that a request about a repository, or about the catalog, would meet; None: none is known."""
        return self._of_host or (self._of_repositories.get(repository) if self._of_repositories else None)


class HostMemory:
    """What is remembered of one host: its circuit breaker, and the failures of its requests.

    `requests`: the failures that any request would meet; the others are those of single kinds of requests. Who may not push
    may still delete, where no tag can be deleted manifests may go, and where no manifest can be deleted tags may.
    """

    __slots__ = ("breaker", "deleting", "pushing", "requests", "untagging")

    def __init__(self) -> None:
        """Remember nothing, as after `forget`."""
        self.forget()

    def forget(self) -> None:
        """Forget all that was found out about the host and its repositories."""
        self.breaker = CircuitBreaker()
        self.requests = KnownFailures()
        self.pushing = KnownFailures()
        self.untagging = KnownFailures()
        self.deleting = KnownFailures()

    def known_failure(self, repository: Repository | None) -> Failure | None:
        """Return the failure that any request about a repository, or about the catalog, would meet; None: none is known."""
        return self.requests.find(repository) or self.breaker.open
