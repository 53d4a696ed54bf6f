"""The commands that lead on from a run, as they can be typed: to go on with it, to take it back, to carry a plan out."""

import os
import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from bulkrm.model.result.outcome import Deleted, Untagged
from bulkrm.model.result.report import ImageResult
from bulkrm.state.location import state_dir


def elsewhere(root: Path) -> Path | None:
    """Return the folder of the records where it has to be named again: it is not the one that is taken without a name."""
    return None if root == state_dir(None, os.environ) else root


def resume_step(run: str, place: Path | None) -> str:
    """Say how a run is gone on with. `place`: where the records are, if that has to be said again."""
    return f"`{_command('resume', run, place)}` goes on with this run"


def undo_step(
    run: str, images: Iterable[ImageResult], restorable: Collection[str], place: Path | None
) -> Iterator[str]:
    """Say how a recorded run is taken back, if it took anything away that can be put back.

    `restorable`: the hosts where that is possible; `place` as in `resume_step`.
    """
    taken = {result.image.partition("/")[0] for result in images if _is_taken(result)}
    back, lost = sorted(taken.intersection(restorable)), sorted(taken.difference(restorable))
    if back:
        but = f", but for {', '.join(lost)}" if lost else ""
        yield f"`{_command('undo', run, place)}` puts back what this run deleted{but}"


def apply_step(path: Path) -> str:
    """Say how a plan is carried out. The name is quoted for the shell, and is no option."""
    name = str(path)
    return f"`bulkrm apply {shlex.quote(f'./{name}' if name.startswith('-') else name)}` carries this plan out"


def _command(word: str, run: str, place: Path | None) -> str:
    more = f" --state-dir {shlex.quote(str(place))}" if place is not None else ""
    return f"bulkrm {word} {run}{more}"


def _is_taken(result: ImageResult) -> bool:
    """Tell whether something went that is in the archive: not a tag that led nowhere."""
    outcome = result.outcome
    return isinstance(outcome, Untagged) or (isinstance(outcome, Deleted) and not outcome.for_good)
