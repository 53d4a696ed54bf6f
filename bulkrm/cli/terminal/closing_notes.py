"""The lines beside the images of a report: warnings, requests of a dry run, orphans, and how space becomes free."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bulkrm.codec.plan_fields import requests_of
from bulkrm.model.plan import Order, Plan
from bulkrm.model.result.outcome import Deleted, Gone, NoMatch, Status
from bulkrm.model.result.report import ImageResult, Reclaiming, Report
from bulkrm.model.text.layout import counted
from bulkrm.reports.plan_view import no_undo, unreferenced

_MOST_WARNINGS = 20  # of patterns and repositories: a list may name thousands that are not there


def warnings_of(report: Report) -> list[str]:
    """Return a warning for each pattern without images, and for each repository that the registry does not know."""
    lines = []
    worth_a_word = report.summary[Status.NO_MATCH] + report.summary[Status.ABSENT]
    for result in report.images if worth_a_word else ():
        if isinstance(result.outcome, NoMatch):
            lines.append(f"{result.source}: the pattern {result.image} chose nothing")
        if isinstance(result.outcome, Gone) and result.outcome.no_repository:
            lines.append(f"{result.source}: {result.image}: the registry knows no such repository; a typing error?")
    more = len(lines) - _MOST_WARNINGS
    return [*lines[:_MOST_WARNINGS], f"{more:,} more such warnings; the report has every one"] if more > 1 else lines


def closing_of(report: Report, *, recursive: bool) -> Iterator[str]:
    """Yield the lines that come before the totals."""
    plan = report.plan
    if report.run.dry_run and plan is not None:
        yield from _planned_requests(plan)
        if plan.no_undo:
            yield no_undo(plan)
        yield from _condition_reads(report.condition_reads.manifests, report.condition_reads.configurations)
    if report.orphans:
        yield f"{unreferenced(report.orphans, recursive=recursive)}."
    yield from _space_to_reclaim(report.images, report.reclaiming)


def _planned_requests(plan: Plan) -> list[str]:
    """Return how many requests the run would send, and where tags would be deleted before manifests."""
    number = requests_of(plan)
    if not number:
        return []
    orders = Counter(plan.orders.values())
    ways = [f"tags first in {_places(orders[Order.TAGS_FIRST])}"] if orders[Order.TAGS_FIRST] else []
    ways += [f"a decoy over all tags in {_places(orders[Order.DECOY])}"] if orders[Order.DECOY] else []
    more = f": {', '.join(ways)}" if ways else ""
    return [f"The run would send {counted(number, 'request')} to delete{more}."]


CONDITION_READS = "For the conditions of the list"


def _condition_reads(manifests: int, configurations: int) -> Iterator[str]:
    """Yield how many manifests and configurations were read for conditions."""
    if manifests or configurations:
        number = manifests + configurations
        parts = [(manifests, "manifest"), (configurations, "configuration")]
        what = " and ".join(counted(count, word) for count, word in parts if count)
        yield f"{CONDITION_READS} {what} were read ({counted(number, 'request')})."


def _places(number: int) -> str:
    return counted(number, "repository", "repositories")


def _space_to_reclaim(images: Sequence[ImageResult], reclaiming: Reclaiming) -> Iterator[str]:
    """Yield how the space of deleted manifests becomes free, for registries where that takes a garbage collection."""
    deleted = {result.image.partition("/")[0] for result in images if _is_manifest_deleted(result)}
    hosts = sorted(deleted.intersection(reclaiming.by_command))
    others = sorted(deleted.intersection(reclaiming.later).difference(hosts))
    if hosts:
        yield (
            f"{', '.join(hosts)}: the space is freed by garbage collection. On a distribution registry (registry:2, "
            "registry:3): stop it or make it read-only, then `registry garbage-collect /etc/docker/registry/config.yml`."
        )
    if others:
        yield (
            f"{', '.join(others)}: the space is freed when the registry collects its garbage: most do that by themselves, "
            "or their administrators start it."
        )


def _is_manifest_deleted(result: ImageResult) -> bool:
    """Tell whether a manifest was deleted. A dangling tag has none, so its deletion frees no space."""
    return isinstance(result.outcome, Deleted) and not result.outcome.for_good
