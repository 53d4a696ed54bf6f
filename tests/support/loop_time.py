"""The time of the event loop, which a test moves on: a time limit is over when the test says so, on any machine."""

import asyncio
from collections.abc import Callable


class LoopTime:
    """The clock of the running event loop, by which its timers go: the system's, and what a test added to it.

    With a limit of a minute, and a server that moves the time on by a minute where it does not answer, a request that
    is answered is never late, however slow the machine is, and nobody waits for the others. All timers of the loop are
    due then: it is for tests with one request at a time.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._system = loop.time
        self._passed = 0.0
        loop.time = self._now  # type: ignore[method-assign]

    def _now(self) -> float:
        return self._system() + self._passed

    def move_on(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._passed += seconds

    def passes(self, seconds: float) -> Callable[[object], bool]:
        """Return the `check` of a scripted step which lets so many seconds pass: what is due then happens at once."""

        def check(_: object) -> bool:
            self.move_on(seconds)
            return True

        return check
