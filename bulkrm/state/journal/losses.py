"""The manifests and tags that a run removed, and those that undos restored, by its journal and its archive."""

from dataclasses import dataclass, field
from pathlib import Path

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.valueclass import valueclass
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import StateError, changed
from bulkrm.state.journal.file import read_events
from bulkrm.state.journal.removals import RecordedIntent, Removals, TaggedDigest
from bulkrm.state.journal.unrecorded_undo import has_unrecorded_undo


@dataclass(slots=True)
class LostManifest:
    """One manifest of one repository, with the tags that were removed, together with it or without it.

    `restored`: those of the tags that an undo restored; None in it stands for a manifest that had no tag. `decoys`: decoys
    of the run that the tags may still lead to.
    """

    repository: Repository
    manifest: Manifest
    tags: dict[str, None] = field(default_factory=dict)
    decoys: set[Digest] = field(default_factory=set)
    restored: set[str | None] = field(default_factory=set)


def losses(folder: Path) -> list[LostManifest]:
    """Return what a run removed, or may have removed, in the order of its intents. Raises StateError.

    A manifest may have been removed if its intent has no outcome because the run was killed; the caller asks the
    registry. Manifests that an undo restored since are included.
    """
    removals = Removals(read_events(folder / "journal.jsonl"))
    removed = [(entry, tags) for entry in removals.intents if (tags := removals.removed_tags(entry)) is not None]
    archive = _archived(folder, {entry.intent.digest for entry, _ in removed})
    found: dict[tuple[Repository, Digest], LostManifest] = {}
    for entry, tags in removed:
        repository, digest = entry.intent.repository, entry.intent.digest
        if digest not in archive:
            raise StateError(f"{folder}: the manifest {digest} is not in the archive")
        lost = found.setdefault((repository, digest), LostManifest(repository, archive[digest]))
        lost.tags.update(dict.fromkeys(tags))
        lost.decoys = removals.decoys.get(repository, set())
    missing = still_lost(removals)
    for (repository, digest), lost in found.items():
        lost.restored = {tag for tag in lost.tags or (None,) if (repository, digest, tag) not in missing}
    return list(found.values())


def still_lost(removals: Removals) -> set[TaggedDigest]:
    """Return what a run removed, or may have removed, without what an undo is known to have restored."""
    return {key for entry, key in _removed(removals) if not removals.is_restored(key, entry.position)}


@valueclass
class Restorations:
    """The manifests and tags of a run that undos restored.

    `sure`: they were read back; `maybe`: they may have been pushed, but their outcome was not recorded.
    """

    sure: frozenset[TaggedDigest] = frozenset()
    maybe: frozenset[TaggedDigest] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether undos restored anything, or may have."""
        return bool(self.sure or self.maybe)


def restorations(folder: Path, removals: Removals) -> Restorations:
    """Return what undos restored of the removals of a run, whose folder is `folder`."""
    removed = _removed(removals)
    lost = still_lost(removals)
    since = {(key[0], key[1]): entry.position for entry, key in removed}  # the last removal of each
    # The child of an index may be restored without the tags that it had.
    further = {key for key in removals.named_by_undos if (key[0], key[1]) in since}
    sure = {key for key in further if removals.is_restored(key, since[key[0], key[1]])}
    maybe = {key for key in further if removals.may_be_restored(key, since[key[0], key[1]])}
    if has_unrecorded_undo(folder):  # it may have restored everything
        maybe |= lost - sure
    return Restorations(frozenset(({key for _, key in removed} - lost) | sure), frozenset(maybe))


def _removed(removals: Removals) -> list[tuple[RecordedIntent, TaggedDigest]]:
    found: list[tuple[RecordedIntent, TaggedDigest]] = []
    for entry in removals.intents:
        tags = removals.removed_tags(entry)
        if tags is not None:
            names: list[str] | tuple[None] = tags or (None,)
            found += ((entry, (entry.intent.repository, entry.intent.digest, tag)) for tag in names)
    return found


def _archived(folder: Path, wanted: set[Digest]) -> dict[Digest, Manifest]:
    path = folder / "manifests.jsonl.gz"
    found = {manifest.digest: manifest for manifest in read_archive(path) if manifest.digest in wanted}
    for manifest in found.values():
        if manifest.media_type not in MEDIA_TYPES:
            raise changed(path, f"{manifest.digest} has the media type of no manifest")
    return found
