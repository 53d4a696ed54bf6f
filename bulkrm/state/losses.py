"""What a run took away, as its journal and its archive tell it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest
from bulkrm.state.archive import read_archive
from bulkrm.state.errors import StateError
from bulkrm.state.journal import read_journal


@dataclass(slots=True)
class LostManifest:
    """One manifest of one repository (`host/path`), and the tags that went, with it or off it."""

    repository: str
    manifest: Manifest
    tags: dict[str, None] = field(default_factory=dict)
    decoys: set[Digest] = field(default_factory=set)


def losses(folder: Path) -> list[LostManifest]:
    """Return what a run took away or may have taken away, in the order in which it did. Raises StateError.

    Where no outcome tells, because the run was killed, it may have been taken away: whoever looks finds out.
    """
    events = list(read_journal(folder / "journal.jsonl"))
    told = _Told(events)
    taken = [(event, tags) for event in events if (tags := told.taken(event)) is not None]
    wanted = {str(event["digest"]) for event, _ in taken}
    archive = {
        manifest.digest: manifest
        for manifest in read_archive(folder / "manifests.jsonl.gz")
        if manifest.digest in wanted
    }
    found: dict[tuple[str, str], LostManifest] = {}
    for event, tags in taken:
        repository, digest = str(event["repository"]), Digest(str(event["digest"]))
        if digest not in archive:
            raise StateError(f"{folder}: the manifest {digest} is not in the archive")
        lost = found.setdefault((repository, digest), LostManifest(repository, archive[digest]))
        lost.tags.update(dict.fromkeys(tags))
        lost.decoys = told.decoys.get(repository, set())
    return list(found.values())


class _Told:
    """What the outcomes of a journal tell."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self.decoys: dict[str, set[Digest]] = defaultdict(set)
        self._covered: set[str] = set()  # the tags that a decoy was to be pushed over
        self._images: dict[str, str] = {}
        self._digests: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._ended = False
        for event in events:
            match event.get("event"):
                case "decoy":
                    self.decoys[str(event["repository"])].add(Digest(str(event["digest"])))
                    self._covered.update(f"{event['repository']}:{tag}" for tag in event.get("tags") or ())
                case "outcome":
                    word = str((event.get("error") or {}).get("code") or event.get("status"))
                    name, _, pin = str(event["image"]).partition("@")
                    self._images[name] = word
                    self._digests[_repository_of(name), str(event.get("digest") or pin)].add(word)
                case "end":
                    self._ended = True
                case _:
                    pass

    def taken(self, event: Mapping[str, Any]) -> list[str] | None:
        """Return the tags that an event took away, with their manifest or off it; None where it took nothing."""
        tags = [str(tag) for tag in event.get("tags") or ()]
        repository = str(event.get("repository"))
        match event.get("event"):
            case "delete":
                words = self._digests.get((repository, str(event["digest"])), set())
                words = words | {word for tag in tags if (word := self._images.get(f"{repository}:{tag}"))}
                return tags if words & _TAKEN or not (words and self._ended) else None
            case "clear":
                # Where its manifest could not be deleted afterwards, the tag is gone all the same.
                return [tag for tag in tags if not self._is_left(f"{repository}:{tag}")] or None
            case "untag":
                return [tag for tag in tags if self._was_untagged(f"{repository}:{tag}")] or None
            case _:
                return None

    def _was_untagged(self, name: str) -> bool:
        """Tell whether a tag went, or may have; a decoy may stand under it where that could not be deleted."""
        if self._images.get(name, "untold") in _TAKEN:
            return True
        return name in self._covered and not self._is_left(name)

    def _is_left(self, name: str) -> bool:
        """Tell whether the outcome says that a tag was left alone, or was not there."""
        left = {"kept", "absent", *(("not-attempted",) if self._ended else ())}
        return self._images.get(name) in left


# `siblings-removed`: the tag went, and more with it, which was put back then and there.
_TAKEN = frozenset({"deleted", "untagged", "unconfirmed", "unfinished", "siblings-removed", "untold"})


def _repository_of(name: str) -> str:
    """Cut the tag off an image's name."""
    colon = name.find(":", name.rfind("/") + 1)
    return name if colon < 0 else name[:colon]
