"""The events of a journal, and how each is written and read, by the value of the field `event`.

    planned                   the plan is on disk
    delete, clear, untag      intents: a manifest, tags ahead of their manifest, or only tags are about to be deleted
    decoy                     a decoy is about to be pushed over tags
    dangling                  tags without a manifest are about to be removed
    outcome                   the outcome of an image, as the JSON report has it
    resumed                   a part of the run begins, by `resume`
    end                       a part of the run is over
    undoing                   a part of the run begins, by `undo`
    restore                   an intent: a manifest is about to be pushed under these tags, or by its digest
    undo-outcome              the outcome of a tag, or of a manifest by its digest, as the report of the undo has it
    undo-end, undone          the undo is over; undone: everything that the run had deleted is restored

A journal may have been changed by others, so every field is checked as if a registry had sent it. An unknown event means
that the journal was changed, or written by a newer bulkrm.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from bulkrm.codec.kinds import DIGEST, FLAG, NUMBER, REPOSITORY, TAGS, full_reference, optional, record_of
from bulkrm.codec.record import OMIT_EMPTY, FieldError, Kind, from_json, to_json
from bulkrm.codec.report_fields import FINAL, ImageRecord, final_result, image
from bulkrm.model.digest import Digest
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.outcome import Status
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Source
from bulkrm.model.valueclass import valueclass


class IntentKind(StrEnum):
    """The kind of requests that are about to be sent: three kinds of deletion, and the PUT that restores a manifest."""

    DELETE = "delete"
    REMOVE_AHEAD = "clear"  # removes tags ahead of their manifest; the name in journals is older
    UNTAG = "untag"  # removes tags from a manifest that is kept
    RESTORE = "restore"


@valueclass
class Intent:
    """Requests for a manifest and its tags that are about to be sent; after a crash it is unknown whether they were."""

    kind: IntentKind
    repository: Repository
    digest: Digest
    tags: tuple[str, ...]


@valueclass
class _IntentRecord:
    repository: Annotated[Repository, REPOSITORY]
    digest: Annotated[Digest, DIGEST]
    tags: Annotated[tuple[str, ...], TAGS] = ()


@valueclass
class DecoyIntent:
    """A decoy that is about to be pushed over tags."""

    event: ClassVar[str] = "decoy"
    repository: Annotated[Repository, REPOSITORY]
    digest: Annotated[Digest, DIGEST]
    tags: Annotated[tuple[str, ...], TAGS] = ()


@valueclass
class DanglingIntent:
    """Tags without a manifest that are about to be removed; there is nothing to restore."""

    event: ClassVar[str] = "dangling"
    repository: Annotated[Repository, REPOSITORY]
    tags: Annotated[tuple[str, ...], TAGS] = ()


@valueclass
class ImageOutcome:
    """The outcome of an image. `code`: of its error; `why`: the reason, for people; `result`: None unless it is final.

    `image` is a reference in full normal form, or a pattern that failed or was not attempted. `source`: its place in the
    list; None for an attached image, and where the place cannot be parsed.
    """

    image: str
    status: Status
    digest: Digest | None
    code: str | None
    why: str = ""
    result: ImageResult | None = None
    source: Source | None = None


@valueclass
class UndoOutcome:
    """The outcome of undo for a tag, or (`tag` None) for a manifest by its digest; `digest` None: not attempted."""

    repository: Repository
    digest: Digest | None
    tag: str | None
    status: Status
    image: str
    why: str = ""


class Undone(StrEnum):
    """How much of what a run deleted was restored by undos."""

    NO = "no"
    PARTLY = "partly"
    WHOLLY = "wholly"


@valueclass
class PartBegan:
    """A further part of the run began, by `resume` or (`undo`) by `undo`."""

    undo: bool


def _counts(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError("is not an object")  # noqa: TRY004 (of what a file says, not of an argument)
    for key, count in value.items():
        if key.replace("_", "-") not in _STATUSES:
            raise ValueError(f"has {str(key)[:40]!r}, which is not a status")
        NUMBER.read(count)
    return value


def _undone(value: Any) -> Undone | None:
    """Return how much was undone. An unknown value counts as missing: the whole journal tells it too."""
    return Undone(value) if isinstance(value, str) and value in list(Undone) else None


_UNDONE: Kind[Undone | None] = Kind({"type": "string"}, _undone)
_STATUSES = frozenset(status.value for status in Status)
_COUNTS: Kind[Mapping[str, int]] = Kind({"type": "object"}, _counts, dict)


@valueclass
class PartEnded:
    """A part of the run is over. `code`: its exit code; `summary`: the number of images by status.

    `unfinished`: how many images `resume` has to look up; `declined`: the user said no. `standing`: how much of the run
    was undone by then, so that the whole journal need not be read; None where that was not known.
    """

    event: ClassVar[str] = "end"
    code: Annotated[int, NUMBER] = 0
    summary: Annotated[Mapping[str, int], _COUNTS] = field(default_factory=dict)
    unfinished: Annotated[int, NUMBER] = 0
    declined: Annotated[bool, FLAG] = False
    standing: Annotated[Undone | None, _UNDONE, OMIT_EMPTY] = None


@valueclass
class UndoEnded:
    """An undo is over; `everything`: all that had been deleted before is restored.

    `standing`: how much of the run was undone by then, as in PartEnded; `ended`: the end of the run's last part.
    """

    everything: bool
    standing: Undone | None = None
    ended: PartEnded | None = None


@valueclass
class _UndoEndRecord:
    standing: Annotated[Undone | None, _UNDONE, OMIT_EMPTY] = None
    ended: Annotated[PartEnded | None, optional(record_of(PartEnded))] = None


@valueclass
class Planned:
    """The plan is on disk."""


Event = Intent | DecoyIntent | DanglingIntent | ImageOutcome | UndoOutcome | PartBegan | PartEnded | UndoEnded | Planned


def event_fields(
    event: Intent | DecoyIntent | DanglingIntent | PartBegan | PartEnded | UndoEnded | Planned,
) -> dict[str, Any]:
    """Return an event as the JSON object of its line."""
    match event:
        case Intent(kind, repository, digest, tags):
            return {"event": str(kind), **to_json(_IntentRecord(repository, digest, tags))}
        case PartBegan(undo):
            return {"event": "undoing" if undo else "resumed"}
        case UndoEnded(everything, standing, ended):
            return {"event": "undone" if everything else "undo-end", **to_json(_UndoEndRecord(standing, ended))}
        case Planned():
            return {"event": "planned"}
        case _:
            return {"event": event.event, **to_json(event)}


def outcome_fields(result: ImageResult, *, undo: bool = False) -> dict[str, Any]:
    """Return the outcome of an image as the JSON object of its line."""
    return {"event": "undo-outcome" if undo else "outcome", **image(result)}


def parse_event(found: Mapping[str, Any]) -> Event:
    """Parse the JSON object of a line. Raises ValueError if it is not an event."""
    match found.get("event"):
        case "delete" | "clear" | "untag" | "restore" as kind:
            record = from_json(_IntentRecord, found)
            return Intent(IntentKind(kind), record.repository, record.digest, record.tags)
        case "decoy":
            return from_json(DecoyIntent, found)
        case "dangling":
            return from_json(DanglingIntent, found)
        case "outcome":
            return _image_outcome(from_json(ImageRecord, found))
        case "undo-outcome":
            return _undo_outcome(from_json(ImageRecord, found))
        case kind:
            return _parse_milestone(kind, found)


def _parse_milestone(kind: object, found: Mapping[str, Any]) -> Event:
    match kind:
        case "planned":
            return Planned()
        case "resumed" | "undoing":
            return PartBegan(undo=kind == "undoing")
        case "end":
            return from_json(PartEnded, found)
        case "undone" | "undo-end":
            record = from_json(_UndoEndRecord, found)
            return UndoEnded(kind == "undone", record.standing, record.ended)
        case _:
            raise ValueError(f"there is no event {str(kind)[:40]!r}; was it recorded by a newer bulkrm?")


def _image_outcome(record: ImageRecord) -> ImageOutcome:
    result = final_result(record) if record.status in FINAL else None
    code = record.error.code.value if record.error is not None else None
    return ImageOutcome(record.image, record.status, record.digest, code, _why(record), result, _source(record))


def _source(record: ImageRecord) -> Source | None:
    """Return the place in the list; None where it cannot be parsed: it only decides about the order of results."""
    try:
        return Source.parse(record.source) if record.source is not None else None
    except ValueError:
        return None


def _undo_outcome(record: ImageRecord) -> UndoOutcome:
    reference = full_reference(record.image)
    tag = reference.tag if isinstance(reference, TagRef) else None
    if isinstance(reference, DigestRef) and record.digest is not None and reference.digest != record.digest:
        raise FieldError("digest", "differs from the digest of its image")
    if record.digest is None and record.status is not Status.NOT_ATTEMPTED:
        raise FieldError("digest", "is missing")
    return UndoOutcome(reference.repository, record.digest, tag, record.status, record.image, _why(record))


def _why(record: ImageRecord) -> str:
    """Return the reason of an outcome for people: code and message of the error, or the reason and its explanation."""
    if record.error is not None:
        return f"{record.error.code}: {record.error.message}"
    return ": ".join(word for word in (record.reason, ", ".join(record.because)) if word)
