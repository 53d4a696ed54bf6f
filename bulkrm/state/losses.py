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
from bulkrm.state.journal import read_journal, sound


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
    path = folder / "journal.jsonl"
    with sound(path):
        return _losses(folder, _Told(read_journal(path)))


def _losses(folder: Path, told: "_Told") -> list[LostManifest]:
    taken = [(intent.event, tags) for intent in told.intents if (tags := told.taken(intent)) is not None]
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


@dataclass(frozen=True, slots=True)
class _Intent:
    """What was to be sent, and in which part of the run: each `resume` begins a new one."""

    event: Mapping[str, Any]
    part: int


class _Told:
    """What a journal tells: what was to be sent, and what the outcomes say of it.

    An outcome says nothing of what was sent after it, and `not-attempted` nothing of what an earlier part of the run
    had sent: that part may have been killed in the middle of it.
    """

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self.intents: list[_Intent] = []
        self.decoys: dict[str, set[Digest]] = defaultdict(set)
        self._covered: set[str] = set()  # the tags that a decoy was to be pushed over
        self._images: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._digests: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._ended: set[int] = set()
        part = 0
        for event in events:
            match event.get("event"):
                case "resumed":
                    part += 1
                case "delete" | "clear" | "untag":
                    self.intents.append(_Intent(event, part))
                case "decoy":
                    self.decoys[str(event["repository"])].add(Digest(str(event["digest"])))
                    self._covered.update(f"{event['repository']}:{tag}" for tag in event.get("tags") or ())
                case "outcome":
                    word = part, str((event.get("error") or {}).get("code") or event.get("status"))
                    name, _, pin = str(event["image"]).partition("@")
                    self._images[name].append(word)
                    self._digests[_repository_of(name), str(event.get("digest") or pin)].append(word)
                case "end":
                    self._ended.add(part)
                case _:
                    pass

    def taken(self, intent: _Intent) -> list[str] | None:
        """Return the tags that went, with their manifest or off it; None where nothing went."""
        tags = [str(tag) for tag in intent.event.get("tags") or ()]
        repository = str(intent.event["repository"])
        names = {tag: f"{repository}:{tag}" for tag in tags}
        match intent.event["event"]:
            case "delete":
                said = [*self._digests[repository, str(intent.event["digest"])]]
                said += [word for name in names.values() for word in self._images[name]]
                return tags if self._is_gone(said, intent.part) else None
            case "clear":
                # Where its manifest could not be deleted afterwards, the tag is gone all the same.
                return [tag for tag, name in names.items() if not self._is_left(name, intent.part)] or None
            case _:
                return [tag for tag, name in names.items() if self._was_untagged(name, intent.part)] or None

    def _is_gone(self, said: Iterable[tuple[int, str]], since: int) -> bool:
        """Tell whether a manifest went, or may have: also where no part that came to its end says what became of it."""
        words = self._about(said, since)
        settled = any(part > since or part in self._ended for part, _ in words)
        return bool(_TAKEN & {word for _, word in words}) or not settled

    def _was_untagged(self, name: str, since: int) -> bool:
        """Tell whether a tag went, or may have; a decoy may stand under it where that could not be deleted."""
        words = {word for _, word in self._about(self._images[name], since)}
        return not words or bool(words & _TAKEN) or (name in self._covered and not self._is_left(name, since))

    def _is_left(self, name: str, since: int) -> bool:
        """Tell whether the last that was said is that a tag was left alone, or was not there."""
        words = self._about(self._images[name], since)
        return bool(words) and (words[-1][1] in _LEFT or (words[-1][1] == _NOT_ATTEMPTED and since in self._ended))

    def _about(self, said: Iterable[tuple[int, str]], since: int) -> list[tuple[int, str]]:
        """Return what was said of something that was sent in a part of the run."""
        return [(part, word) for part, word in said if part == since or (part > since and word != _NOT_ATTEMPTED)]


_NOT_ATTEMPTED = "not-attempted"
_LEFT = frozenset({"kept", "absent"})
# `siblings-removed`: the tag went, and more with it, which was put back then and there.
_TAKEN = frozenset({"deleted", "untagged", "unconfirmed", "unfinished", "siblings-removed"})


def _repository_of(name: str) -> str:
    """Cut the tag off an image's name."""
    colon = name.find(":", name.rfind("/") + 1)
    return name if colon < 0 else name[:colon]
