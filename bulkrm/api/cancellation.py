"""A run ends in order when the task that waits for it is cancelled: nothing new begins, and its report is completed.

The run is a task of its own. Cancelling the one that waits for it (`task.cancel()`, `asyncio.timeout`, a cancel scope of
anyio) stops the run as a signal does: requests that change something get `GRACE` seconds to end. Only then is the
cancellation passed on. A second `task.cancel()` ends what is under way at once.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T], stop: Stop) -> T:
    """Wait for a run, and stop it when this is cancelled. Raises what the run raises, or CancelledError after its end."""
    run = asyncio.ensure_future(work)
    try:
        await asyncio.wait({run})
    except asyncio.CancelledError:
        stop.interrupt(Signal.INTERRUPT)
        # anyio cancels again and again what waits in a cancelled scope; a shield keeps that from being a second stop.
        with anyio.CancelScope(shield=True):
            await _outlast(run, stop)
        if not run.cancelled():
            run.exception()  # it was told in the report, and nobody else will ask for it
        raise
    return run.result()


async def _outlast(run: "asyncio.Future[T]", stop: Stop) -> None:
    while not run.done():
        try:
            await asyncio.wait({run})
        except asyncio.CancelledError:
            stop.interrupt(Signal.INTERRUPT)
