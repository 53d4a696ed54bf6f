"""Events of a journal that are on the disk before anything rests on them, with one sync for all that wait for one."""

from typing import Any

import anyio
from anyio.to_thread import run_sync

from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder


class DurableJournal:
    """Appends to the journal of a run. Create it inside the event loop.

    After one failure nothing counts as durable any more: what was to be written may be lost.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Write into this folder."""
        self._folder = folder
        self._trouble: StateError | None = None
        self._appended = 0
        self._durable = 0
        self._syncing = anyio.Lock()

    def _append(self, event: dict[str, Any]) -> int:
        """Append an event; return how much has to be durable for that."""
        self._folder.journal.append(event)
        self._appended += 1
        return self._appended

    async def _durable_up_to(self, number: int) -> None:
        """Wait until the disk has so much; whoever comes while a sync is under way shares the next one. Raises StateError.

        Looks each time whether the record is still found under its name: what was durable a moment ago may have been
        removed with its folder since.
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
