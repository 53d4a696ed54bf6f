"""The images of a report on a terminal: failed and kept ones first, deleted ones last.

Images that were not attempted are counted by reason, because there may be thousands after Ctrl-C. A report of more images
than fit on a few screens shows only exceptions, some of each kind, and the totals of each repository. An exception is an
image that failed, was kept or not attempted, or has no repository, and a pattern without a match.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from bulkrm.model.result.outcome import Failed, Gone, Kept, NotAttempted, Outcome, Status
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.text.image_name import repository_part
from bulkrm.model.text.layout import counted, two_columns
from bulkrm.model.text.printable import painted
from bulkrm.reports.format import View
from bulkrm.reports.rows import COLOURS, condition_of, kept_by_conditions, laid_out, row_of

MANY = 200  # images: of more, only the exceptions are listed
_OF_A_KIND = 10  # exceptions of one status and reason that are listed
_REPOSITORIES = 20  # repositories whose totals are listed
_FIRST = (Status.FAILED, Status.KEPT, Status.NO_MATCH, Status.NOT_ATTEMPTED)
_Kind = tuple[int, str, str]


@dataclass(slots=True)
class _Group:
    """Images with one status and one reason: the first of them, and how many there are."""

    results: list[ImageResult] = field(default_factory=list)
    number: int = 0


def images_on_terminal(report: Report, view: View) -> Iterator[str]:
    """Yield the lines of the images."""
    is_cut = len(report.images) > MANY and not view.every
    groups: dict[_Kind, _Group] = defaultdict(_Group)
    conditions = []
    for result in report.images:
        condition = condition_of(result.outcome)
        if condition is not None:
            conditions.append(condition)
            continue
        group = groups[_kind(result.outcome, by_reason=is_cut)]
        group.number += 1
        if not is_cut or len(group.results) < _OF_A_KIND:
            group.results.append(result)
    for kind in sorted((kind for kind in groups if kind[0] < len(_FIRST)), key=lambda kind: kind[0]):
        yield from _exceptions(kind, groups[kind], view)
    yield from kept_by_conditions(conditions, view)
    done = [group.results for kind, group in groups.items() if kind[0] == len(_FIRST)]
    if not is_cut:
        yield from laid_out([row_of(result) for results in done for result in results], view)
    else:
        yield f"Of {counted(len(report.images), 'image')}, those that need a look."
        record = (
            ""
            if report.run.dry_run
            else f"`bulkrm runs show {report.run.id}{view.place}` lists every one, and so does "
        )
        yield f"{record}--all{' lists every one' if report.run.dry_run else ''}."


def _kind(outcome: Outcome, *, by_reason: bool) -> _Kind:
    """Return the sort key of an outcome: its rank, its status and its reason. All outcomes but exceptions have the last rank.

    Without `by_reason` all exceptions of one status are one kind, so that they keep the order of the list.
    """
    match outcome:
        case Failed(failure):
            reason = failure.code.value
        case Kept(reason=found):
            reason = found.value
        case NotAttempted(reason=why):
            return _FIRST.index(Status.NOT_ATTEMPTED), Status.NOT_ATTEMPTED.value, why.value
        case Gone(no_repository=True):
            return _FIRST.index(Status.NO_MATCH), Status.ABSENT.value, ""
        case _:
            reason = ""
    if outcome.status not in _FIRST:
        return len(_FIRST), "", ""
    return _FIRST.index(outcome.status), outcome.status.value, reason if by_reason else ""


def _exceptions(kind: _Kind, group: _Group, view: View) -> Iterator[str]:
    """Yield the lines of one kind of exceptions; for images that were not attempted only their number, unless all are shown."""
    _, status, reason = kind
    why = f": {reason}" if reason else ""
    word = painted(status, COLOURS.get(Status(status)), wanted=view.colour)
    if status == Status.NOT_ATTEMPTED and group.number > 1 and not view.every:
        yield f"{group.number:,} {word}{why}"
        return
    yield from laid_out([row_of(result) for result in group.results], view)
    more = group.number - len(group.results)
    if more:
        yield f"{more:,} more {word}{why}"


def totals_of_repositories(report: Report, view: View) -> Iterator[str]:
    """Yield the number of images by status for each repository, if there are several; those with most failures first."""
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    for result in report.images:
        counts[repository_part(result.image)][result.outcome.status] += 1
    if len(counts) < 2 or len(counts) == len(report.images):  # noqa: PLR2004 (one has no parts)
        return
    ranked = sorted(counts.items(), key=lambda entry: (-_failures(entry[1]), -entry[1].total(), entry[0]))
    most = len(ranked) if view.every or len(ranked) <= _REPOSITORIES + 1 else _REPOSITORIES
    rows = [(name, _words(found, view)) for name, found in ranked[:most]]
    yield from chain.from_iterable(two_columns(rows, view.width))
    if ranked[most:]:
        rest = sum((found for _, found in ranked[most:]), Counter[Status]())
        yield f"{counted(len(ranked) - most, 'more repository', 'more repositories')}  {_words(rest, view)}"


def _words(found: Mapping[Status, int], view: View) -> str:
    """Return the numbers in the order of the statuses: `1,234 deleted, 3 failed`."""
    words = (
        painted(f"{found[status]:,} {status.value}", COLOURS.get(status), wanted=view.colour)
        for status in Status
        if found.get(status)
    )
    return ", ".join(words)


def _failures(found: Mapping[Status, int]) -> int:
    return sum(found.get(status, 0) for status in _FIRST if status is not Status.KEPT)
