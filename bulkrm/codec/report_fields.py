"""The fields of a report (schema 1): written for reports and journals, and read back from journals."""

from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any

from bulkrm.codec.kinds import (
    DIGEST,
    FLAG,
    MEDIA_TYPE,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
    full_reference,
    one_of,
    optional,
    record_of,
    tuple_of,
)
from bulkrm.codec.record import Kind, to_json
from bulkrm.model.digest import Digest
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NoMatch,
    NotAttempted,
    Outcome,
    Restored,
    Status,
    Unchanged,
    Untagged,
    WouldDelete,
    WouldRestore,
    WouldUntag,
)
from bulkrm.model.result.report import ImageResult, Report, Verification
from bulkrm.model.valueclass import valueclass

SCHEMA = 1
_NO_REPOSITORY = "no-repository"


@valueclass
class ImageErrorRecord:
    """The `error` of an image. `status`: the HTTP status, if there was an answer."""

    code: Annotated[FailureCode, one_of(FailureCode)]
    message: Annotated[str, TEXT] = ""
    status: Annotated[int | None, optional(NUMBER)] = None


@valueclass
class ImageRecord:
    """One image of a report, and of a journal's `outcome`. A field that does not apply is null, a list is empty.

    `also_removed` null: the tags of the manifest were not read. `image` may be a pattern that matched nothing.
    """

    image: Annotated[str, TEXT]
    status: Annotated[Status, one_of(Status)]
    digest: Annotated[Digest | None, optional(DIGEST)] = None
    media_type: Annotated[str | None, optional(MEDIA_TYPE)] = None
    also_removed: Annotated[tuple[str, ...] | None, optional(TEXTS)] = ()
    reason: Annotated[str | None, optional(TEXT)] = None
    because: Annotated[tuple[str, ...], TEXTS] = ()
    error: Annotated[ImageErrorRecord | None, optional(record_of(ImageErrorRecord))] = None
    hint: Annotated[str | None, optional(TEXT)] = None
    note: Annotated[str | None, optional(TEXT)] = None
    source: Annotated[str | None, optional(TEXT)] = None
    parent: Annotated[str | None, optional(TEXT)] = None


def image(result: ImageResult) -> dict[str, Any]:
    """Return one image as a JSON object, as reports and journals have it."""
    return to_json(image_record(result))


def image_record(result: ImageResult) -> ImageRecord:
    """Return the record of one image."""
    outcome = result.outcome
    also_removed, reason, because, error, hint = _details(outcome)
    return ImageRecord(
        result.image,
        outcome.status,
        result.digest,
        result.media_type,
        also_removed,
        reason,
        because,
        error,
        hint,
        result.note,
        str(result.source) if result.source else None,
        result.parent,
    )


_Details = tuple[tuple[str, ...] | None, str | None, tuple[str, ...], ImageErrorRecord | None, str | None]


def _details(outcome: Outcome) -> _Details:
    """Return the fields that follow from the kind of an outcome: `also_removed`, `reason`, `because`, `error` and `hint`."""
    found: _Details
    match outcome:
        case Deleted(also_removed) | WouldDelete(also_removed):
            found = also_removed, None, (), None, None
        case Kept(reason, because):
            found = (), str(reason), because, None, outcome.hint
        case NotAttempted(why):
            found = (), str(why), (), None, None
        case Gone(no_repository):
            found = (), _NO_REPOSITORY if no_repository else None, (), None, None
        case Untagged(remaining_tags) | WouldUntag(remaining_tags):
            found = (), None, remaining_tags, None, None
        case Failed(failure):
            found = (), None, (), ImageErrorRecord(failure.code, failure.message, failure.status), failure.hint
        case Restored() | WouldRestore() | Unchanged() | NoMatch():
            found = (), None, (), None, None
    return found


FINAL = frozenset({Status.DELETED, Status.UNTAGGED, Status.ABSENT, Status.KEPT})


def final_result(record: ImageRecord) -> ImageResult:
    """Return the result of an image whose outcome is final: deleted, untagged, absent or kept. Raises ValueError."""
    full_reference(record.image)
    for name in (*(record.also_removed or ()), *((record.parent,) if record.parent is not None else ())):
        full_reference(name)
    outcome: Outcome
    match record.status:
        case Status.DELETED:
            outcome = Deleted(record.also_removed, for_good=record.digest is None)
        case Status.UNTAGGED:
            outcome = Untagged(record.because)
        case Status.ABSENT:
            outcome = Gone(record.reason == _NO_REPOSITORY)
        case Status.KEPT:
            outcome = Kept(KeptReason(record.reason or ""), record.because)
        case status:
            raise ValueError(f"{status} is not final")
    return ImageResult(record.image, outcome, None, record.digest, record.media_type, None, record.parent)


_SECONDS = Kind({"type": "number", "minimum": 0}, float)


@valueclass
class RunInfoRecord:
    """The run of a report. `started`: in UTC, to the second."""

    id: Annotated[str, TEXT]
    started: Annotated[str, TEXT]
    seconds: Annotated[float, _SECONDS]
    dry_run: Annotated[bool, FLAG]
    version: Annotated[str, TEXT]


@valueclass
class RequestsRecord:
    """How many requests were sent, retries included."""

    registry: Annotated[int, NUMBER]
    token: Annotated[int, NUMBER]


@valueclass
class DifferenceRecord:
    """A tag or manifest that `--verify` did not find as expected, with its digests.

    `expected` null: it should be gone; `found` null: it is gone, or cannot be read.
    """

    image: Annotated[str, TEXT]
    expected: Annotated[Digest | None, optional(DIGEST)]
    found: Annotated[Digest | None, optional(DIGEST)]
    message: Annotated[str, TEXT]
    hint: Annotated[str, TEXT]


@valueclass
class VerificationRecord:
    """The result of `--verify`. `checked`: how many tags and manifests were read."""

    checked: Annotated[int, NUMBER]
    differences: Annotated[tuple[DifferenceRecord, ...], tuple_of(record_of(DifferenceRecord))]


@valueclass
class HeadRecord:
    """All of a report but its images. `summary` has every status; `verification` null: `--verify` was not given."""

    run: Annotated[RunInfoRecord, record_of(RunInfoRecord)]
    summary: Annotated[Mapping[str, Any], OBJECT]
    requests: Annotated[RequestsRecord, record_of(RequestsRecord)]
    orphans: Annotated[int, NUMBER]
    verification: Annotated[VerificationRecord | None, optional(record_of(VerificationRecord))]


def head(report: Report) -> dict[str, Any]:
    """Return a report without its images as a JSON object."""
    run, requests = report.run, report.requests
    started = run.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return to_json(
        HeadRecord(
            RunInfoRecord(run.id, started, round(run.seconds, 3), run.dry_run, run.version),
            {status.value.replace("-", "_"): count for status, count in report.summary.items()},
            RequestsRecord(requests.registry, requests.token),
            report.orphans,
            None if report.verification is None else _verification(report.verification),
        )
    )


def _verification(found: Verification) -> VerificationRecord:
    differences = (
        DifferenceRecord(each.image, each.expected, each.found, each.message, each.hint) for each in found.differences
    )
    return VerificationRecord(found.checked, tuple(differences))
