"""The manifests and tags that a run removed, and those that undos restored, by its journal and its archive."""

from dataclasses import dataclass, field
from pathlib import Path

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Manifest
from bulkrm.model.reference import Repository
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import StateError, changed
from bulkrm.state.journal.account import Account, RecordedIntent, TaggedDigest
from bulkrm.state.journal.events import read_events
from bulkrm.state.journal.marker import has_marker


@dataclass(slots=True)
class LostManifest:
    """One manifest of one repository, with the tags that were removed, together with it or without it.

    `back`: those tags (None: the manifest, if it had no tag) that an undo restored. `decoys`: decoys of the run that may
    still be under the tags.
    """

    repository: Repository
    manifest: Manifest
    tags: dict[str, None] = field(default_factory=dict)
    decoys: set[Digest] = field(default_factory=set)
    back: set[str | None] = field(default_factory=set)


def losses(folder: Path) -> list[LostManifest]:
    """Return what a run removed, or may have removed, in that order. Raises StateError.

    A manifest may have been removed if its intent has no outcome because the run was killed; the caller asks the
    registry. Manifests that an undo restored since are included.
    """
    account = Account(read_events(folder / "journal.jsonl"))
    taken = [(entry, tags) for entry in account.intents if (tags := account.taken(entry)) is not None]
    archive = _archived(folder, {entry.intent.digest for entry, _ in taken})
    found: dict[tuple[Repository, Digest], LostManifest] = {}
    for entry, tags in taken:
        repository, digest = entry.intent.repository, entry.intent.digest
        if digest not in archive:
            raise StateError(f"{folder}: the manifest {digest} is not in the archive")
        lost = found.setdefault((repository, digest), LostManifest(repository, archive[digest]))
        lost.tags.update(dict.fromkeys(tags))
        lost.decoys = account.decoys.get(repository, set())
    missing = still_lost(account)
    for (repository, digest), lost in found.items():
        lost.back = {tag for tag in lost.tags or (None,) if (repository, digest, tag) not in missing}
    return list(found.values())


def still_lost(account: Account) -> set[TaggedDigest]:
    """Return what a run removed, or may have removed, without what an undo is known to have restored."""
    return {place for entry, place in _taken_places(account) if not account.is_back(place, entry.position)}


@dataclass(frozen=True, slots=True)
class PutBack:
    """What undos restored of a run. `sure`: it was read back; `maybe`: it may have been pushed, without an outcome."""

    sure: frozenset[TaggedDigest] = frozenset()
    maybe: frozenset[TaggedDigest] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether undos restored anything, or may have."""
        return bool(self.sure or self.maybe)


def put_back(folder: Path, account: Account) -> PutBack:
    """Return what undos restored of the removals of a run."""
    places = _taken_places(account)
    lost = still_lost(account)
    since = {(place[0], place[1]): entry.position for entry, place in places}  # the last removal of each
    # The child of an index may be restored without the tags that it had.
    further = {place for place in account.mentioned if (place[0], place[1]) in since}
    back = {place for place in further if account.is_back(place, since[place[0], place[1]])}
    maybe = {place for place in further if account.may_be_back(place, since[place[0], place[1]])}
    if has_marker(folder):  # an undo could not write the journal: it may have restored everything
        maybe |= lost - back
    return PutBack(frozenset(({place for _, place in places} - lost) | back), frozenset(maybe))


def _taken_places(account: Account) -> list[tuple[RecordedIntent, TaggedDigest]]:
    found: list[tuple[RecordedIntent, TaggedDigest]] = []
    for entry in account.intents:
        tags = account.taken(entry)
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
