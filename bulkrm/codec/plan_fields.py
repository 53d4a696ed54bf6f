"""Turns a plan into the records of its file, in a fixed order, and counts its deletions and requests."""

from collections.abc import Iterable, Iterator
from typing import Any

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_records import (
    NO_REPOSITORY,
    ErrorRecord,
    ManifestRecord,
    RepositoryRecord,
    SettledRecord,
    TargetRecord,
    UnmatchedRecord,
)
from bulkrm.codec.policy_fields import PlanOptions, policy_record, rules_record
from bulkrm.model.grouping import by_repository
from bulkrm.model.plan import Dangling, Delete, Item, Plan, Settled, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Gone, Kept, NotAttempted, WouldDelete
from bulkrm.model.target import Target, Unmatched
from bulkrm.planning.order.cost import freed_bytes, requests_for, requests_in


def options(document: PlanDocument) -> PlanOptions:
    """Return the settings that the plan was made with, which `apply` judges it again with."""
    rules = rules_record(document.protect, document.ignore, document.conditions, document.lists)
    return PlanOptions(**vars(policy_record(document.policy)), **vars(rules))


def repositories(plan: Plan) -> Iterator[RepositoryRecord]:
    """Yield the records of all repositories, sorted, with their manifests sorted by digest."""
    items, settled = by_repository(plan.items), by_repository(plan.without_manifest)
    for repository in sorted({*items, *settled}, key=str):
        manifests, others = items.get(repository, []), settled.get(repository, [])
        dangling = [entry for entry in others if isinstance(entry, Dangling)]
        yield RepositoryRecord(
            str(repository),
            plan.tags.get(repository),
            plan.order(repository),
            _requests_in(plan, repository, manifests) + requests_for(dangling),
            tuple(sorted(map(manifest, manifests), key=_manifest_order)),
            tuple(sorted(map(_settled, others), key=lambda record: record.image)),
        )


def manifest(item: Item) -> ManifestRecord:
    """Return the record of one item of the plan."""
    verdict = item.verdict
    also = verdict.also_removed if isinstance(verdict, Delete) else ()
    kept = verdict if isinstance(verdict, Kept) else None
    return ManifestRecord(
        item.digest,
        _word(item),
        kept.reason if kept else None,
        kept.because if kept else (),
        failure(verdict.failure) if isinstance(verdict, Failed) else None,
        verdict.untag_method if isinstance(verdict, Untag) else None,
        item.resolved.media_type,
        item.resolved.size,
        tuple(sorted(item.tags)),
        None if also is None else tuple(sorted(also)),
        tuple(sorted(item.parents)),
        tuple(sorted(item.orphaned)),
        tuple(sorted((TargetRecord(**_target(target)) for target in item.targets), key=lambda record: record.image)),
    )


def requests_of(plan: Plan) -> int:
    """Return how many requests a plan sends, without those for tokens, retries and second readings."""
    by_digest = sum(_requests_in(plan, repository, items) for repository, items in by_repository(plan.items).items())
    return by_digest + sum(map(requests_for, by_repository(plan.dangling).values()))


def _requests_in(plan: Plan, repository: Repository, items: Iterable[Item]) -> int:
    return requests_in(items, plan.order(repository), untagged_first=repository.host in plan.untagged_first)


def unmatched(lines: Iterable[Unmatched]) -> list[UnmatchedRecord]:
    """Return the records of the patterns without images, in the order of the list."""
    return [
        UnmatchedRecord(
            line.text,
            str(line.source),
            line.note,
            line.outcome.status.value,
            line.outcome.reason if isinstance(line.outcome, NotAttempted) else None,
            (),
            failure(line.outcome.failure) if isinstance(line.outcome, Failed) else None,
        )
        for line in lines
    ]


def totals(document: PlanDocument) -> dict[str, int]:
    """Return numbers for people. `apply` does not check them, so that items may be removed from a file by hand."""
    plan = document.plan
    words = [_word(item) for item in plan.items]
    repositories = plan.touched
    return {
        "images": sum(len(item.targets) for item in plan.items) + len(plan.settled) + len(plan.dangling),
        "registries": len({repository.host for repository in repositories}),
        "repositories": len(repositories),
        "delete": words.count("delete"),
        "untag": words.count("untag"),
        "keep": words.count("keep"),
        "fail": words.count("fail") + sum(isinstance(entry.outcome, Failed) for entry in plan.settled),
        "absent": sum(isinstance(entry.outcome, Gone) for entry in plan.settled),
        "tags_removed": sum(len(item.removed_tags) for item in plan.changed_items) + len(plan.dangling),
        "requests": requests_of(plan),
        "bytes_freed_at_most": freed_bytes(plan.items),
    }


def failure(cause: Failure) -> ErrorRecord:
    """Return the record of a failure."""
    return ErrorRecord(cause.code, cause.message, cause.status, cause.hint, cause.reach)


def _word(item: Item) -> str:
    match item.verdict:
        case Delete():
            return "delete"
        case Untag():
            return "untag"
        case Kept():
            return "keep"
        case Failed():
            return "fail"


def _manifest_order(record: ManifestRecord) -> tuple[str, bool, str]:
    return record.digest, record.verdict != "untag", record.images[0].image if record.images else ""


def _target(target: Target) -> dict[str, Any]:
    """Return the fields that a target has in every record."""
    return {
        "image": str(target.reference),
        "source": str(target.source) if target.source else None,
        "note": target.note,
        "parent": str(target.parent) if target.parent else None,
        "bound": target.bound,
    }


def _settled(entry: Settled | Dangling) -> SettledRecord:
    outcome = WouldDelete() if isinstance(entry, Dangling) else entry.outcome
    reason: str | None = outcome.reason.value if isinstance(outcome, Kept) else None
    if isinstance(outcome, Gone) and outcome.no_repository:
        reason = NO_REPOSITORY
    return SettledRecord(
        **_target(entry.target),
        status=outcome.status.value,
        reason=reason,
        because=outcome.because if isinstance(outcome, Kept) else (),
        error=failure(outcome.failure) if isinstance(outcome, Failed) else None,
    )
