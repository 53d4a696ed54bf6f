"""Reads the events of a journal file; `codec.journal_events` has their fields."""

from collections.abc import Iterator
from pathlib import Path

from bulkrm.codec.journal_events import Event, parse_event
from bulkrm.state.errors import changed
from bulkrm.state.journal.file import numbered


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a journal. Raises StateError with file and line where a line is not an event."""
    for number, found in numbered(path):
        try:
            event = parse_event(found)
        except ValueError as error:
            raise changed(f"{path}:{number}", str(error)) from error
        yield event
