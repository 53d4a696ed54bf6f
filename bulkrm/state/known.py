"""The recorded runs, as their folders describe them."""

import fcntl
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulkrm.codec.journal_events import PartEnded, Undone
from bulkrm.codec.strict import strict_json
from bulkrm.model.errors import InputError, Problem
from bulkrm.state.errors import StateError, changed
from bulkrm.state.files import open_plain, read_whole
from bulkrm.state.journal.run_status import RunStatus, status_of
from bulkrm.state.run_repositories import RunRepositories, listed_repositories, planned_repositories

VERSION = 1
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}", re.ASCII)
MOST = 2**30  # bytes of a run.json or plan.json: a million images need less


def is_run_id(text: str) -> bool:
    """Tell whether a text is the name of a run: its start in UTC, and six random hex digits (`20260131T120000Z-0a1b2c`)."""
    try:
        return bool(_ID.fullmatch(text) and datetime.strptime(text[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return False


@dataclass(slots=True)
class KnownRun:
    """A recorded run. Its files are read when a property is used, which raises StateError where they are damaged."""

    path: Path
    _status: RunStatus | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The run's name, which sorts by time."""
        return self.path.name

    @property
    def started(self) -> datetime:
        """The time at which the run began, in UTC, by its name."""
        return datetime.strptime(self.id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def touched(self) -> RunRepositories:
        """The repositories of the run."""
        plan = self.path / "plan.json"
        return planned_repositories(plan) if os.path.lexists(plan) else listed_repositories(self.asked)

    @property
    def asked(self) -> Mapping[str, Any]:
        """The fields of run.json: the list and the options of the run."""
        path = self.path / "run.json"
        try:
            fields = strict_json(read_whole(path, MOST))
        except ValueError as error:
            raise changed(path, f"it is not JSON ({error})") from error
        except FileNotFoundError as error:
            raise changed(path, "it is not there") from error
        if not isinstance(fields, dict):
            raise changed(path, "it is not a JSON object")
        if fields.get("version") != VERSION:
            what = (
                f"{path}: it has version {str(fields.get('version'))[:20]!r}, and this bulkrm reads version {VERSION}"
            )
            raise StateError(what, "use the bulkrm that recorded the run")
        return fields

    def check(self) -> None:
        """Raise StateError where run.json cannot be read, or has another version."""
        _ = self.asked

    @property
    def plan(self) -> bytes | None:
        """The text of the plan; None where the run ended before it had one."""
        try:
            return read_whole(self.path / "plan.json", MOST)
        except FileNotFoundError:
            return None

    @property
    def is_locked(self) -> bool:
        """Tell whether a process works on the run at present."""
        try:
            file = open_plain(self.path / "lock", os.O_RDONLY)
        except (OSError, StateError):
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(file)
        return False

    @property
    def status(self) -> RunStatus:
        """The status of the run, which is read once."""
        if self._status is None:
            self._status = status_of(self.path)
        return self._status

    @property
    def end(self) -> PartEnded | None:
        """How the last part of the run ended; None where it was killed, or is still running."""
        return self.status.end

    @property
    def is_finished(self) -> bool:
        """Tell whether `resume` has nothing to do (`RunStatus.is_finished`)."""
        return self.status.is_finished

    @property
    def is_undone(self) -> bool:
        """Tell whether everything that the run deleted was restored."""
        return self.status.undone is Undone.WHOLLY

    def remove(self) -> None:
        """Delete the folder. Raises OSError."""
        shutil.rmtree(self.path)


def known_runs(root: Path) -> list[KnownRun]:
    """Return the recorded runs in a state folder, the oldest first; other folders are ignored.

    Raises InputError where the folder of the runs exists and cannot be read.
    """
    try:
        names = [entry.name for entry in (root / "runs").iterdir() if is_run_id(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        what = f"the runs in {root / 'runs'} cannot be read: {error.strerror}"
        raise InputError(Problem("--state-dir", what, "give the folder that they were recorded in")) from error
    folders = [folder for name in names if _has_record(folder := root / "runs" / name)]
    return [KnownRun(folder) for folder in sorted(folders, key=_age)]


def _age(folder: Path) -> tuple[str, int, str]:
    """Return a key to sort runs by: the second in the name, and then the time of the first file of the record."""
    try:
        written = (folder / "run.json").lstat().st_mtime_ns
    except OSError:
        written = 0
    return folder.name[:16], written, folder.name


def _has_record(folder: Path) -> bool:
    """Tell whether a folder has a record. A run that was killed before it wrote one had sent no request."""
    return any(os.path.lexists(folder / name) for name in ("run.json", "journal.jsonl"))
