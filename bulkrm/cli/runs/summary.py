"""The summary of a recorded run, as the list of runs shows it, in words and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from bulkrm.codec.journal_events import Undone
from bulkrm.model.text.layout import counted
from bulkrm.model.valueclass import valueclass
from bulkrm.state.errors import StateError
from bulkrm.state.journal.run_status import INTERRUPTED, RunStatus
from bulkrm.state.known import KnownRun, known_runs
from bulkrm.state.run_repositories import RunRepositories

SCHEMA = 1


class RunState(StrEnum):
    """The state of a run.

    `RUNNING`: a process works on it. `INTERRUPTED`: a signal ended it. `UNFINISHED`: it was killed, or there are images that
    it did not attempt, or whose outcome it does not know. `DECLINED`: the question was answered with no. `DAMAGED`: its
    record was changed.
    """

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    UNFINISHED = "unfinished"
    DECLINED = "declined"
    DAMAGED = "damaged"


@valueclass
class RunSummary:
    """The summary of a run. `counts`: the number of images by status, at its end. `damage`: the error in its record."""

    id: str
    folder: Path
    started: datetime
    state: RunState
    touched: RunRepositories = RunRepositories()
    undone: Undone = Undone.NO
    exit_code: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    damage: str | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether the run can no longer be resumed."""
        return self.state in (RunState.FINISHED, RunState.DECLINED) or self.undone is Undone.WHOLLY

    @property
    def is_resumable(self) -> bool:
        """Tell whether `bulkrm resume` can continue the run."""
        return self.state in (RunState.INTERRUPTED, RunState.UNFINISHED) and not self.is_over

    @property
    def words(self) -> str:
        """The state in words: `finished`, `interrupted, partly undone`, `undone`."""
        if self.undone is Undone.WHOLLY:
            return "undone"
        partly = ["partly undone"] if self.undone is Undone.PARTLY else []
        return ", ".join([self.state.value, *partly] if self.state is not RunState.FINISHED or not partly else partly)

    @property
    def images(self) -> str:
        """The number of images by status: `1,234 deleted, 20 kept`."""
        words = (f"{count:,} {status.replace('_', '-')}" for status, count in self.counts.items() if count)
        return ", ".join(words)

    @property
    def so_far(self) -> str:
        """The counts of the run's outcomes, and whether an undo took some of them back."""
        partly = ["partly undone"] if self.undone is Undone.PARTLY else []
        return ", ".join([text for text in (self.images, *partly) if text])

    @property
    def where(self) -> str:
        """The first few repositories, by registry: `registry.example.com: team/app, team/web`."""
        return where(self.touched)

    def as_fields(self) -> dict[str, Any]:
        """Return the fields of the summary in JSON."""
        return {
            "run": self.id,
            "started": f"{self.started:%Y-%m-%dT%H:%M:%SZ}",
            "state": self.state.value,
            "undone": self.undone.value,
            "resumable": self.is_resumable,
            "exit_code": self.exit_code,
            "hosts": list(self.touched.hosts),
            "repositories": list(self.touched.repositories),
            "planned": self.touched.is_planned,
            "summary": dict(self.counts),
            "damage": self.damage,
            "folder": str(self.folder),
        }


_MOST_PLACES = 3


def where(touched: RunRepositories) -> str:
    """Return the first few repositories by registry, and how many more there are."""
    shown: dict[str, list[str]] = {}
    for name in touched.repositories[:_MOST_PLACES]:
        host, _, path = name.partition("/")
        shown.setdefault(host, []).append(path)
    more = len(touched.repositories) - _MOST_PLACES
    text = "; ".join(f"{host}: {', '.join(paths)}" for host, paths in shown.items())
    others = len(touched.hosts) - len(shown)
    further = f" on {counted(others, 'more registry', 'more registries')}" if others else ""
    return f"{text} and {more:,} more{further}" if more > 0 else text


def summary_of(run: KnownRun) -> RunSummary:
    """Return the summary of a run. An error in its record is in the summary; nothing is raised."""
    if run.is_locked:
        return RunSummary(run.id, run.path, run.started, RunState.RUNNING, _places(run))
    return summary_of_record(run)


def summaries(root: Path) -> list[RunSummary]:
    """Return the summaries of the runs in a state folder, the oldest first. Raises InputError where it cannot be read."""
    return [summary_of(run) for run in known_runs(root)]


def names(root: Path) -> list[tuple[str, str]]:
    """Return the names of the runs in a state folder, the newest first, each with `finished` or `unfinished`."""
    return [(run.id, "finished" if run.is_finished else "unfinished") for run in reversed(known_runs(root))]


def so_far(folder: Path) -> str:
    """Return how far a run had come, by the record in its folder, in words. No other process works on that record."""
    return summary_of_record(KnownRun(folder)).so_far


def summary_of_record(run: KnownRun) -> RunSummary:
    """Return the summary of a run by its record. No other process works on that record."""
    try:
        run.check()
        standing = run.status
        touched = run.touched
    except StateError as error:
        return RunSummary(run.id, run.path, run.started, RunState.DAMAGED, damage=error.what)
    end = standing.end
    counts = end.summary if end else {}
    code = end.code if end else None
    return RunSummary(run.id, run.path, run.started, _state(standing), touched, standing.undone, code, counts)


def _places(run: KnownRun) -> RunRepositories:
    """Return the repositories of a run that is going on; none yet where its record is still being written."""
    try:
        return run.touched
    except StateError:
        return RunRepositories()


def _state(standing: RunStatus) -> RunState:
    end = standing.end
    if end is not None and end.declined:
        return RunState.DECLINED
    if standing.is_finished:
        return RunState.FINISHED
    return RunState.INTERRUPTED if end is not None and end.code in INTERRUPTED else RunState.UNFINISHED


def document(runs: Iterable[RunSummary]) -> dict[str, Any]:
    """Return the JSON document of a list of runs: schema 1, the oldest run first."""
    return {"schema": SCHEMA, "runs": [run.as_fields() for run in runs]}
