"""The report as plain values, as JSON has them: the one description of its fields (schema 1)."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from bulkrm.model.digest import Digest
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
    Unchanged,
    Untagged,
    WouldDelete,
    WouldRestore,
    WouldUntag,
)
from bulkrm.model.result.report import ImageResult, Report, Verification

SCHEMA = 1


def image(result: ImageResult) -> dict[str, Any]:
    """One image. Lists are lists, what does not apply is null."""
    reason, because = _reason(result.outcome)
    failure = result.outcome.failure if isinstance(result.outcome, Failed) else None
    also: list[str] | None = []
    if isinstance(result.outcome, Deleted | WouldDelete):
        also = None if result.outcome.also_removed is None else list(result.outcome.also_removed)
    return {
        "image": result.image,
        "status": result.outcome.status.value,
        "digest": result.digest,
        "media_type": result.media_type,
        "also_removed": also,
        "reason": reason,
        "because": because,
        "error": failure and {"code": failure.code.value, "message": failure.message, "status": failure.status},
        "hint": _hint(result.outcome),
        "note": result.note,
        "source": str(result.source) if result.source else None,
        "parent": result.parent,
    }


def result(fields: Mapping[str, Any]) -> ImageResult:
    """Read an image back whose outcome is final: it was deleted, untagged, absent or kept. Raises ValueError on others."""
    because = tuple(fields["because"])
    outcome: Outcome
    match fields["status"]:
        case "deleted":
            also = None if fields["also_removed"] is None else tuple(fields["also_removed"])
            outcome = Deleted(also, for_good=fields["digest"] is None)
        case "untagged":
            outcome = Untagged(because)
        case "absent":
            outcome = Gone(fields["reason"] == "no-repository")
        case "kept":
            outcome = Kept(KeptReason(fields["reason"]), because)
        case status:
            raise ValueError(f"{status} is not final")
    digest = Digest(fields["digest"]) if fields["digest"] else None
    return ImageResult(fields["image"], outcome, None, digest, fields["media_type"], None, fields["parent"])


def _hint(outcome: Outcome) -> str | None:
    match outcome:
        case Failed(failure):
            return failure.hint
        case Kept():
            return outcome.hint
        case _:
            return None


def _reason(outcome: Outcome) -> tuple[str | None, list[str]]:
    match outcome:
        case Kept(reason, because):
            return reason.value, list(because)
        case NotAttempted(why):
            return why.value, []
        case Gone(no_repository):
            return "no-repository" if no_repository else None, []
        case Untagged(remaining_tags) | WouldUntag(remaining_tags):
            return None, list(remaining_tags)
        case Deleted() | WouldDelete() | Restored() | WouldRestore() | Unchanged() | Failed() | NoMatch():
            return None, []


def head(report: Report) -> dict[str, Any]:
    """Return everything but the images."""
    started = report.run.started.astimezone(UTC)
    return {
        "run": {
            "id": report.run.id,
            "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": round(report.run.seconds, 3),
            "dry_run": report.run.dry_run,
            "version": report.run.version,
        },
        "summary": {status.value.replace("-", "_"): count for status, count in report.summary.items()},
        "requests": {"registry": report.requests.registry, "token": report.requests.token},
        "orphans": report.orphans,
        "verification": report.verification and _verification(report.verification),
    }


def _verification(verification: Verification) -> dict[str, Any]:
    return {
        "checked": verification.checked,
        "differences": [
            {
                "image": difference.image,
                "expected": difference.expected,
                "found": difference.found,
                "message": difference.message,
                "hint": difference.hint,
            }
            for difference in verification.differences
        ],
    }
