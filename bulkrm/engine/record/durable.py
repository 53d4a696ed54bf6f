"""Appends events to a journal, and waits until they are on disk; concurrent callers share one sync."""

from typing import Any

import anyio
from anyio.to_thread import run_sync

from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

AHEAD = 64  # further intents that are written together with one


class DurableJournal:
    """Appends to the journal of a run. Create it inside the event loop.

    After one failure no event counts as durable any more, because the data may be lost.
    """

    def __init__(self, folder: RunFolder) -> None:
        """`folder`: the open folder of the run."""
        self._folder = folder
        self._trouble: StateError | None = None
        self._appended = 0
        self._durable = 0
        self._syncing = anyio.Lock()

    def _append(self, event: dict[str, Any]) -> int:
        """Append an event; return its number, for `_durable_up_to`."""
        self._folder.journal.append(event)
        self._appended += 1
        return self._appended

    async def _durable_up_to(self, number: int) -> None:
        """Wait until the events up to a number are on disk. Raises StateError.

        All callers that wait during a sync share the next one. Each call also checks that the files still have their names,
        because somebody may have removed the folder since the last sync.
        """
        if self._durable < number:
            async with self._syncing:
                if self._durable < number and self._trouble is None:
                    await self._sync()
        if self._trouble is None:
            try:
                self._folder.check()
            except StateError as error:
                self._trouble = error
        if self._trouble is not None:
            raise self._trouble

    async def _sync(self) -> None:
        covered = self._appended
        try:
            await run_sync(self._folder.sync)
        except StateError as error:
            self._trouble = error
        else:
            self._durable = covered
