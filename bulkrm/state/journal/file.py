"""The journal file of a run: JSON objects, one a line, only ever appended to; `codec.journal_events` has their fields."""

import os
from collections.abc import Iterator, Mapping
from json import JSONEncoder
from pathlib import Path
from threading import Lock
from typing import Any

from bulkrm.codec.journal_events import Event, parse_event
from bulkrm.codec.strict import strict_json
from bulkrm.state.errors import StateError, changed
from bulkrm.state.files import AppendedFile, open_plain, read_lines

_TAIL = 64 * 2**10
# The longest line has the full names of all tags of a repository; a listing has at most a million names.
LONGEST = 256 * 2**20
_encode = JSONEncoder(separators=(",", ":")).encode


class Journal:
    """An open journal. Appended events are durable after the next `sync`, which one thread at a time may call."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`, and cut off an incomplete line at its end. Raises StateError."""
        self._pending: list[bytes] = []
        self._lock = Lock()  # events may be appended while another thread syncs
        self._file = AppendedFile(path)
        self._file.cut(_whole(self._file.file))

    def append(self, event: Mapping[str, Any]) -> None:
        """Add one event; it stays in memory until the next `sync`."""
        line = _encode(event).encode() + b"\n"
        with self._lock:
            self._pending.append(line)

    def sync(self) -> None:
        """Write the appended events, and wait until they are on disk. Raises StateError."""
        with self._lock:
            taken, self._pending = self._pending, []
        try:
            self._file.append(b"".join(taken))
        except StateError:
            with self._lock:
                self._pending[:0] = taken
            raise
        self._file.sync()

    def check(self) -> None:
        """Raise StateError if the file was deleted, moved, replaced or truncated."""
        self._file.check()

    def close(self) -> None:
        """Write the appended events, and close the file. Raises StateError."""
        try:
            if self._pending:
                self.sync()
        finally:
            self._file.close()


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a journal. Raises StateError with file and line where a line is not an event."""
    for number, found in _numbered(path):
        try:
            event = parse_event(found)
        except ValueError as error:
            raise changed(f"{path}:{number}", str(error)) from error
        yield event


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal as JSON objects, without an incomplete last line. Raises StateError for other damage."""
    return (event for _, event in _numbered(path))


def _numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of `read_journal`, each with the number of its line, from 1."""
    for number, line, whole in read_lines(path, LONGEST):
        if not whole:
            return  # a crash interrupted the write
        try:
            event = strict_json(line)
        except ValueError as error:
            raise changed(f"{path}:{number}", f"it is not JSON ({error})") from error
        if not isinstance(event, dict):
            raise changed(f"{path}:{number}", "it is not a JSON object")
        yield number, event


def last_event(path: Path) -> Mapping[str, Any] | None:
    """Return the last complete line of a journal without reading all of it; None: there is none, or it is too long."""
    try:
        file = open_plain(path, os.O_RDONLY)
    except (OSError, StateError):
        return None
    try:
        end = _whole(file)
        start = max(0, end - _TAIL)
        head, _, line = os.pread(file, end - start, start).removesuffix(b"\n").rpartition(b"\n")
        event = strict_json(line) if line and (head or not start) else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(file)
    return event if isinstance(event, dict) else None


def _whole(file: int) -> int:
    """Return the size of the journal up to the end of its last complete line."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - 65536)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0
