"""A circuit breaker for each host: after many failures in a row its other images are left for `bulkrm resume`."""

from bulkrm.model.result.failure import TROUBLE, CircuitOpen, Failure

# Each of these comes after several sends with pauses in between: so many in a row are no bad luck.
_MOST = 8


class CircuitBreaker:
    """The state of one host."""

    def __init__(self) -> None:
        """`failed`, called `_MOST` times in a row, opens the circuit; until then requests are sent."""
        self._answered = False
        self._in_a_row = 0
        self._open: CircuitOpen | None = None

    @property
    def open(self) -> CircuitOpen | None:
        """The failure of every further request to the host; None while the circuit is closed."""
        return self._open

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
        if self._in_a_row >= _MOST and self._open is None:
            what = f"not asked: {self._in_a_row} requests in a row failed, the last one with: {failure.message}"
            self._open = CircuitOpen(failure.code, what, failure.status, "run `bulkrm resume` when it works again")

    def answered(self) -> None:
        """Count an answer."""
        self._answered = True
        self._in_a_row = 0
