"""What a run took away and what came back, added up from the whole of its journal.

An intent says that something may have been sent. An outcome that stands behind it says what came of it; it says nothing
of what was sent after it, and `not-attempted` nothing of what an earlier part of the run had sent, because that part may
have been killed in the middle. An undo that stands behind an intent may have put back what that took away: for sure where
it says so (`restored`, `unchanged`), perhaps where it only says that it was going to.
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

# A tag of a repository (None: the manifest by its digest) that held, or is to hold, this digest.
TaggedDigest = tuple[Repository, Digest, str | None]
_BACK = frozenset({Status.RESTORED, Status.UNCHANGED})
_NOT_BACK = frozenset({Status.KEPT, Status.ABSENT})
_NOT_ATTEMPTED = Status.NOT_ATTEMPTED.value
_LEFT = frozenset({"kept", "absent"})
# `siblings-removed`: the tag went, and more with it, which was put back then and there. `tags-remain`: the manifest
# went, and the registry went on answering under its tags.
_TAKEN = frozenset({"deleted", "untagged", "unconfirmed", "unfinished", "siblings-removed", "tags-remain"})


@dataclass(frozen=True, slots=True)
class RecordedIntent:
    """An intent of a deletion, in which part of the run it was made, and where in the journal."""

    intent: Intent
    part: int
    position: int


class Account:
    """The account of one run."""

    def __init__(self, events: Iterable[Event]) -> None:
        """Add them up."""
        self.intents: list[RecordedIntent] = []
        self.decoys: dict[Repository, set[Digest]] = defaultdict(set)
        self.end: PartEnded | None = None  # of the last part, if that came to its end
        self._part = 0
        self._ended: set[int] = set()
        self._covered: set[tuple[Repository, str]] = set()  # the tags that a decoy was to be pushed over
        self._images: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._digests: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._all_back = -1  # before this position everything is back
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
        """Return the tags that went, with their manifest or off it; None where nothing went."""
        intent, part = entry.intent, entry.part
        names = {tag: f"{intent.repository}:{tag}" for tag in intent.tags}
        match intent.kind:
            case IntentKind.DELETE:
                said = [*self._digests[str(intent.repository), intent.digest]]
                said += [word for name in names.values() for word in self._images[name]]
                return list(intent.tags) if self._is_gone(said, part) else None
            case IntentKind.CLEAR:
                # Where its manifest could not be deleted afterwards, the tag is gone all the same.
                return [tag for tag, name in names.items() if not self._is_left(name, part)] or None
            case _:
                return [tag for tag in names if self._was_untagged(intent.repository, tag, part)] or None

    @property
    def all_back(self) -> bool:
        """Tell whether an undo put back all that there was to put back."""
        return self._all_back >= 0

    @property
    def mentioned(self) -> set[TaggedDigest]:
        """What undos put back, or may have."""
        return {*self._back, *self._maybe}

    def is_back(self, place: TaggedDigest, since: int) -> bool:
        """Tell whether an undo put something back after a position of the journal, or found it there."""
        return since < self._all_back or since < self._back.get(place, -1)

    def may_be_back(self, place: TaggedDigest, since: int) -> bool:
        """Tell whether an undo may have put something back after a position, and nobody wrote down whether it did."""
        return not self.is_back(place, since) and since < self._maybe.get(place, -1)

    def _is_gone(self, said: Iterable[tuple[int, str]], since: int) -> bool:
        """Tell whether a manifest went, or may have: also where no part that came to its end says what became of it."""
        words = self._about(said, since)
        settled = any(part > since or part in self._ended for part, _ in words)
        return bool(_TAKEN & {word for _, word in words}) or not settled

    def _was_untagged(self, repository: Repository, tag: str, since: int) -> bool:
        """Tell whether a tag went, or may have; a decoy may stand under it where that could not be deleted."""
        name = f"{repository}:{tag}"
        words = {word for _, word in self._about(self._images[name], since)}
        covered = (repository, tag) in self._covered
        return not words or bool(words & _TAKEN) or (covered and not self._is_left(name, since))

    def _is_left(self, name: str, since: int) -> bool:
        """Tell whether the last that was said is that a tag was left alone, or was not there."""
        words = self._about(self._images[name], since)
        return bool(words) and (words[-1][1] in _LEFT or (words[-1][1] == _NOT_ATTEMPTED and since in self._ended))

    def _about(self, said: Iterable[tuple[int, str]], since: int) -> list[tuple[int, str]]:
        """Return what was said of something that was sent in a part of the run."""
        return [(part, word) for part, word in said if part == since or (part > since and word != _NOT_ATTEMPTED)]


def _places(repository: Repository, digest: Digest, tags: Iterable[str]) -> list[TaggedDigest]:
    return [(repository, digest, tag) for tag in tags] or [(repository, digest, None)]


def _repository_of(name: str) -> str:
    """Cut the tag off an image's name."""
    colon = name.find(":", name.rfind("/") + 1)
    return name if colon < 0 else name[:colon]
