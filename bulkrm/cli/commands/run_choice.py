"""Which recorded run is meant."""

from pathlib import Path

from bulkrm.model.errors import InputError, Problem
from bulkrm.state.known import KnownRun, known_runs


def run_named(root: Path, name: str) -> KnownRun:
    """Return the run whose name begins so. Raises InputError where there is none, or more than one."""
    if not name:
        raise InputError(Problem("RUN", "the name is empty", "perhaps a variable is not set; `bulkrm runs` lists them"))
    found = [run for run in known_runs(root) if run.id.startswith(name)]
    if len(found) != 1:
        what = "there is no such run" if not found else f"{len(found)} runs begin so"
        raise InputError(Problem(name, what, f"`bulkrm runs` lists those in {root}"))
    return found[0]
