"""The commands that resume or undo a run, or apply a plan, as the user can type them."""

import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from bulkrm.cli.state_dir import state_dir
from bulkrm.model.result.outcome import Deleted, Untagged
from bulkrm.model.result.report import ImageResult


def unusual_state_dir(root: Path) -> Path | None:
    """Return the folder of recorded runs if commands have to name it; None if it is the default folder."""
    return None if root == state_dir(None, os.environ) else root


def resume_step(run: str, place: Path | None, options: Sequence[str] = ()) -> str:
    """Return the line with the command that resumes a run. `place`: the folder of recorded runs, unless the default.

    `options`: those that the registries are reached with, as texts for the shell.
    """
    return f"`{_command('resume', run, place, options)}` goes on with this run"


def undo_step(
    run: str,
    images: Iterable[ImageResult],
    restorable: Collection[str],
    place: Path | None,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the line with the command that undoes a run, if it deleted anything that can be put back.

    `restorable`: the hosts on which images can be put back; `place` and `options` as in `resume_step`.
    """
    taken = {result.image.partition("/")[0] for result in images if _is_archived(result)}
    back, lost = sorted(taken.intersection(restorable)), sorted(taken.difference(restorable))
    if back:
        but = f", but for {', '.join(lost)}" if lost else ""
        yield f"`{_command('undo', run, place, options)}` puts back what this run deleted{but}"


def apply_step(path: Path, place: Path | None = None, options: Sequence[str] = ()) -> str:
    """Return the line with the command that applies a plan. The file name is quoted, and never begins with a dash."""
    name = str(path)
    quoted = shlex.quote(f"./{name}" if name.startswith("-") else name)
    return f"`{_command('apply', quoted, place, options)}` carries this plan out"


def _command(word: str, run: str, place: Path | None, options: Sequence[str]) -> str:
    return " ".join([f"bulkrm {word} {run}{state_dir_option(place)}", *options])


def state_dir_option(place: Path | None) -> str:
    """Return the option that names the folder of recorded runs, after a blank; "" for the default folder."""
    return f" --state-dir {shlex.quote(str(place))}" if place is not None else ""


def _is_archived(result: ImageResult) -> bool:
    """Tell whether the archive has what was deleted. A dangling tag led to no manifest, so nothing was archived."""
    outcome = result.outcome
    return isinstance(outcome, Untagged) or (isinstance(outcome, Deleted) and not outcome.for_good)
