"""A saved plan and what a fresh judgement left of it, put together."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_repository
from bulkrm.model.plan import Delete, Item, Plan, Settled, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason
from bulkrm.model.target import Target
from bulkrm.planning.dangling import agreed
from bulkrm.planning.guards.graph import entangled
from bulkrm.planning.recheck import Rechecked


def remaining(plan: Plan, is_done: Callable[[Target], bool]) -> Plan:
    """Leave out the targets that have their outcome already."""
    items = []
    for item in plan.items:
        left = tuple(target for target in item.targets if not is_done(target))
        if left:
            items.append(item if left == item.targets else replace(item, targets=left))
    settled = tuple(entry for entry in plan.settled if not is_done(entry.target))
    dangling = tuple(entry for entry in plan.dangling if not is_done(entry.target))
    return replace(plan, items=tuple(items), settled=settled, dangling=dangling)


def failed_targets(plan: Plan) -> list[Target]:
    """Return the targets of the list that could not be judged: they are worth another try."""
    found = [entry.target for entry in plan.settled if isinstance(entry.outcome, Failed)]
    found += [target for item in plan.items if isinstance(item.verdict, Failed) for target in item.targets]
    return [target for target in found if target.parent is None]


def together(first: Plan, second: Plan) -> Plan:
    """Put two plans about different targets together."""
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


def kept_with_parent(saved: Plan, gone: Collection[tuple[Repository, Digest]] = ()) -> Plan:
    """Keep what is attached to a manifest that the saved plan does not delete any more.

    What is attached never loses a single tag, whatever a file says.

    `gone`: what an earlier part of the run has deleted already.
    """
    while True:
        deletions = {*gone, *((item.repository, item.digest) for item in saved.deletions)}
        items = tuple(_with_its_parent(item, deletions) for item in saved.items)
        if items == saved.items:
            return saved
        saved = replace(saved, items=items)


def merged(saved: Plan, result: Rechecked, fresh: Plan) -> Plan:
    """Return the plan of what is still to be done, with everything else that the saved plan names and why it stays.

    `fresh`: what `result` is a comparison with.
    """
    items: dict[Target, Item] = {target: item for item in saved.items for target in item.targets}
    acts = {id(item) for item in saved.acts}
    left = [item for item in saved.items if id(item) not in acts]
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


def with_parents_only(result: Rechecked) -> Rechecked:
    """Keep what goes after something that does not go after all, and what waits for each other in a circle.

    No plan that bulkrm made has circles, but a file may say so.
    """
    items, dropped = result.items, list(result.dropped)
    while staying := dict(_without_its_parent(items)):
        for number, parent in staying.items():
            kept = Kept(KeptReason.NEEDED, (f"{items[number].repository}@{parent}",))
            dropped += (Settled(target, kept) for target in items[number].targets)
        items = tuple(item for number, item in enumerate(items) if number not in staying)
    return Rechecked(items, tuple(dropped))


def _without_its_parent(items: Sequence[Item]) -> Iterator[tuple[int, Digest]]:
    """Yield the place of each item that must not go, with the manifest that keeps it."""
    waiting = by_repository(item for item in items if item.parents)
    tangled = {id(item) for members in waiting.values() for item in entangled(members)}
    going = {(item.repository, item.digest) for item in items if isinstance(item.verdict, Delete)}
    for number, item in enumerate(items):
        missing = [parent for parent in item.parents if (item.repository, parent) not in going]
        if missing or id(item) in tangled:
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
