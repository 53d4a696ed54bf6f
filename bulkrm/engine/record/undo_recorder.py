"""Records an undo in the folder of its run before anything is pushed, so that `resume` knows what was restored.

If the journal cannot be written, for instance because the disk is full, an empty file replaces it (`mark_unrecorded_undo`).
An undo must not fail then: the user may need it to repair a mistake. By that file `resume` knows that any image may have
been restored.
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
from bulkrm.engine.record.folder_recorder import AHEAD, DurableJournal
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.file import read_events
from bulkrm.state.journal.losses import restorations
from bulkrm.state.journal.removals import Removals
from bulkrm.state.journal.run_status import undone_of
from bulkrm.state.journal.unrecorded_undo import mark_unrecorded_undo, unmark_unrecorded_undo

# A manifest of a repository, and the tags under which it is pushed again; without any it is pushed by its digest.
Restoration = tuple[Repository, Digest, tuple[str, ...]]


class UndoRecording(DurableJournal):
    """Records one undo. Create it inside the event loop."""

    def __init__(self, folder: RunFolder) -> None:
        """`folder`: the open folder of the run that is undone."""
        super().__init__(folder)
        self._upcoming: Iterator[Restoration] = iter(())
        self._written: dict[Restoration, int] = {}
        self._is_marked = False

    async def begin(self, upcoming: Iterable[Restoration]) -> None:
        """Record that an undo begins. `upcoming`: the manifests that it will push. After StateError nothing may be pushed."""
        self._upcoming = iter(list(upcoming))
        await self._make_durable(self._append(event_fields(PartBegan(undo=True))))

    async def intend(self, restoration: Restoration) -> None:
        """Record that a manifest is pushed now, together with the next ones. Raises StateError."""
        if restoration not in self._written:
            for further in (restoration, *islice(self._upcoming, AHEAD)):
                if further not in self._written:
                    self._written[further] = self._append(event_fields(Intent(IntentKind.RESTORE, *further)))
        await self._make_durable(self._written[restoration])

    def outcome(self, result: ImageResult) -> None:
        """Record the outcome of a tag or a manifest. If the undo is killed before the next sync, `resume` looks it up."""
        self._append(outcome_fields(result, undo=True))

    def end(self, *, of_everything: bool) -> None:
        """Record the end of the undo, and how much of the run is undone. Raises StateError.

        `of_everything`: the undo was for all images of the run.
        """
        if self._trouble is not None:
            raise self._trouble
        self._folder.sync()
        removals = Removals(read_events(self._folder.path / "journal.jsonl"))
        if of_everything:
            unmark_unrecorded_undo(self._folder.path)
        undone = undone_of(removals, restorations(self._folder.path, removals))
        ended = removals.end and replace(removals.end, standing=None)
        self._folder.journal.append(event_fields(UndoEnded(undone is Undone.WHOLLY, undone, ended)))
        self._folder.sync()

    async def _make_durable(self, number: int) -> None:
        try:
            await self._durable_up_to(number)
        except StateError:
            if not self._is_marked:
                await run_sync(mark_unrecorded_undo, self._folder.path)
                self._is_marked = True
