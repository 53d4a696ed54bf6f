"""Remembers failures that hold for a host or a repository, so that they are not asked for again with each image."""

from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, Reach


class KnownFailures:
    """Failures that reach further than one image. A place is a repository, or a host."""

    def __init__(self) -> None:
        """Begin without any failure."""
        self._found: dict[Repository | str, Failure] = {}

    def note(self, failure: Failure, place: Repository | str) -> None:
        """Remember a failure as far as it reaches."""
        if failure.reach is Reach.HOST:
            self._found.setdefault(_host(place), failure)
        elif failure.reach is Reach.REPOSITORY and isinstance(place, Repository):  # not the catalog's own trouble
            self._found.setdefault(place, failure)

    def find(self, place: Repository | str) -> Failure | None:
        """Return the failure that any request about this place would meet; None: none is known."""
        return (self._found.get(_host(place)) or self._found.get(place)) if self._found else None

    def forget(self, host: str) -> None:
        """Forget what was found out about a host and its repositories."""
        self._found = {place: failure for place, failure in self._found.items() if _host(place) != host}


def _host(place: Repository | str) -> str:
    return place if isinstance(place, str) else place.host
