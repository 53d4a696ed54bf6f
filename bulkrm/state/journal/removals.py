"""The removals and restorations of a run, by the events of its journal.

- An intent means that its requests may have been sent.
- A later outcome tells their effect. It tells nothing about requests that follow it. The outcome `not-attempted` of a
  later part tells nothing either: the earlier part may have been killed before it wrote the outcome of its requests.
- A later undo may have restored the manifests and tags of an intent: certainly if their outcome is `restored` or
  `unchanged`, possibly if there is only the intent of the undo (`restore`).
"""

from collections import defaultdict
from collections.abc import Iterable

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
from bulkrm.model.valueclass import valueclass

# A repository, a digest, and a tag that had this digest before the run; tag None: the manifest by its digest.
TaggedDigest = tuple[Repository, Digest, str | None]
_RESTORED = frozenset({Status.RESTORED, Status.UNCHANGED})
_NOT_RESTORED = frozenset({Status.KEPT, Status.ABSENT})
_NOT_ATTEMPTED = Status.NOT_ATTEMPTED.value
_NOT_REMOVED = frozenset({"kept", "absent"})
# `siblings-removed`: the tag was removed with other tags, which the run restored at once. `tags-remain`: the manifest was
# deleted, and the registry still answers under its tags.
_REMOVED = frozenset({"deleted", "untagged", "unconfirmed", "unfinished", "siblings-removed", "tags-remain"})


@valueclass
class RecordedIntent:
    """An intent of a deletion, the number of its part of the run, and its position in the journal."""

    intent: Intent
    part: int
    position: int


class Removals:
    """What one run removed, and what undos restored of it.

    `intents`: of all deletions, in their order; `decoys`: the digests of decoys, by repository; `end`: of the last part of
    the run, None where that was killed, or is still running.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        """`events`: all events of the journal, in their order."""
        self.intents: list[RecordedIntent] = []
        self.decoys: dict[Repository, set[Digest]] = defaultdict(set)
        self.end: PartEnded | None = None
        self._part = 0
        self._ended: set[int] = set()
        self._covered: set[tuple[Repository, str]] = set()  # tags over which a decoy may have been pushed
        # Outcomes by image and by (repository, digest): the number of the part, and the error code or status.
        self._images: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._digests: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._all_restored = -1  # the position of the last undo that restored everything; -1: there is none
        self._restored: dict[TaggedDigest, int] = {}  # the positions of outcomes of undos
        self._announced: dict[TaggedDigest, int] = {}  # the positions of intents of undos without an outcome
        for position, event in enumerate(events):
            self._add(position, event)

    def _add(self, position: int, event: Event) -> None:
        match event:
            case Intent(IntentKind.RESTORE, repository, digest, tags):
                self._announced.update(dict.fromkeys(_tagged_digests(repository, digest, tags), position))
            case Intent():
                self.intents.append(RecordedIntent(event, self._part, position))
            case DecoyIntent(repository, digest, tags):
                self.decoys[repository].add(digest)
                self._covered.update((repository, tag) for tag in tags)
            case ImageOutcome():
                self._add_outcome(event)
            case UndoOutcome():
                self._add_undo_outcome(position, event)
            case UndoEnded(everything):
                self._all_restored = position if everything else self._all_restored
            case PartBegan() | PartEnded():
                self._add_part(event)
            case _:
                pass

    def _add_part(self, event: PartBegan | PartEnded) -> None:
        if isinstance(event, PartEnded):
            self.end = event
            self._ended.add(self._part)
        elif not event.undo:
            self.end = None
            self._part += 1

    def _add_outcome(self, outcome: ImageOutcome) -> None:
        word = self._part, outcome.code or outcome.status.value
        name, _, pin = outcome.image.partition("@")
        self._images[name].append(word)
        self._digests[_repository_of(name), outcome.digest or pin].append(word)

    def _add_undo_outcome(self, position: int, outcome: UndoOutcome) -> None:
        if outcome.digest is None:
            return
        key = outcome.repository, outcome.digest, outcome.tag
        if outcome.status in _RESTORED:
            self._restored[key] = position
        if outcome.status in _RESTORED | _NOT_RESTORED:
            self._announced.pop(key, None)

    def removed_tags(self, entry: RecordedIntent) -> list[str] | None:
        """Return the tags that an intent removed, or may have removed, with their manifest or without it.

        [] if only a manifest was removed; None if nothing was.
        """
        intent, part = entry.intent, entry.part
        names = {tag: f"{intent.repository}:{tag}" for tag in intent.tags}
        match intent.kind:
            case IntentKind.DELETE:
                said = [*self._digests[str(intent.repository), intent.digest]]
                said += [word for name in names.values() for word in self._images[name]]
                return list(intent.tags) if self._is_gone(said, part) else None
            case IntentKind.REMOVE_AHEAD:
                # The tag is gone even if its manifest could not be deleted afterwards.
                return [tag for tag, name in names.items() if not self._is_not_removed(name, part)] or None
            case _:
                return [tag for tag in names if self._was_untagged(intent.repository, tag, part)] or None

    @property
    def all_restored(self) -> bool:
        """Tell whether an undo restored everything that had been removed by then."""
        return self._all_restored >= 0

    @property
    def named_by_undos(self) -> set[TaggedDigest]:
        """The manifests and tags that undos restored, or may have restored."""
        return {*self._restored, *self._announced}

    def is_restored(self, key: TaggedDigest, since: int) -> bool:
        """Tell whether an undo after position `since` of the journal restored a manifest or tag, or found it unchanged."""
        return since < self._all_restored or since < self._restored.get(key, -1)

    def may_be_restored(self, key: TaggedDigest, since: int) -> bool:
        """Tell whether an undo after position `since` has an intent to restore a manifest or tag, without an outcome."""
        return not self.is_restored(key, since) and since < self._announced.get(key, -1)

    def _is_gone(self, said: Iterable[tuple[int, str]], since: int) -> bool:
        """Tell whether a manifest was deleted, or may have been, because no complete part of the run has its outcome."""
        words = self._about(said, since)
        settled = any(part > since or part in self._ended for part, _ in words)
        return bool(_REMOVED & {word for _, word in words}) or not settled

    def _was_untagged(self, repository: Repository, tag: str, since: int) -> bool:
        """Tell whether a tag was removed, or may have been; it may also lead to a decoy that could not be deleted."""
        name = f"{repository}:{tag}"
        words = {word for _, word in self._about(self._images[name], since)}
        covered = (repository, tag) in self._covered
        return not words or bool(words & _REMOVED) or (covered and not self._is_not_removed(name, since))

    def _is_not_removed(self, name: str, since: int) -> bool:
        """Tell whether the last outcome of an image says that its tag was kept, absent or not attempted."""
        words = self._about(self._images[name], since)
        return bool(words) and (
            words[-1][1] in _NOT_REMOVED or (words[-1][1] == _NOT_ATTEMPTED and since in self._ended)
        )

    def _about(self, said: Iterable[tuple[int, str]], since: int) -> list[tuple[int, str]]:
        """Return the outcomes that tell about requests of part `since` of the run."""
        return [(part, word) for part, word in said if part == since or (part > since and word != _NOT_ATTEMPTED)]


def _tagged_digests(repository: Repository, digest: Digest, tags: Iterable[str]) -> list[TaggedDigest]:
    return [(repository, digest, tag) for tag in tags] or [(repository, digest, None)]


def _repository_of(name: str) -> str:
    """Return an image's name without its tag."""
    colon = name.find(":", name.rfind("/") + 1)
    return name if colon < 0 else name[:colon]
