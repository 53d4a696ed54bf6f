"""The journal of a run: JSON objects, a line each, only ever appended to."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from bulkrm.model.errors import InputError
from bulkrm.state.errors import StateError

_TAIL = 64 * 2**10
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """An open journal. What is appended is durable after the next `sync`, which one thread at a time may call."""

    def __init__(self, path: Path) -> None:
        """Open it for appending, or make it. A last line that a crash tore is cut off. Raises StateError."""
        self._path = path
        self._pending: list[bytes] = []
        self._lock = Lock()  # what is appended while another thread syncs must not be lost
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            os.ftruncate(self._file, _whole(self._file))
        except OSError as error:
            raise _failed(path, error) from error

    def append(self, event: Mapping[str, Any]) -> None:
        """Add one event, in memory for now."""
        line = _encode(event).encode() + b"\n"
        with self._lock:
            self._pending.append(line)

    def sync(self) -> None:
        """Write what was appended and wait until the disk has it. Raises StateError."""
        with self._lock:
            taken, self._pending = self._pending, []
        good = os.fstat(self._file).st_size
        try:
            _write_all(self._file, b"".join(taken))
        except OSError as error:
            # What was written of it is taken back: whatever comes later must not stand behind half a line.
            with suppress(OSError):
                os.ftruncate(self._file, good)
            with self._lock:
                self._pending[:0] = taken
            raise _failed(self._path, error) from error
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise _failed(self._path, error) from error

    def close(self) -> None:
        """Write what is left, and close. Raises StateError."""
        try:
            if self._pending:
                self.sync()
        finally:
            os.close(self._file)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal, but for a last line that a crash tore. Raises StateError on any other damage."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _failed(path, error) from error
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            event = json.loads(line)
        except ValueError as error:
            if number == len(lines) - 1:
                return
            raise StateError(f"{path}:{number} is no JSON: somebody changed the journal") from error
        if not isinstance(event, dict):
            raise StateError(f"{path}:{number} is no JSON object: somebody changed the journal")
        yield event


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Read what events of a journal say: where they are no events of a run, it raises StateError."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, InputError) as error:
        raise StateError(f"{path}: an event is none of a run's: somebody changed the journal") from error


def last_events(path: Path, number: int) -> list[Mapping[str, Any]]:
    """Return so many of the last whole events of a journal, the last one first, without reading all of it."""
    try:
        with path.open("rb") as file:
            end = _whole(file.fileno())
            start = max(0, end - _TAIL)
            lines = os.pread(file.fileno(), end - start, start).splitlines()[-number:]
    except OSError:
        return []
    found: list[Mapping[str, Any]] = []
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            found.append(event)
    return found


def _whole(file: int) -> int:
    """Return the size of the journal up to its last whole line."""
    size = os.fstat(file).st_size
    end = size
    while end > 0:
        start = max(0, end - 65536)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _failed(path: Path, error: OSError) -> StateError:
    return StateError(f"{path}: {error.strerror or error}")
