"""How a run is stopped: nothing new starts, what is under way gets a little time, and the report is completed."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from bulkrm.model.result.outcome import NotAttemptedReason, Signal
from bulkrm.model.valueclass import valueclass

GRACE = 10.0  # seconds for DELETEs in flight; reading is not worth waiting for


def _always() -> bool:
    return True


class Stop:
    """Whether, why and how urgently to stop. The first cause counts."""

    def __init__(self) -> None:
        """`interrupt`, `fail_fast` and `crash` give a cause."""
        self.reason: NotAttemptedReason | None = None
        self.signal: Signal | None = None
        self.bug: BaseException | None = None
        self._scope: anyio.CancelScope | None = None
        self._grace = 0.0
        self._busy: Callable[[], bool] = _always

    def __bool__(self) -> bool:
        """Tell whether to stop."""
        return self.reason is not None

    @contextmanager
    def phase(self, grace: float = 0.0, busy: Callable[[], bool] = _always) -> Iterator[None]:
        """Run a phase that a stop ends: what is still under way in it is cancelled after `grace` seconds.

        It is cancelled at once where `busy` says that nothing is under way that is worth waiting for. Code that runs in a
        phase asks the stop itself before it begins something new.
        """
        outer = self._scope, self._grace, self._busy
        self._grace, self._busy = grace, busy
        try:
            with anyio.CancelScope() as self._scope:
                yield
        finally:  # also where the phase raises: a later stop ends no phase that is over
            self._scope, self._grace, self._busy = outer

    def fail_fast(self) -> None:
        """Stop because an image failed and the user wants no more then."""
        self._request(NotAttemptedReason.FAIL_FAST)

    def crash(self, bug: BaseException) -> None:
        """Stop because of a bug, which is raised again when the report is complete."""
        self.bug = self.bug or bug
        self._request(NotAttemptedReason.INTERNAL_ERROR)

    def interrupt(self, signal: Signal) -> None:
        """Stop because of a signal; the second one ends what is under way at once."""
        if self.signal is not None and self._scope is not None:
            self._scope.cancel()
        self.signal = self.signal or signal
        self._request(NotAttemptedReason.INTERRUPTED)

    def end_grace(self) -> None:
        """Note that no change is in flight any more: a stopped phase ends now."""
        if self and self._scope is not None:
            self._scope.cancel()

    def _request(self, reason: NotAttemptedReason) -> None:
        if self.reason is None:
            self.reason = reason
        if self._scope is not None:
            grace = self._grace if self._busy() else 0.0
            self._scope.deadline = min(self._scope.deadline, asyncio.get_running_loop().time() + grace)


@valueclass
class UntilStopped:
    """The permission to send a change (`remote.sending.Permission`) until the run is stopped."""

    stop: Stop

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        return not self.stop
