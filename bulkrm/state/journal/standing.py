"""How a run stands: whether it can be resumed, and how much of it was undone.

That depends on the whole journal. But a list of many runs should not have to read all their journals, so the event that
ends a part also has the standing at that time. If it is the last event of the journal, that is the present standing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkrm.codec.journal_events import PartEnded, UndoEnded, Undone, parse_event
from bulkrm.state.journal.account import Account
from bulkrm.state.journal.events import read_events
from bulkrm.state.journal.file import last_event
from bulkrm.state.journal.losses import PutBack, put_back, still_lost
from bulkrm.state.journal.marker import has_marker

INTERRUPTED = (129, 130, 143)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands. `end`: how its last part ended; None where that was killed, or is going on."""

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


def standing_of(folder: Path) -> Standing:
    """Return how the run of a folder stands. Raises StateError where its journal is damaged."""
    path = folder / "journal.jsonl"
    known = None if has_marker(folder) else _from_last(last_event(path))
    if known is not None:
        return known
    if not os.path.lexists(path):
        return Standing(None)  # the run was killed before it created a journal
    account = Account(read_events(path))
    return Standing(account.end, undone_of(account, put_back(folder, account)))


def undone_of(account: Account, back: PutBack) -> Undone:
    """Return how much of a run was undone."""
    if not back:
        return Undone.WHOLLY if account.all_back else Undone.NO
    return Undone.PARTLY if still_lost(account) else Undone.WHOLLY


def _from_last(found: Mapping[str, Any] | None) -> Standing | None:
    """Return how a run stands by the last event of its journal; None where that event does not tell."""
    if found is None or "standing" not in found:
        return None
    try:
        event = parse_event(found)
    except ValueError:
        return None
    match event:
        case PartEnded(standing=Undone() as undone):
            return Standing(event, undone)
        case UndoEnded(standing=Undone() as undone, ended=ended):
            return Standing(ended, undone)
        case _:
            return None
