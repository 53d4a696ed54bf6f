"""Which requests that change something are under way: what a stopped run waits for."""

from collections.abc import Iterator
from contextlib import contextmanager

from bulkrm.client.host import Footprint
from bulkrm.engine.stop import Stop


class Flights:
    """The changes of a run that may be taking effect right now."""

    def __init__(self, stop: Stop) -> None:
        """Begin with none."""
        self._stop = stop
        self._open: list[Footprint] = []

    def busy(self) -> bool:
        """Tell whether a change may be taking effect; what only waits for its turn need not be waited for."""
        return any(footprint.possible for footprint in self._open)

    @contextmanager
    def of(self, footprint: Footprint) -> Iterator[Footprint]:
        """Watch one change; when the last one is over, a stopped run need not wait any longer."""
        self._open.append(footprint)
        try:
            yield footprint
        finally:
            self._open.remove(footprint)
            if not self.busy():
                self._stop.calm()
