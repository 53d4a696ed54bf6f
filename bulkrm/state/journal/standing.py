"""How a run stands: whether it can be gone on with, and whether it was taken back.

It follows from the whole journal, whose end alone says little: an undo, or a few images of a resume, may stand behind
what matters. So that a list of many runs need not read all of their journals, the last event of a part says how the
run stands then; where it is the last one of the journal, that is how it stands now.
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
    """`end`: how the last part of the run ended; None where it was killed, or goes on."""

    end: PartEnded | None
    undone: Undone = Undone.NO

    @property
    def is_finished(self) -> bool:
        """Tell whether there is nothing to go on with: it came to its end, and left nothing undone that was wanted."""
        end = self.end
        if end is None:
            return False
        return end.declined or not (end.code in INTERRUPTED or end.summary.get("not_attempted") or end.unfinished)

    @property
    def is_over(self) -> bool:
        """Tell whether nobody may go on with it: it is finished, or all that it did was taken back."""
        return self.is_finished or self.undone is Undone.WHOLLY


def standing_of(folder: Path) -> Standing:
    """Tell how the run of a folder stands. Raises StateError where its journal is damaged."""
    path = folder / "journal.jsonl"
    known = None if has_marker(folder) else _from_last(last_event(path))
    if known is not None:
        return known
    if not os.path.lexists(path):
        return Standing(None)  # killed before it had made one
    account = Account(read_events(path))
    return Standing(account.end, undone_of(account, put_back(folder, account)))


def undone_of(account: Account, back: PutBack) -> Undone:
    """Tell how much was put back."""
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
