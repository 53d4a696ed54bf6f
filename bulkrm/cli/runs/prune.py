"""`bulkrm runs prune`: deletes the records of old runs, except for those that can still be resumed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bulkrm.cli.runs.age import parse_age
from bulkrm.cli.runs.summary import RunState, summary_of
from bulkrm.model.errors import InputError
from bulkrm.model.text.layout import counted, listed
from bulkrm.state.folder import locked
from bulkrm.state.known import KnownRun, known_runs


class Pruning:
    """The runs that are old enough to delete, and those of them that are kept. Raises InputError for a bad age."""

    def __init__(self, root: Path, older_than: str, now: datetime) -> None:
        """Read the state of all runs below `root`."""
        age, self._age = parse_age(older_than)
        self._root = root
        self._all = known_runs(root)
        old = [run for run in self._all if now - run.started > age]
        summaries = [(run, summary_of(run)) for run in old]
        self._to_delete: Sequence[KnownRun] = [run for run, summary in summaries if summary.is_over]
        self._to_keep = [summary for _, summary in summaries if not summary.is_over]
        self.trouble: list[str] = []

    def carry_out(self, *, dry_run: bool) -> Iterator[str]:
        """Delete each record, and yield a line for it; a dry run deletes none. Failures are added to `trouble`."""
        for run in self._to_delete:
            trouble = None if dry_run else self._remove(run)
            if trouble is None:
                yield f"{'would delete' if dry_run else 'deleted'} {run.id}"
            else:
                self.trouble.append(trouble)

    def _remove(self, run: KnownRun) -> str | None:
        """Delete a record that no other process works on; return what went wrong."""
        try:
            with locked(self._root, run.id):
                run.remove()
        except InputError as error:
            return str(error.problems[0])
        except OSError as error:
            return f"{run.path} cannot be deleted: {error.strerror}"
        return None

    def remarks(self, *, dry_run: bool) -> Iterator[str]:
        """Return what the list of deleted records does not show: that there was none, and which old runs are kept."""
        nothing = "nothing would be removed" if dry_run else "nothing was removed"
        if not self._all:
            yield f"There are no runs in {self._root}; {nothing}."
        elif not self._to_delete and not self._to_keep:
            yield f"No run is older than {self._age}; {nothing}."
        elif not self._to_delete:
            yield f"No run that is over is older than {self._age}; {nothing}."
        for state, why in _WHY.items():
            names = [summary.id for summary in self._to_keep if summary.state is state]
            if names:
                verb = "stays" if len(names) == 1 else "stay"
                yield f"{counted(len(names), 'older run')} {verb}, {why}: {listed(names)}"


_WHY = {
    RunState.RUNNING: "because a process works on it",
    RunState.INTERRUPTED: "because `bulkrm resume` can go on with it",
    RunState.UNFINISHED: "because `bulkrm resume` can go on with it",
    RunState.DAMAGED: "because the record is damaged and may be needed; remove its folder by hand",
}
