"""The status of a run: whether it can be resumed, and how much of it was undone.

It follows from the whole journal. So that a list of many runs need not read all their journals, the event that ends a part
also has how much was undone by then (`standing`). If it is the last event of the journal, the status follows from it alone.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bulkrm.codec.journal_events import PartEnded, UndoEnded, Undone, parse_event
from bulkrm.model.valueclass import valueclass
from bulkrm.state.journal.file import last_event, read_events
from bulkrm.state.journal.losses import Restorations, restorations, still_lost
from bulkrm.state.journal.removals import Removals
from bulkrm.state.journal.unrecorded_undo import has_unrecorded_undo

INTERRUPTED = (129, 130, 143)  # exit codes of a run that a signal stopped


@valueclass
class RunStatus:
    """The status of a run. `end`: how its last part ended; None where that was killed, or is still running."""

    end: PartEnded | None
    undone: Undone = Undone.NO

    @property
    def is_finished(self) -> bool:
        """Tell whether `resume` has nothing to do: the run ended, and no image is unfinished or not attempted."""
        end = self.end
        if end is None:
            return False
        return end.declined or not (end.code in INTERRUPTED or end.summary.get("not_attempted") or end.unfinished)

    @property
    def is_over(self) -> bool:
        """Tell whether the run cannot be resumed: it is finished, or everything that it deleted was restored."""
        return self.is_finished or self.undone is Undone.WHOLLY


def status_of(folder: Path) -> RunStatus:
    """Return the status of the run in a folder. Raises StateError if its journal is damaged."""
    path = folder / "journal.jsonl"
    known = None if has_unrecorded_undo(folder) else _from_last(last_event(path))
    if known is not None:
        return known
    if not os.path.lexists(path):
        return RunStatus(None)  # the run was killed before it created a journal
    removals = Removals(read_events(path))
    return RunStatus(removals.end, undone_of(removals, restorations(folder, removals)))


def undone_of(removals: Removals, restored: Restorations) -> Undone:
    """Return how much of a run was undone; what undos may have restored counts as restored in part."""
    if not restored:
        return Undone.WHOLLY if removals.all_restored else Undone.NO
    return Undone.PARTLY if still_lost(removals) else Undone.WHOLLY


def _from_last(found: Mapping[str, Any] | None) -> RunStatus | None:
    """Return the status of a run by the last event of its journal; None: that event does not tell it."""
    if found is None or "standing" not in found:
        return None
    try:
        event = parse_event(found)
    except ValueError:
        return None
    match event:
        case PartEnded(standing=Undone() as undone):
            return RunStatus(event, undone)
        case UndoEnded(standing=Undone() as undone, ended=ended):
            return RunStatus(ended, undone)
        case _:
            return None
