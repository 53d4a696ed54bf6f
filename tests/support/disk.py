"""A disk that is full."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bulkrm.sandbox import SandboxSettings

# Runs of so many images that a disk which fills up in the middle is met: more than are written down with the first; of a
# decoy each is written down by itself.
BEYOND_THE_FIRST_WRITE = pytest.mark.parametrize(
    ("settings", "number"),
    [(SandboxSettings(tag_deletes=True), 80), (SandboxSettings(), 12)],
    ids=["tags", "decoy"],
)


class Disk:
    """The disk of a folder. When it is full, nothing more can be written to the files of a pattern."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, pattern: str = "*") -> None:
        self._folder = folder
        self._pattern = pattern
        self._room: int | None = None
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._synced(getattr(os, name)))
        self._write = os.write
        monkeypatch.setattr(os, "write", self._written)

    def fill(self) -> None:
        """Leave room for half a line, so that the next write ends in the middle of it."""
        self._room = 10

    def make_room(self) -> None:
        self._room = None

    def _written(self, file: int, content: bytes) -> int:
        if self._room is None or not self._concerns(file):
            return self._write(file, content)
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._write(file, memoryview(content)[: self._room])
        self._room -= taken
        return taken

    def _synced(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def synced(file: int) -> None:
            # What was written by other ways than `os.write` is found out here, as it is with delayed allocation.
            if self._room is not None and self._concerns(file):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(file)

        return synced

    def _concerns(self, file: int) -> bool:
        here = os.fstat(file)
        return any(os.path.samestat(here, path.stat()) for path in self._folder.rglob(self._pattern) if path.is_file())
