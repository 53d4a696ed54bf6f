"""An undo kept in the folder of its run: durable before anything is pushed, so that `resume` knows what is back.

Where the journal cannot be written (a full disk), a marker takes its place: putting back is the way out of trouble and
must not fail for want of a line, as long as whoever goes on with the run learns that any image may be back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from anyio.to_thread import run_sync

from bulkrm.codec.journal_events import (
    Intent,
    IntentKind,
    PartBegan,
    UndoEnded,
    Undone,
    event_fields,
    outcome_fields,
)
from bulkrm.engine.record.durable import DurableJournal
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.account import Account
from bulkrm.state.journal.events import read_events
from bulkrm.state.journal.losses import put_back
from bulkrm.state.journal.marker import clear_marker, set_marker
from bulkrm.state.journal.standing import undone_of

_AHEAD = 64  # intents that are written with one
# A manifest of a repository, and the tags under which it is to be pushed: none where it had none.
Restoration = tuple[Repository, Digest, tuple[str, ...]]


class UndoRecording(DurableJournal):
    """Keeps one undo. Create it inside the event loop."""

    def __init__(self, folder: RunFolder) -> None:
        """Write into the folder of the run that is taken back."""
        super().__init__(folder)
        self._upcoming: Iterator[Restoration] = iter(())
        self._written: dict[Restoration, int] = {}
        self._has_marker = False

    async def begin(self, upcoming: Iterable[Restoration]) -> None:
        """Note that an undo begins; `upcoming`: what is going to be intended. Raises StateError: nothing may be pushed."""
        self._upcoming = iter(list(upcoming))
        await self._make_durable(self._append(event_fields(PartBegan(undo=True))))

    async def intend(self, restoration: Restoration) -> None:
        """Note what is to be pushed now, and what comes next with it. Raises StateError."""
        if restoration not in self._written:
            for further in (restoration, *islice(self._upcoming, _AHEAD)):
                if further not in self._written:
                    self._written[further] = self._append(event_fields(Intent(IntentKind.RESTORE, *further)))
        await self._make_durable(self._written[restoration])

    def outcome(self, result: ImageResult) -> None:
        """Note what became of a tag or a manifest; durable with the next sync, and looked up where that never comes."""
        self._append(outcome_fields(result, undo=True))

    def end(self, *, of_everything: bool) -> None:
        """Note that the undo is over, and how the run stands by it. `of_everything`: not of some images only.

        Raises StateError.
        """
        if self._trouble is not None:
            raise self._trouble
        self._folder.sync()
        account = Account(read_events(self._folder.path / "journal.jsonl"))
        if of_everything:
            clear_marker(self._folder.path)
        undone = undone_of(account, put_back(self._folder.path, account))
        ended = account.end and replace(account.end, standing=None)
        self._folder.journal.append(event_fields(UndoEnded(undone is Undone.WHOLLY, undone, ended)))
        self._folder.sync()

    async def _make_durable(self, number: int) -> None:
        try:
            await self._durable_up_to(number)
        except StateError:
            if not self._has_marker:
                await run_sync(set_marker, self._folder.path)
                self._has_marker = True
