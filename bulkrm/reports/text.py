"""The report for people: the images, each hint once, and the totals at the end.

In a pipe every image is one line, in the order of the list. On a terminal the images that need attention come first
(`bulkrm.reports.on_terminal`).
"""

from collections.abc import Iterable, Iterator

from bulkrm.model.result.outcome import (
    Failed,
    Kept,
    KeptReason,
    Outcome,
)
from bulkrm.model.result.report import ImageResult, Report, Verification
from bulkrm.model.text.layout import counted, wrapped
from bulkrm.reports.format import ReportFormat, View, no_line
from bulkrm.reports.on_terminal import images_on_terminal, totals_of_repositories
from bulkrm.reports.rows import Row, condition_of, kept_by_conditions, laid_out, row_of


def whole(report: Report, view: View) -> str:
    """Return the table, the hints and the totals."""
    blocks = [
        "\n".join(_rows(report.images, view) if view.width is None else images_on_terminal(report, view)),
        "\n".join(_hints(report.images, view)),
        "\n".join(report.explained),
        "\n".join(wrapped(_verification(report.verification), view.width)),
        "\n".join(totals_of_repositories(report, view) if view.width is not None else ()),
        "\n".join(wrapped([*report.closing, totals(report)], view.width)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def totals(report: Report) -> str:
    """Return the line of totals, for example `500 images: 480 deleted, 20 kept. 12.3 s, 1,012 requests.`."""
    number = len(report.images)
    counts = ", ".join(f"{count:,} {status.value}" for status, count in report.summary.items() if count)
    images = counted(number, "image") + (f": {counts}" if counts else "")
    requests = counted(report.requests.registry + report.requests.token, "request")
    return f"{images}. {report.run.seconds:.1f} s, {requests}."


def _rows(images: Iterable[ImageResult], view: View) -> Iterator[str]:
    """Yield a line for each image, except for images that conditions keep: those are counted."""
    conditions: list[KeptReason] = []
    rows: list[Row] = []
    for result in images:
        reason = condition_of(result.outcome)
        if reason is None:
            rows.append(row_of(result))
        else:
            conditions.append(reason)
    yield from laid_out(rows, view)
    yield from kept_by_conditions(conditions, view)


def _verification(verification: Verification | None) -> Iterator[str]:
    """Yield the result of `--verify`: each difference with the command that corrects it."""
    if verification is None:
        return
    for difference in verification.differences:
        what, remedy = ("NOT AS IT WAS", "To undo") if difference.expected else ("NOT GONE", "To delete it")
        yield f"{what}: {difference.image}: {difference.message}. {remedy}: {difference.hint}"
    if not verification.differences:
        yield f"Verified: of the kept tags and what they need, all {verification.checked} read are as they were."


def _hints(images: Iterable[ImageResult], view: View) -> Iterator[str]:
    """Yield every hint once, with the number of images that it concerns."""
    counts: dict[tuple[str, str], int] = {}
    for result in images:
        found = _hint(result.outcome)
        if found is not None:
            counts[found] = counts.get(found, 0) + 1
    for (code, hint), count in counts.items():
        yield from wrapped([f"hint for {code} ({counted(count, 'image')}): {hint}"], view.width)


_KEPT_HINTS = {
    "needed": "an index that stays names these manifests, so they stay with it; to delete them, delete that index too",
    "shared": "the digest has tags that the list does not name; list them too, or --shared delete takes them with it",
    "limit": "more would disappear than --max-delete allows, so nothing was deleted at all; look at the list, then raise --max-delete",
    "moved": "the tag leads to another image than expected, so it was left alone; run again to judge it anew, or correct the "
    "digest in the list; in an undo, `bulkrm undo --force` overwrites it",
    "unreadable": "it is not known what else needs these images, so the whole repository is kept; run again when it can be read",
}


def _hint(outcome: Outcome) -> tuple[str, str] | None:
    if isinstance(outcome, Failed) and outcome.failure.hint:
        return outcome.failure.code.value, outcome.failure.hint
    if isinstance(outcome, Kept) and outcome.hint:
        return outcome.reason.value, outcome.hint
    if isinstance(outcome, Kept) and outcome.reason.value in _KEPT_HINTS:
        return outcome.reason.value, _KEPT_HINTS[outcome.reason.value]
    return None


FORMAT = ReportFormat("text", "a table for people, when the run is over", no_line, whole)
