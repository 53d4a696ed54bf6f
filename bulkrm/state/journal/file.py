"""The journal of a run: JSON objects, a line each, only ever appended to."""

import os
from collections.abc import Iterator, Mapping
from json import JSONEncoder
from pathlib import Path
from threading import Lock
from typing import Any

from bulkrm.codec.strict import strict_json
from bulkrm.state.errors import StateError, changed
from bulkrm.state.files import AppendedFile, open_plain, read_lines

_TAIL = 64 * 2**10
# A line names at most all tags of a repository in full; a listing ends at a million names.
LONGEST = 256 * 2**20
_encode = JSONEncoder(separators=(",", ":")).encode


class Journal:
    """An open journal. What is appended is durable after the next `sync`, which one thread at a time may call."""

    def __init__(self, path: Path) -> None:
        """Open it for appending, or make it. A last line that a crash tore is cut off. Raises StateError."""
        self._pending: list[bytes] = []
        self._lock = Lock()  # what is appended while another thread syncs must not be lost
        self._file = AppendedFile(path)
        self._file.cut(_whole(self._file.file))

    def append(self, event: Mapping[str, Any]) -> None:
        """Add one event, in memory for now."""
        line = _encode(event).encode() + b"\n"
        with self._lock:
            self._pending.append(line)

    def sync(self) -> None:
        """Write what was appended and wait until the disk has it. Raises StateError."""
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
        """Raise StateError where the file is no longer the one that is found under its name."""
        self._file.check()

    def close(self) -> None:
        """Write what is left, and close. Raises StateError."""
        try:
            if self._pending:
                self.sync()
        finally:
            self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal, but for a last line that a crash tore. Raises StateError on any other damage."""
    return (event for _, event in numbered(path))


def numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the events with the numbers of their lines, as `read_journal`."""
    for number, line, whole in read_lines(path, LONGEST):
        if not whole:
            return  # a crash left it
        try:
            event = strict_json(line)
        except ValueError as error:
            raise changed(f"{path}:{number}", f"it is no JSON ({error})") from error
        if not isinstance(event, dict):
            raise changed(f"{path}:{number}", "it is no JSON object")
        yield number, event


def last_event(path: Path) -> Mapping[str, Any] | None:
    """Return the last whole event of a journal without reading all of it; None where there is none, or a longer one."""
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
    """Return the size of the journal up to its last whole line."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - 65536)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0
