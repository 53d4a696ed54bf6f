"""Combines plans: a saved plan with a fresh one, and the plans of two parts of a run."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_repository
from bulkrm.model.plan import Delete, Item, Plan, Settled, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.planning.dangling import agreed
from bulkrm.planning.guards.graph import cyclic_attachments
from bulkrm.planning.recheck import Rechecked


def without_done(plan: Plan, is_done: Callable[[Target], bool]) -> Plan:
    """Return the plan without the targets that already have an outcome."""
    items = []
    for item in plan.items:
        left = tuple(target for target in item.targets if not is_done(target))
        if left:
            items.append(item if left == item.targets else replace(item, targets=left))
    settled = tuple(entry for entry in plan.settled if not is_done(entry.target))
    dangling = tuple(entry for entry in plan.dangling if not is_done(entry.target))
    return replace(plan, items=tuple(items), settled=settled, dangling=dangling)


def failed_targets(plan: Plan) -> list[Target]:
    """Return the targets of the list that could not be judged, which may be tried again."""
    found = [entry.target for entry in plan.settled if isinstance(entry.outcome, Failed)]
    found += [target for item in plan.items if isinstance(item.verdict, Failed) for target in item.targets]
    return [target for target in found if target.parent is None]


def combined(first: Plan, second: Plan) -> Plan:
    """Return two plans with different targets as one."""
    return Plan(
        (*first.items, *second.items),
        (*first.settled, *second.settled),
        {**first.tags, **second.tags},
        {**first.orders, **second.orders},
        (*first.dangling, *second.dangling),
        (*first.ignored, *second.ignored),
        first.untagged_first | second.untagged_first,
        first.no_undo | second.no_undo,
    )


def keep_attached_without_parent(saved: Plan, gone: Collection[tuple[Repository, Digest]] = ()) -> Plan:
    """Return a saved plan, with every attached manifest kept whose parent it does not delete.

    An attached manifest that the file only untags is kept too. `gone`: manifests that an earlier part of the run deleted.
    """
    while True:
        deletions = {*gone, *((item.repository, item.digest) for item in saved.deletions)}
        items = tuple(_with_its_parent(item, deletions) for item in saved.items)
        if items == saved.items:
            return saved
        saved = replace(saved, items=items)


def merge_fresh(saved: Plan, result: Rechecked, fresh: Plan) -> Plan:
    """Return the saved plan, reduced to what the fresh plan deletes too; the rest is kept, with the reason.

    `result`: the comparison of the saved plan with `fresh`.
    """
    items: dict[Target, Item] = {target: item for item in saved.items for target in item.targets}
    changed = {id(item) for item in saved.changed_items}
    left = [item for item in saved.items if id(item) not in changed]
    settled = [*saved.settled]
    for entry in result.dropped:
        if isinstance(entry.outcome, Gone):
            settled.append(Settled(entry.target, entry.outcome))
        else:
            left.append(replace(items[entry.target], targets=(entry.target,), verdict=entry.outcome, orphaned=()))
    tags = agreed(saved.dangling, fresh)
    return Plan(
        (*result.items, *left), (*settled, *tags.settled), fresh.tags, dangling=tags.dangling, ignored=fresh.ignored
    )


def keep_without_parents(result: Rechecked) -> Rechecked:
    """Keep every item with a parent that is not deleted, and items that are among their own ancestors.

    bulkrm never writes a plan with such a cycle, but a file may have been edited.
    """
    items, dropped = result.items, list(result.dropped)
    while staying := dict(_without_its_parent(items)):
        for number, parent in staying.items():
            kept = Kept(KeptReason.NEEDED, (f"{items[number].repository}@{parent}",))
            dropped += (Settled(target, kept) for target in items[number].targets)
        items = tuple(item for number, item in enumerate(items) if number not in staying)
    return Rechecked(items, tuple(dropped))


def _without_its_parent(items: Sequence[Item]) -> Iterator[tuple[int, Digest]]:
    """Yield the index of each item that must not be deleted, with the parent that keeps it."""
    waiting = by_repository(item for item in items if item.parents)
    cyclic = {id(item) for members in waiting.values() for item in cyclic_attachments(members)}
    going = {(item.repository, item.digest) for item in items if isinstance(item.verdict, Delete)}
    for number, item in enumerate(items):
        missing = [parent for parent in item.parents if (item.repository, parent) not in going]
        if missing or id(item) in cyclic:
            yield number, missing[0] if missing else item.parents[0]


def _with_its_parent(item: Item, deletions: set[tuple[Repository, Digest]]) -> Item:
    if not isinstance(item.verdict, Delete | Untag) or not item.is_attached:
        return item
    if isinstance(item.verdict, Untag):
        return replace(item, verdict=Kept(KeptReason.SHARED, item.verdict.remaining_tags), orphaned=())
    for target in item.targets:
        if target.parent is not None and (item.repository, target.parent.digest) not in deletions:
            return replace(item, verdict=Kept(KeptReason.NEEDED, (str(target.parent),)), orphaned=())
    return item
