"""What stands in a journal, as values: every field is checked as one that a registry sent.

    planned                   the plan is on the disk
    delete, clear, untag      intents: a manifest, tags ahead of their manifest, or tags alone are to be deleted now
    decoy                     a decoy is to be pushed over tags now
    dangling                  tags that lead nowhere are to be removed now
    outcome                   what became of an image, as the JSON report has it
    resumed                   a part begins: `resume` goes on with the run
    end                       a part of the run is over
    undoing                   a part begins: `undo` takes the run back
    restore                   an intent: a manifest is to be pushed under these tags now, or by its digest
    undo-outcome              what became of a tag, or of a manifest by its digest, as the report of the undo has it
    undo-end, undone          the undo is over; undone: all that the run had deleted is back

Whatever else stands there was not written by this version: the record was changed, or is that of a newer bulkrm.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.reference import DigestRef, Repository, TagRef, parse_reference, parse_repository
from bulkrm.model.result.outcome import Status
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Source
from bulkrm.state.checks import code_of, digest_of, flag_of, number_of, tags_of, text_of, why_of
from bulkrm.state.errors import changed
from bulkrm.state.journal.file import numbered
from bulkrm.state.journal.results import result_of

_FINAL = frozenset({Status.DELETED, Status.UNTAGGED, Status.ABSENT, Status.KEPT})


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that was to be sent, and may have been. `kind`: `delete`, `clear`, `untag` or `restore`."""

    kind: str
    repository: Repository
    digest: Digest
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecoyIntent:
    """A decoy that was to be pushed over tags."""

    repository: Repository
    digest: Digest
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DanglingIntent:
    """Tags that led nowhere and were to be removed: there is nothing to put back."""

    repository: Repository
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageOutcome:
    """What became of an image. `code` and `why`: the reason, for programs and for people. `result`: all, where it is final.

    `image` is a reference in full normal form; where the image failed or was not attempted it may be a pattern. `source`:
    the place in the list that names it; None where it only belongs to what the list names.
    """

    image: str
    status: Status
    digest: Digest | None
    code: str | None
    why: str = ""
    result: ImageResult | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What an undo says of a tag, or (`tag` None) of a manifest by its digest; `digest` None: it was not attempted."""

    repository: Repository
    digest: Digest | None
    tag: str | None
    status: Status
    image: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class PartBegan:
    """A further part of the run began, or (`undo`) one that takes it back."""

    undo: bool


@dataclass(frozen=True, slots=True)
class PartEnded:
    """A part of the run is over. `unfinished`: of how many images `resume` has something to find out."""

    code: int = 0
    summary: Mapping[str, int] = field(default_factory=dict)
    unfinished: int = 0
    declined: bool = False

    def as_fields(self) -> dict[str, Any]:
        """Return it as `parse_end` reads it."""
        return {
            "code": self.code,
            "summary": dict(self.summary),
            "unfinished": self.unfinished,
            "declined": self.declined,
        }


@dataclass(frozen=True, slots=True)
class UndoEnded:
    """An undo is over; `everything`: all that was deleted before is back."""

    everything: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is on the disk."""


Event = Intent | DecoyIntent | DanglingIntent | ImageOutcome | UndoOutcome | PartBegan | PartEnded | UndoEnded | Planned


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a journal. Raises StateError with file and line where one is none of bulkrm's."""
    for number, fields in numbered(path):
        try:
            event = parse_event(fields)
        except InputError as error:
            raise changed(f"{path}:{number}", error.problems[0].what) from error
        except ValueError as error:
            raise changed(f"{path}:{number}", str(error)) from error
        yield event


def parse_event(fields: Mapping[str, Any]) -> Event:
    """Turn an object of a journal into its event. Raises ValueError or InputError where it is none."""
    kind = fields.get("event")
    parse = _KINDS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise ValueError(f"there is no event {str(kind)[:40]!r}; was it recorded by a newer bulkrm?")
    return parse(fields)


def parse_end(fields: Mapping[str, Any]) -> PartEnded:
    """Read how a part of a run ended. Raises ValueError."""
    summary = fields.get("summary", {})
    if not isinstance(summary, dict):
        raise ValueError("'summary' is no object")  # noqa: TRY004 (of what a file says, not of an argument)
    counts = {Status(key.replace("_", "-")).value.replace("-", "_"): number_of(summary, key) or 0 for key in summary}
    return PartEnded(
        number_of(fields, "code") or 0, counts, number_of(fields, "unfinished") or 0, flag_of(fields, "declined")
    )


# What a host without a port has: with --plain-http another one, and the record does not tell which it was.
_DEFAULT_PORTS = (443, 80)


@lru_cache(maxsize=256)
def _repository(text: str) -> Repository:
    for port in _DEFAULT_PORTS:
        repository = parse_repository(text, None, port)
        if str(repository) == text:
            return repository
    raise ValueError(f"{text[:200]!r} is not the normal form of a repository")


def _intent(fields: Mapping[str, Any]) -> Intent:
    repository = _repository(text_of(fields, "repository"))
    return Intent(fields["event"], repository, digest_of(fields, "digest"), tags_of(fields, "tags"))


def _decoy(fields: Mapping[str, Any]) -> DecoyIntent:
    repository = _repository(text_of(fields, "repository"))
    return DecoyIntent(repository, digest_of(fields, "digest"), tags_of(fields, "tags"))


def _dangling(fields: Mapping[str, Any]) -> DanglingIntent:
    return DanglingIntent(_repository(text_of(fields, "repository")), tags_of(fields, "tags"))


def _told(fields: Mapping[str, Any]) -> ImageOutcome:
    image, status = text_of(fields, "image"), Status(text_of(fields, "status"))
    result = None
    if status in _FINAL:
        _reference(image)
        result = result_of(fields)
    digest = digest_of(fields, "digest") if fields.get("digest") is not None else None
    return ImageOutcome(image, status, digest, code_of(fields, "error"), why_of(fields), result, _source(fields))


def _source(fields: Mapping[str, Any]) -> Source | None:
    """Read the place in the list, which decides nothing but the order in which results are shown."""
    try:
        return Source.parse(text_of(fields, "source")) if fields.get("source") is not None else None
    except ValueError:
        return None


def _undo_told(fields: Mapping[str, Any]) -> UndoOutcome:
    image, status = text_of(fields, "image"), Status(text_of(fields, "status"))
    digest = digest_of(fields, "digest") if fields.get("digest") is not None else None
    reference = _reference(image)
    tag = reference.tag if isinstance(reference, TagRef) else None
    if isinstance(reference, DigestRef) and reference.digest != digest and digest is not None:
        raise ValueError("its image and its digest are not the same")
    if digest is None and status is not Status.NOT_ATTEMPTED:
        raise ValueError("it has no digest")
    return UndoOutcome(reference.repository, digest, tag, status, image, why_of(fields))


def _reference(text: str) -> TagRef | DigestRef:
    for port in _DEFAULT_PORTS:
        reference = parse_reference(text, default_port=port)
        if str(reference) == text:
            return reference
    raise ValueError(f"{text[:200]!r} is not the normal form of an image's name")


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "planned": lambda _: Planned(),
    "delete": _intent,
    "clear": _intent,
    "untag": _intent,
    "restore": _intent,
    "decoy": _decoy,
    "dangling": _dangling,
    "outcome": _told,
    "undo-outcome": _undo_told,
    "resumed": lambda _: PartBegan(undo=False),
    "undoing": lambda _: PartBegan(undo=True),
    "end": parse_end,
    "undone": lambda _: UndoEnded(everything=True),
    "undo-end": lambda _: UndoEnded(everything=False),
}
