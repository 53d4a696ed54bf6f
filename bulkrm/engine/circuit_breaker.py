"""A host that fails again and again stops being asked: its images are not attempted, and the run can be resumed."""

from dataclasses import dataclass

from bulkrm.model.result.failure import TROUBLE, Failure

# Each of these comes after several sends with pauses in between: so many in a row are no bad luck.
_MOST = 8


@dataclass(frozen=True, slots=True)
class CircuitOpen(Failure):
    """It was not asked. Whoever writes outcomes down makes it `not-attempted`."""


class CircuitBreaker:
    """The state of one host."""

    def __init__(self) -> None:
        """Begin closed: everything is asked."""
        self._answered = False
        self._in_a_row = 0
        self._open: CircuitOpen | None = None

    @property
    def open(self) -> CircuitOpen | None:
        """What anybody gets who wants to ask; None as long as the host is asked."""
        return self._open

    def counts(self, failure: Failure) -> bool:
        """Tell whether a failure is the host's trouble, which may be over soon, and nothing that was found out for good.

        A host that never answered is another matter: its name or port is wrong, and every image fails with that.
        """
        return self._answered and failure.code in TROUBLE

    def failed(self, failure: Failure) -> None:
        """Count a failure; an answer about one image is none of the host's."""
        if failure.code not in TROUBLE:
            self.answered()
            return
        self._in_a_row += 1
        if self._in_a_row >= _MOST and self._open is None:
            what = f"not asked: {self._in_a_row} requests in a row failed, the last one with: {failure.message}"
            self._open = CircuitOpen(failure.code, what, failure.status, "run `bulkrm resume` when it works again")

    def answered(self) -> None:
        """Count an answer."""
        self._answered = True
        self._in_a_row = 0
