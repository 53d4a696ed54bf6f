"""Ends a run in order when the task that waits for it is cancelled: nothing new is begun, and the report is completed.

The run is a task of its own. Cancelling the one that waits for it (`task.cancel()`, `asyncio.timeout`, a cancel scope of
anyio) stops the run as a signal does: requests that change something get `GRACE` seconds to end. Only then is the
cancellation passed on. A second `task.cancel()` ends these requests at once.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal

T = TypeVar("T")


async def run_to_end(work: Coroutine[Any, Any, T], stop: Stop) -> T:
    """Wait for a run, and stop it when the wait is cancelled. Raises the run's errors, or CancelledError after its end."""
    run = asyncio.ensure_future(work)
    try:
        await asyncio.wait({run})
    except asyncio.CancelledError:
        stop.interrupt(Signal.INTERRUPT)
        # anyio cancels a task that waits in a cancelled scope again and again; without a shield that would be a second stop.
        with anyio.CancelScope(shield=True):
            await _wait_through_cancellation(run, stop)
        if not run.cancelled():
            run.exception()  # retrieved, so that asyncio logs nothing: the report tells of the bug
        raise
    return run.result()


async def _wait_through_cancellation(run: "asyncio.Future[T]", stop: Stop) -> None:
    while not run.done():
        try:
            await asyncio.wait({run})
        except asyncio.CancelledError:
            stop.interrupt(Signal.INTERRUPT)
