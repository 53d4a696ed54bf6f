"""The commands that resume or undo a run, or apply a plan, as the user can type them."""

import os
import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from bulkrm.cli.state_dir import state_dir
from bulkrm.model.result.outcome import Deleted, Untagged
from bulkrm.model.result.report import ImageResult


def unusual_state_dir(root: Path) -> Path | None:
    """Return the folder of recorded runs if commands have to name it; None if it is the default folder."""
    return None if root == state_dir(None, os.environ) else root


def resume_step(run: str, place: Path | None) -> str:
    """Return the line with the command that resumes a run. `place`: the folder of recorded runs, unless the default."""
    return f"`{_command('resume', run, place)}` goes on with this run"


def undo_step(
    run: str, images: Iterable[ImageResult], restorable: Collection[str], place: Path | None
) -> Iterator[str]:
    """Yield the line with the command that undoes a run, if it deleted anything that can be put back.

    `restorable`: the hosts on which images can be put back; `place` as in `resume_step`.
    """
    taken = {result.image.partition("/")[0] for result in images if _is_archived(result)}
    back, lost = sorted(taken.intersection(restorable)), sorted(taken.difference(restorable))
    if back:
        but = f", but for {', '.join(lost)}" if lost else ""
        yield f"`{_command('undo', run, place)}` puts back what this run deleted{but}"


def apply_step(path: Path) -> str:
    """Return the line with the command that applies a plan. The file name is quoted, and never begins with a dash."""
    name = str(path)
    return f"`bulkrm apply {shlex.quote(f'./{name}' if name.startswith('-') else name)}` carries this plan out"


def _command(word: str, run: str, place: Path | None) -> str:
    more = f" --state-dir {shlex.quote(str(place))}" if place is not None else ""
    return f"bulkrm {word} {run}{more}"


def _is_archived(result: ImageResult) -> bool:
    """Tell whether the archive has what was deleted. A dangling tag led to no manifest, so nothing was archived."""
    outcome = result.outcome
    return isinstance(outcome, Untagged) or (isinstance(outcome, Deleted) and not outcome.for_good)
