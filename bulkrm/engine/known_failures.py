"""Failures that hold for a host or a repository are remembered, so that they are not met again with each image."""

from bulkrm.engine.circuit_breaker import CircuitBreaker
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, Reach


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
