"""Files of a record: plain ones, opened so that nothing else can stand in their place, and appended to durably.

A record can lie in a folder that others may write to, or come back from an archive of a CI system. So no name in it is
trusted: a symbolic link, a pipe or a folder in the place of a file is refused before anything is read from it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bulkrm.model.limits import RAISE, is_exhausted
from bulkrm.state.errors import StateError, changed

_CHUNK = 256 * 2**10
_MOVED = "the manifests of what was deleted are in that record: if it was only moved, move it back and `bulkrm undo` finds it"


def failed(path: Path, error: OSError) -> StateError:
    """Turn an error of the system into one of the record's."""
    if error.errno == errno.ELOOP:
        return changed(path, "it is a symbolic link")
    return StateError(f"{path}: {error.strerror or error}", RAISE if is_exhausted(error) else None)


def open_plain(path: Path, flags: int) -> int:
    """Open a plain file. Raises StateError where it is a link, a pipe, a device or a folder, and OSError."""
    # O_NONBLOCK: a pipe would be waited for. It means nothing for a plain file (open(2)).
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise changed(path, "it is no plain file")
    return file


def read_whole(path: Path, most: int) -> bytes:
    """Return the content of a plain file of at most so many bytes. Raises StateError; FileNotFoundError where it is not there."""
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
    """Yield number and text of each line, without its end, and whether it had one: the last one may have none.

    `most`: the longest line, in bytes. Raises StateError.
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
    """A file that only this process appends to. What is written is durable after the next `sync`."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it. Raises StateError."""
        self.path = path
        try:
            self.file = open_plain(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise failed(path, error) from error
        self._size = os.fstat(self.file).st_size
        self._durable = True

    def cut(self, size: int) -> None:
        """Keep so much of it: what a crash left behind that is no whole line or member. Raises StateError."""
        if size == self._size:
            return
        try:
            os.ftruncate(self.file, size)
        except OSError as error:
            raise failed(self.path, error) from error
        self._size = size

    def append(self, content: bytes) -> None:
        """Write at the end. Raises StateError; then nothing of it is there: half a line would spoil what comes later.

        Also where the file is not as long as this process left it: then it is not what was written that is kept.
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
            raise StateError(f"{self.path} was changed by somebody else while the run went on", _MOVED)

    def sync(self) -> None:
        """Wait until the disk has it, and look whether that is still the file of this name. Raises StateError."""
        durable, self._durable = self._durable, True  # what another thread writes meanwhile takes that back
        try:
            if not durable:
                os.fdatasync(self.file)
        except OSError as error:
            self._durable = False
            raise failed(self.path, error) from error
        self.check()

    def check(self) -> None:
        """Raise StateError where the file is no longer found under its name, or was cut off.

        A deleted or moved file takes everything that is written to it, and nobody finds it again.
        """
        try:
            there = os.lstat(self.path)
        except OSError as error:
            raise StateError(f"{self.path} was removed or moved while the run went on", _MOVED) from error
        mine = os.fstat(self.file)
        if not os.path.samestat(mine, there):
            raise StateError(f"{self.path} was replaced by another file while the run went on", _MOVED)
        if mine.st_size < self._size:  # another thread that is writing makes it longer, never shorter
            raise StateError(f"{self.path} was cut off by somebody else while the run went on", _MOVED)

    def close(self) -> None:
        """Close it."""
        os.close(self.file)
