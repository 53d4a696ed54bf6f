"""The pauses between looks at what a registry still shows after it took a deletion: it may work in the background.

Whoever looks for an effect looks once, and then again after each pause, as long as there is something to wait for.
"""

from bulkrm.engine.stop import Stop
from bulkrm.model.result.effect import PATIENCE
from bulkrm.remote.clock import Clock


class Pauses:
    """The pauses of one wait. `taken`: how many so far."""

    __slots__ = ("_clock", "_stop", "taken")

    def __init__(self, clock: Clock, stop: Stop) -> None:
        """Pause by the clock; a run that is stopped waits no more."""
        self._clock = clock
        self._stop = stop
        self.taken = 0

    async def take(self) -> bool:
        """Pause before a further look; False, at once: the run is stopped, or `PATIENCE` is over."""
        if self._stop or self.taken == len(PATIENCE):
            return False
        await self._clock.sleep(PATIENCE[self.taken])
        self.taken += 1
        return True
