"""The balance of a journal: what its run removed, and what undos restored of it.

- An intent means that requests may have been sent.
- A later outcome tells their effect. It tells nothing about requests after it; and `not-attempted` tells nothing about
  requests of an earlier part of the run, which may have been killed before it wrote their outcomes.
- A later undo may have restored what the intent removed: certainly if it says `restored` or `unchanged`, possibly if it
  only announces it (`restore`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bulkrm.codec.journal_events import (
    DecoyIntent,
    Event,
    ImageOutcome,
    Intent,
    IntentKind,
    PartBegan,
    PartEnded,
    UndoEnded,
    UndoOutcome,
)
from bulkrm.model.digest import Digest
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import Status

# A repository, a digest, and a tag that had this digest before the run; tag None: the manifest by its digest.
TaggedDigest = tuple[Repository, Digest, str | None]
_BACK = frozenset({Status.RESTORED, Status.UNCHANGED})
_NOT_BACK = frozenset({Status.KEPT, Status.ABSENT})
_NOT_ATTEMPTED = Status.NOT_ATTEMPTED.value
_LEFT = frozenset({"kept", "absent"})
# `siblings-removed`: the tag was removed with other tags, which the run restored at once. `tags-remain`: the manifest was
# deleted, and the registry still answers under its tags.
_TAKEN = frozenset({"deleted", "untagged", "unconfirmed", "unfinished", "siblings-removed", "tags-remain"})


@dataclass(frozen=True, slots=True)
class RecordedIntent:
    """An intent of a deletion, the number of its part of the run, and its position in the journal."""

    intent: Intent
    part: int
    position: int


class Account:
    """The removals and restorations of one run, by the events of its journal."""

    def __init__(self, events: Iterable[Event]) -> None:
        """`events`: all events of the journal, in their order."""
        self.intents: list[RecordedIntent] = []
        self.decoys: dict[Repository, set[Digest]] = defaultdict(set)
        self.end: PartEnded | None = None  # of the last part; None where that was killed, or is going on
        self._part = 0
        self._ended: set[int] = set()
        self._covered: set[tuple[Repository, str]] = set()  # tags over which a decoy may have been pushed
        self._images: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._digests: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._all_back = -1  # the position of the last undo that restored everything
        self._back: dict[TaggedDigest, int] = {}
        self._maybe: dict[TaggedDigest, int] = {}
        for position, event in enumerate(events):
            self._add(position, event)

    def _add(self, position: int, event: Event) -> None:
        match event:
            case Intent(IntentKind.RESTORE, repository, digest, tags):
                self._maybe.update(dict.fromkeys(_places(repository, digest, tags), position))
            case Intent():
                self.intents.append(RecordedIntent(event, self._part, position))
            case DecoyIntent(repository, digest, tags):
                self.decoys[repository].add(digest)
                self._covered.update((repository, tag) for tag in tags)
            case ImageOutcome():
                self._hear(event)
            case UndoOutcome():
                self._hear_of_undo(position, event)
            case UndoEnded(everything):
                self._all_back = position if everything else self._all_back
            case PartBegan() | PartEnded():
                self._turn(event)
            case _:
                pass

    def _turn(self, event: PartBegan | PartEnded) -> None:
        if isinstance(event, PartEnded):
            self.end = event
            self._ended.add(self._part)
        elif not event.undo:
            self.end = None
            self._part += 1

    def _hear(self, told: ImageOutcome) -> None:
        word = self._part, told.code or told.status.value
        name, _, pin = told.image.partition("@")
        self._images[name].append(word)
        self._digests[_repository_of(name), told.digest or pin].append(word)

    def _hear_of_undo(self, position: int, told: UndoOutcome) -> None:
        if told.digest is None:
            return
        place = told.repository, told.digest, told.tag
        if told.status in _BACK:
            self._back[place] = position
        if told.status in _BACK | _NOT_BACK:
            self._maybe.pop(place, None)

    def taken(self, entry: RecordedIntent) -> list[str] | None:
        """Return the tags that were removed by an intent, with their manifest or without it; None: nothing was."""
        intent, part = entry.intent, entry.part
        names = {tag: f"{intent.repository}:{tag}" for tag in intent.tags}
        match intent.kind:
            case IntentKind.DELETE:
                said = [*self._digests[str(intent.repository), intent.digest]]
                said += [word for name in names.values() for word in self._images[name]]
                return list(intent.tags) if self._is_gone(said, part) else None
            case IntentKind.CLEAR:
                # The tag is gone even if its manifest could not be deleted afterwards.
                return [tag for tag, name in names.items() if not self._is_left(name, part)] or None
            case _:
                return [tag for tag in names if self._was_untagged(intent.repository, tag, part)] or None

    @property
    def all_back(self) -> bool:
        """Tell whether an undo restored everything that had been removed by then."""
        return self._all_back >= 0

    @property
    def mentioned(self) -> set[TaggedDigest]:
        """All that undos restored, or may have restored."""
        return {*self._back, *self._maybe}

    def is_back(self, place: TaggedDigest, since: int) -> bool:
        """Tell whether an undo after position `since` of the journal restored something, or found it in place."""
        return since < self._all_back or since < self._back.get(place, -1)

    def may_be_back(self, place: TaggedDigest, since: int) -> bool:
        """Tell whether an undo after position `since` announced to restore something, without an outcome."""
        return not self.is_back(place, since) and since < self._maybe.get(place, -1)

    def _is_gone(self, said: Iterable[tuple[int, str]], since: int) -> bool:
        """Tell whether a manifest was deleted, or may have been because no complete part of the run has its outcome."""
        words = self._about(said, since)
        settled = any(part > since or part in self._ended for part, _ in words)
        return bool(_TAKEN & {word for _, word in words}) or not settled

    def _was_untagged(self, repository: Repository, tag: str, since: int) -> bool:
        """Tell whether a tag was removed, or may have been; a decoy that could not be deleted may be under it."""
        name = f"{repository}:{tag}"
        words = {word for _, word in self._about(self._images[name], since)}
        covered = (repository, tag) in self._covered
        return not words or bool(words & _TAKEN) or (covered and not self._is_left(name, since))

    def _is_left(self, name: str, since: int) -> bool:
        """Tell whether the last outcome of an image is that its tag was kept, or did not exist."""
        words = self._about(self._images[name], since)
        return bool(words) and (words[-1][1] in _LEFT or (words[-1][1] == _NOT_ATTEMPTED and since in self._ended))

    def _about(self, said: Iterable[tuple[int, str]], since: int) -> list[tuple[int, str]]:
        """Return the outcomes that tell about requests of part `since` of the run."""
        return [(part, word) for part, word in said if part == since or (part > since and word != _NOT_ATTEMPTED)]


def _places(repository: Repository, digest: Digest, tags: Iterable[str]) -> list[TaggedDigest]:
    return [(repository, digest, tag) for tag in tags] or [(repository, digest, None)]


def _repository_of(name: str) -> str:
    """Cut the tag off an image's name."""
    colon = name.find(":", name.rfind("/") + 1)
    return name if colon < 0 else name[:colon]
