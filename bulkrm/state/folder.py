"""The folder of one run while a process works on it."""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from bulkrm.codec.journal_events import PartBegan, event_fields
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.limits import RAISE_LIMIT, is_exhausted
from bulkrm.state.archive import Archive
from bulkrm.state.errors import StateError, changed
from bulkrm.state.files import failed, open_plain
from bulkrm.state.journal.file import Journal
from bulkrm.state.known import VERSION

_REMEDY = "give another folder with --state-dir or BULKRM_STATE_DIR"
T = TypeVar("T")


@dataclass(slots=True)
class RunFolder:
    """A run that this process works on, with its lock and its open files.

    `is_new`: this process created it, so there is no earlier part of the run, and no undo of it.
    """

    path: Path
    journal: Journal
    archive: Archive
    _lock: int = field(repr=False)
    is_new: bool = False

    @property
    def id(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def root(self) -> Path:
        """The folder of all runs' folders."""
        return self.path.parent.parent

    @classmethod
    def create(cls, root: Path, run: str, asked: Mapping[str, Any], listed: Iterable[Mapping[str, Any]] = ()) -> Self:
        """Create the folder of a new run, with its run.json: the fields `asked`, and the entries `listed` of the list.

        `root`: the state folder, which has the folders of all runs. Raises InputError where that is not possible.
        """
        path = root / "runs" / run
        try:
            path.mkdir(mode=0o700, parents=True)
            _write(path / "run.json", _request({"version": VERSION, **asked}, listed))
        except OSError as error:
            raise _unusable(f"{path} cannot be made", error) from error
        made = cls.open(root, run)
        made.is_new = True
        return made

    @classmethod
    def open(cls, root: Path, run: str) -> Self:
        """Open a run to continue it. Raises InputError where another process works on it, or where it is damaged."""
        path = root / "runs" / run
        lock = _locked(path)
        opened: list[Journal | Archive] = []
        try:
            journal = _opened(Journal, path / "journal.jsonl")
            opened.append(journal)
            archive = _opened(Archive, path / "manifests.jsonl.gz")
        except BaseException:
            for file in opened:
                file.close()
            os.close(lock)
            raise
        return cls(path, journal, archive, lock)

    def close(self) -> None:
        """Write all pending data, close the files, and release the lock. Raises StateError."""
        try:
            self.archive.close()
        finally:
            try:
                self.journal.close()
            finally:
                os.close(self._lock)

    @property
    def has_plan(self) -> bool:
        """Tell whether the folder has a plan."""
        return os.path.lexists(self.path / "plan.json")

    def write_plan(self, pieces: Iterable[str]) -> None:
        """Write the file of the plan. Raises StateError."""
        path = self.path / "plan.json"
        try:
            _write(path, pieces)
        except OSError as error:
            raise failed(path, error) from error

    def begin_part(self) -> None:
        """Append the event that a further part begins, which separates its outcomes from requests of earlier parts."""
        self.journal.append(event_fields(PartBegan(undo=False)))

    def sync(self) -> None:
        """Wait until all data is on disk: first the manifests, then the journal, which refers to them. Raises StateError."""
        self.archive.sync()
        self.journal.sync()

    def check(self) -> None:
        """Raise StateError if a file of the record was deleted, moved, replaced or truncated; then no request may be sent."""
        self.archive.check()
        self.journal.check()


@contextmanager
def locked(root: Path, run: str) -> Iterator[None]:
    """Lock a run while the block only reads it. Raises InputError as `RunFolder.open` does."""
    lock = _locked(root / "runs" / run)
    try:
        yield
    finally:
        os.close(lock)


def _opened(kind: Callable[[Path], T], path: Path) -> T:
    try:
        return kind(path)
    except StateError as error:
        raise InputError(Problem("--state-dir", error.what, error.remedy or _REMEDY)) from error


def _locked(path: Path) -> int:
    """Lock a run by flock(2), which the kernel releases when the process ends, however it ends. Raises InputError."""
    try:
        lock = _open_lock(path / "lock")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(Problem("--state-dir", changed(path / "lock", "it is a symbolic link").what)) from error
        raise _unusable(f"{path} cannot be opened", error) from error
    except StateError as error:
        raise InputError(Problem("--state-dir", error.what, error.remedy or _REMEDY)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            remedy = "wait until it is done, or stop it"
            raise InputError(Problem("", f"another bulkrm works on the run {path.name}", remedy)) from error
        raise _unusable(f"{path / 'lock'} cannot be locked", error) from error
    return lock


def _open_lock(path: Path) -> int:
    try:
        return open_plain(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS):
            raise
        return open_plain(path, os.O_RDONLY)  # enough for flock on a read-only file system


def _unusable(what: str, error: OSError) -> InputError:
    return InputError(
        Problem("--state-dir", f"{what}: {error.strerror}", RAISE_LIMIT if is_exhausted(error) else _REMEDY)
    )


def _request(asked: Mapping[str, Any], listed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the text of run.json in pieces, with one entry of the list on each line; there may be a million of them."""
    yield "{\n"
    for key, value in asked.items():
        yield f" {json.dumps(key)}: {json.dumps(value)},\n"
    yield ' "list": ['
    between = "\n  "
    for entry in listed:
        yield between + json.dumps(entry)
        between = ",\n  "
    yield "\n ]\n}\n"


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a file durably and atomically: after a crash it has all of the content, or does not exist. Raises OSError."""
    part = path.with_suffix(".part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
