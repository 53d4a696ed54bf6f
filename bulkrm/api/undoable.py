"""A recorded run that deleted something: opens its record, and reads from it which images can be put back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bulkrm.api.record import open_record, refuse_damaged, run_named
from bulkrm.engine.recover.undo import Loss
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.manifests.manifest import children
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.entry import Entry
from bulkrm.selection.image_list import ImageList
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.losses import losses
from bulkrm.state.known import KnownRun, known_runs

EVERYTHING = ImageList()


@valueclass
class UndoableRun:
    """A run that can be undone; its record is locked until the block of `undoable_run` is left.

    `losses`: the manifests and tags to put back. `folder`: where the undo is recorded; None for a dry run.
    `of_everything`: all losses of the run are put back, not only those of some images.
    """

    id: str
    path: Path
    losses: tuple[Loss, ...]
    folder: RunFolder | None
    of_everything: bool

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries of the images to put back."""
        return tuple(dict.fromkeys(loss.repository.host for loss in self.losses))

    @property
    def images(self) -> tuple[str, ...]:
        """The full names of the images to put back: tags, and digests of manifests without a tag."""
        return tuple(str(target.reference) for loss in self.losses for target in loss.targets)


@contextmanager
def undoable_run(
    state_dir: Path, run: str | None = None, images: ImageList = EVERYTHING, *, dry_run: bool = False
) -> Iterator[UndoableRun]:
    """Open a recorded run to undo it: the latest that deleted something, or the one whose name begins with `run`.

    `images`: put back only images that these entries name; without entries, all of the run. A dry run writes nothing; it
    only locks the record. Raises InputError where there is no such run, the run did not delete an image that is named, its
    record is damaged or of another version, or another process works on it.
    """
    found = run_named(state_dir, run) if run is not None else _latest(state_dir)
    with open_record(state_dir, found.id, dry_run=dry_run) as folder:
        with refuse_damaged(found):
            found.check()
        lost = _losses(found)
        _refuse_other_images(state_dir, found, lost, images.entries)
        chosen = tuple(_chosen(lost, images.entries))
        yield UndoableRun(found.id, found.path, chosen, folder, of_everything=not images.entries)


def _latest(root: Path) -> KnownRun:
    """Return the latest run that deleted something and was not undone. Raises InputError."""
    for run in reversed(known_runs(root)):
        with refuse_damaged(run):
            is_undone = run.is_undone
        if not is_undone and _losses(run):
            return run
    raise InputError(Problem("", f"there is no run to undo in {root}", "name one; `bulkrm runs` lists them"))


def _refuse_other_images(root: Path, run: KnownRun, found: Sequence[Loss], entries: Sequence[Entry]) -> None:
    """Raise InputError for entries of which the run deleted no image; name the run that did."""
    unknown = [entry for entry in entries if not any(_is_named(entry, loss) for loss in found)]
    if not unknown:
        return
    problems = []
    for entry in unknown:
        other = next((earlier for earlier in reversed(known_runs(root)) if _deleted(earlier, entry)), None)
        remedy = f"run {other.id} did: name it first" if other else f"`bulkrm runs show {run.id}` tells what it did"
        problems.append(Problem(str(entry.source), f"run {run.id} took no {_text(entry)} away", remedy))
    raise InputError(*problems)


def _deleted(run: KnownRun, entry: Entry) -> bool:
    try:
        return any(_is_named(entry, loss) for loss in _losses(run))
    except InputError:  # its record is damaged
        return False


def _is_named(entry: Entry, loss: Loss) -> bool:
    return any(_names(entry, loss, tag) for tag in (None, *loss.tags))


def _text(entry: Entry) -> str:
    return str(entry.reference) if isinstance(entry, Target) else entry.text


def _losses(run: KnownRun) -> list[Loss]:
    with refuse_damaged(run):
        return [
            Loss(lost.repository, lost.manifest, tuple(lost.tags), frozenset(lost.decoys)) for lost in losses(run.path)
        ]


def _chosen(found: Sequence[Loss], entries: Sequence[Entry]) -> list[Loss]:
    """Return the losses that entries name: with all tags for a digest, else with the named tags; all without entries."""
    if not entries:
        return list(found)
    known = {loss.key: loss for loss in found}
    chosen: dict[tuple[Repository, Digest], Loss] = {}
    for loss in found:
        tags = tuple(tag for tag in loss.tags if any(_names(entry, loss, tag) for entry in entries))
        whole = any(_names(entry, loss, None) for entry in entries)
        if whole or tags:
            chosen[loss.key] = replace(loss, tags=loss.tags if whole else tags)
    todo = list(chosen.values())
    while todo:
        # The children of an index have to be there before it. Their tags were not named, so they are not put back.
        loss = todo.pop()
        for digest in children(loss.manifest.media_type, loss.manifest.content).manifests:
            key = loss.repository, digest
            if key in known and key not in chosen:
                chosen[key] = replace(known[key], tags=())
                todo.append(chosen[key])
    return list(chosen.values())


def _names(entry: Entry, loss: Loss, tag: str | None) -> bool:
    if isinstance(entry, Glob):
        named = entry.repository
        fits = named.matches(loss.repository.path) if isinstance(named, RepositoryPattern) else named == loss.repository
        return fits and entry.host == loss.repository.host and tag is not None and entry.tags.matches(tag)
    return isinstance(entry, Target) and _is_target(entry, loss, tag)


def _is_target(entry: Target, loss: Loss, tag: str | None) -> bool:
    reference = entry.reference
    if reference.repository != loss.repository:
        return False
    return reference.tag == tag if isinstance(reference, TagRef) else tag is None and reference.digest == loss.key[1]
