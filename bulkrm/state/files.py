"""The files of a record: only plain files are opened, and appended data is made durable.

A record may be in a folder that others can write to, or come from the artifacts of a CI system. So no name in it is
trusted: a symbolic link, a pipe or a folder in the place of a file is refused before anything is read from it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bulkrm.model.limits import RAISE_LIMIT, is_exhausted
from bulkrm.state.errors import StateError, changed

_CHUNK = 256 * 2**10
_MOVED = "that record has the manifests of deleted images: if it was only moved, move it back, so that `bulkrm undo` finds it"


def failed(path: Path, error: OSError) -> StateError:
    """Return the StateError for an error of the operating system."""
    if error.errno == errno.ELOOP:
        return changed(path, "it is a symbolic link")
    return StateError(f"{path}: {error.strerror or error}", RAISE_LIMIT if is_exhausted(error) else None)


def open_plain(path: Path, flags: int) -> int:
    """Open a plain file; return its descriptor. Raises OSError, and StateError for a pipe, a device or a folder.

    A symbolic link is an OSError with `ELOOP`.
    """
    # Opening a pipe without O_NONBLOCK would block; for a plain file the flag has no effect (open(2)).
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise changed(path, "it is not a plain file")
    return file


def read_whole(path: Path, most: int) -> bytes:
    """Return the content of a plain file of at most `most` bytes. Raises StateError, or FileNotFoundError."""
    try:
        with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise failed(path, error) from error
    if len(content) > most:
        raise changed(path, f"it has more than {most} bytes")
    return content


def read_lines(path: Path, most: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the number of each line, its text, and whether it ends with a newline, which the last one may lack.

    `most`: the largest length of a line, in bytes. Raises StateError.
    """
    number, ahead = 0, bytearray()
    try:
        with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
            while chunk := file.read(_CHUNK):
                *lines, rest = chunk.split(b"\n")
                for line in lines:
                    number += 1
                    yield number, bytes(ahead + line) if ahead else line, True
                    ahead.clear()
                ahead += rest
                if len(ahead) > most:
                    raise changed(f"{path}:{number + 1}", f"the line has more than {most} bytes")
    except OSError as error:
        raise failed(path, error) from error
    if ahead:
        yield number + 1, bytes(ahead), False


class AppendedFile:
    """A file that only this process appends to. Appended data is durable after the next `sync`."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`. Raises StateError."""
        self.path = path
        try:
            self.file = open_plain(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise failed(path, error) from error
        self._size = os.fstat(self.file).st_size
        self._durable = True

    def cut(self, size: int) -> None:
        """Truncate the file to `size` bytes, which cuts off an incomplete line or member. Raises StateError."""
        if size == self._size:
            return
        try:
            os.ftruncate(self.file, size)
        except OSError as error:
            raise failed(self.path, error) from error
        self._size = size

    def append(self, content: bytes) -> None:
        """Append data. Raises StateError after an incomplete write, which is removed, so that no partial line remains.

        Raises StateError too if the length of the file shows that another process wrote to it.
        """
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(self.file, left) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self.file, self._size)
            raise failed(self.path, error) from error
        self._size += len(content)
        self._durable = self._durable and not content
        if os.fstat(self.file).st_size != self._size:
            raise StateError(f"{self.path} was changed by another process during the run", _MOVED)

    def sync(self) -> None:
        """Wait until all appended data is on disk, then `check`. Raises StateError."""
        durable, self._durable = self._durable, True  # a write by another thread meanwhile resets it
        try:
            if not durable:
                os.fdatasync(self.file)
        except OSError as error:
            self._durable = False
            raise failed(self.path, error) from error
        self.check()

    def check(self) -> None:
        """Raise StateError if the file was deleted, moved, replaced or truncated.

        Writes to a deleted or moved file succeed, but nobody would find the data again.
        """
        # Read before the size of the file: another thread may append in between, which makes the file longer, not shorter.
        size = self._size
        try:
            there = os.lstat(self.path)
        except OSError as error:
            raise StateError(f"{self.path} was removed or moved during the run", _MOVED) from error
        mine = os.fstat(self.file)
        if not os.path.samestat(mine, there):
            raise StateError(f"{self.path} was replaced by another file during the run", _MOVED)
        if mine.st_size < size:
            raise StateError(f"{self.path} was truncated by another process during the run", _MOVED)

    def close(self) -> None:
        """Close the file."""
        os.close(self.file)
