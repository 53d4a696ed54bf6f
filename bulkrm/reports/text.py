"""The report for people: a line for each image, hints once, totals at the end.

In a pipe every image is one line, with its full name, whatever its length: made for grep. On a terminal what does not
fit moves to a line of its own.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkrm.model.digest import Digest
from bulkrm.model.printable import printable
from bulkrm.model.result.outcome import (
    PRECEDENCE,
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttempted,
    Outcome,
    Status,
    Untagged,
    WouldDelete,
    WouldUntag,
)
from bulkrm.model.result.report import ImageResult, Report, Verification
from bulkrm.reports.format import ReportFormat, View, no_line

_STATUS_WIDTH = max(len(status) for status in Status) + 2
_MAX_NAMED = 3


def whole(report: Report, view: View) -> str:
    """Return the table, the hints and the totals."""
    blocks = [
        "\n".join(_rows(report.images, view)),
        "\n".join(_hints(report.images, view)),
        "\n".join(report.explained),
        "\n".join(_wrap(_verification(report.verification), view)),
        "\n".join(_wrap([*report.closing, totals(report)], view)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def totals(report: Report) -> str:
    """One line of numbers, for example `500 images: 480 deleted, 20 kept. 12.3 s, 1012 requests.`."""
    number = len(report.images)
    counts = ", ".join(f"{count} {status.value}" for status, count in report.summary.items() if count)
    sent = report.requests.registry + report.requests.token
    requests = f"{sent} request{'' if sent == 1 else 's'}"
    images = f"{number} image{'' if number == 1 else 's'}" + (f": {counts}" if counts else "")
    return f"{images}. {report.run.seconds:.1f} s, {requests}."


def _rows(images: Iterable[ImageResult], view: View) -> Iterator[str]:
    """Yield a line for each image; what conditions of the list keep is counted, because there may be any number of it."""
    counts: Counter[KeptReason] = Counter()
    results: list[ImageResult] = []
    for result in images:
        if isinstance(result.outcome, Kept) and result.outcome.reason.is_condition:
            counts[result.outcome.reason] += 1
        else:
            results.append(result)
    yield from _table(results, view)
    yield from kept_by_conditions(counts)


def kept_by_conditions(counts: Mapping[KeptReason, int]) -> Iterator[str]:
    """Yield a line for each condition that kept anything."""
    yield from (f"{counts[reason]:,} kept: {reason}" for reason in PRECEDENCE if counts.get(reason))


def _table(results: Sequence[ImageResult], view: View) -> Iterator[str]:
    if view.width is None:
        widest = max((len(printable(result.image)) for result in results), default=0)
        for result in results:
            name, text = printable(result.image), printable(detail(result))
            yield f"{result.outcome.status:<{_STATUS_WIDTH}}{name:<{widest}}  {text}".rstrip()
        return
    for result in results:
        yield from _wrapped_row(result, printable(detail(result)), view.width)


def _wrapped_row(result: ImageResult, text: str, width: int) -> Iterator[str]:
    first = f"{result.outcome.status:<{_STATUS_WIDTH}}{printable(_shorten(result.image))}"
    if not text:
        yield first
    elif len(first) + 2 + len(text) <= width:
        yield f"{first}  {text}"
    else:
        yield first
        indent = " " * _STATUS_WIDTH
        yield from textwrap.wrap(
            text, max(width, 40), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )


def _shorten(image: str) -> str:
    """Cut a digest in a name down to what people compare; the full one is in the JSON report."""
    name, at, digest = image.partition("@")
    return f"{name}@{Digest(digest).short}" if at else image


def detail(result: ImageResult) -> str:
    """Say in a few words what there is to say beside the status."""
    outcome = result.outcome
    match outcome:
        case Deleted(also) | WouldDelete(also) if also:
            text = f"with {_named(also)}"
        case Deleted(for_good=True) | WouldDelete(for_good=True):
            text = "a tag without a manifest: this cannot be undone"
        case Untagged(remaining_tags) | WouldUntag(remaining_tags) if remaining_tags:
            text = f"stays as {_named(remaining_tags)}"
        case Gone(no_repository=True):
            text = "no such repository: a typing error?"
        case Kept(reason, because):
            text = f"{reason.value}: {_named(because)}" if because else reason.value
        case Failed(failure):
            text = f"{failure.code.value}: {failure.message}"
        case NotAttempted(reason):
            text = reason.value
        case _:
            text = ""
    return text


def _verification(verification: Verification | None) -> Iterator[str]:
    """Yield what the look at the kept tags found, and for each difference the command that undoes it."""
    if verification is None:
        return
    for difference in verification.differences:
        what, mend = ("NOT AS IT WAS", "To undo") if difference.expected else ("NOT GONE", "To delete it")
        yield f"{what}: {difference.image}: {difference.message}. {mend}: {difference.hint}"
    if not verification.differences:
        yield f"Verified: of the kept tags and what they need, all {verification.checked} read are as they were."


def _named(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MAX_NAMED])
    more = len(names) - _MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _hints(images: Iterable[ImageResult], view: View) -> Iterator[str]:
    """Yield every hint once, with the number of images that it is about."""
    counts: dict[tuple[str, str], int] = {}
    for result in images:
        found = _hint(result.outcome)
        if found is not None:
            counts[found] = counts.get(found, 0) + 1
    for (code, hint), count in counts.items():
        yield from _wrap([f"hint for {code} ({count} image{'' if count == 1 else 's'}): {hint}"], view)


_KEPT_HINTS = {
    "needed": "an index that stays names these manifests, so they stay with it; to delete them, delete that index too",
    "shared": "the digest has tags that the list does not name; list them too, or --shared delete takes them with it",
    "limit": "more would disappear than --max-delete allows, so nothing was deleted at all; look at the list, then raise it",
    "moved": "the tag leads to another image than expected, so it was left alone; run again to judge it anew, correct the "
    "digest in the list, or `bulkrm undo --force` where an undo met it",
    "unreadable": "what else needs these images is not known, so the whole repository is kept; run again when it can be read",
}


def _hint(outcome: Outcome) -> tuple[str, str] | None:
    if isinstance(outcome, Failed) and outcome.failure.hint:
        return outcome.failure.code.value, outcome.failure.hint
    if isinstance(outcome, Kept) and outcome.hint:
        return outcome.reason.value, outcome.hint
    if isinstance(outcome, Kept) and outcome.reason.value in _KEPT_HINTS:
        return outcome.reason.value, _KEPT_HINTS[outcome.reason.value]
    return None


def _wrap(lines: Iterable[str], view: View) -> Iterator[str]:
    for text in map(printable, lines):
        if view.width is None:
            yield text
        else:
            width = max(view.width, 40)
            yield from textwrap.wrap(
                text, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
            )


FORMAT = ReportFormat("text", "a table for people, when the run is over", no_line, whole)
