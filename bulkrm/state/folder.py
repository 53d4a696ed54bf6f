"""The folder of one run, and the folders of all."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bulkrm.model.errors import InputError, Problem
from bulkrm.state.archive import Archive
from bulkrm.state.errors import StateError
from bulkrm.state.journal import Journal, last_events

VERSION = 1
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
_INTERRUPTED = (129, 130, 143)
_REMEDY = "give another folder with --state-dir or BULKRM_STATE_DIR"


@dataclass(slots=True)
class RunFolder:
    """A run that this process works on: it holds the lock and the open files until it is closed."""

    path: Path
    journal: Journal
    archive: Archive
    _lock: int = field(repr=False)

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
        """Make the folder of a new run and write down what was asked, and the list of it.

        Raises InputError where that is not possible.
        """
        path = root / "runs" / run
        try:
            path.mkdir(mode=0o700, parents=True)
            _write(path / "run.json", _request({"version": VERSION, **asked}, listed))
        except OSError as error:
            what = f"{path} cannot be made: {error.strerror}"
            raise InputError(Problem("--state-dir", what, _REMEDY)) from error
        return cls.open(root, run)

    @classmethod
    def open(cls, root: Path, run: str) -> Self:
        """Open a run to go on with it. Raises InputError where another process does, or where it is damaged."""
        path = root / "runs" / run
        try:
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            what = f"{path} cannot be opened: {error.strerror}"
            raise InputError(Problem("--state-dir", what, _REMEDY)) from error
        try:
            # A lock of the kernel's: it goes with its process, however that ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, Journal(path / "journal.jsonl"), Archive(path / "manifests.jsonl.gz"), lock)
        except BlockingIOError as error:
            os.close(lock)
            remedy = "wait until it is done, or stop it"
            raise InputError(Problem("", f"another bulkrm works on the run {run}", remedy)) from error
        except StateError as error:
            os.close(lock)
            raise InputError(Problem("--state-dir", error.what, _REMEDY)) from error

    def close(self) -> None:
        """Let it go. Raises StateError where the last of it cannot be written."""
        try:
            self.archive.close()
        finally:
            try:
                self.journal.close()
            finally:
                os.close(self._lock)

    @property
    def has_plan(self) -> bool:
        """Tell whether the plan is written down."""
        return (self.path / "plan.json").exists()

    def write_plan(self, pieces: Iterable[str]) -> None:
        """Write the plan down. Raises StateError."""
        try:
            _write(self.path / "plan.json", pieces)
        except OSError as error:
            raise StateError(f"{self.path / 'plan.json'}: {error.strerror}") from error

    def begin_part(self) -> None:
        """Note that the run is gone on with: what is told from here on says nothing of what was under way before."""
        self.journal.append({"event": "resumed"})

    def sync(self) -> None:
        """Make everything durable: first the manifests, then the journal, which speaks of them. Raises StateError."""
        self.archive.sync()
        self.journal.sync()


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run that was recorded, as far as its folder tells without reading the journal."""

    path: Path
    asked: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The run's name, which sorts by time."""
        return self.path.name

    @property
    def is_locked(self) -> bool:
        """Tell whether a process works on it right now."""
        try:
            with (self.path / "lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def end(self) -> Mapping[str, Any] | None:
        """What the run wrote down when it was over; None where it was not."""
        return next((event for event in self._last() if event.get("event") == "end"), None)

    @property
    def is_finished(self) -> bool:
        """Tell whether there is nothing to go on with: it came to its end, and left nothing undone that was wanted."""
        end = self.end
        if end is None:
            return False
        if end.get("declined"):
            return True
        left = end.get("summary", {}).get("not_attempted") if isinstance(end.get("summary"), dict) else None
        return end.get("code") not in _INTERRUPTED and not left and not end.get("unfinished")

    @property
    def is_undone(self) -> bool:
        """Tell whether all of it was put back."""
        return any(event.get("event") == "undone" for event in self._last())

    def _last(self) -> list[Mapping[str, Any]]:
        return last_events(self.path / "journal.jsonl", 8)

    def remove(self) -> None:
        """Delete the folder. Raises OSError."""
        shutil.rmtree(self.path)


def known_runs(root: Path) -> list[KnownRun]:
    """Return the recorded runs, the oldest first; what is no run's folder is left out."""
    try:
        names = sorted(entry.name for entry in (root / "runs").iterdir() if _ID.fullmatch(entry.name))
    except OSError:
        return []
    runs = []
    for name in names:
        path = root / "runs" / name
        try:
            asked = json.loads((path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(asked, dict):
            runs.append(KnownRun(path, asked))
    return runs


def _request(asked: Mapping[str, Any], listed: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a JSON object, its list an entry a line: there may be a million of them."""
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
    """Write a file whole and durably, or not at all."""
    part = path.with_suffix(".part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
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
