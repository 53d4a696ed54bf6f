"""Whether the tags of a repository go before its manifests: what that spares the registry, and what it costs.

To delete a manifest by digest, distribution reads every tag link of its repository (registry/storage/tagstore.go
`Lookup`), so deleting n manifests of one tag each reads about n * n / 2 links that are not there any more if the tags
went before. DELETE of a tag looks at that tag alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from bulkrm.model.grouping import by_repository
from bulkrm.model.plan import Delete, Item, Order, Plan, Untag, UntagMethod
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, TagsOnly
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.settings import Strategy

# Measured on distribution 2.8.2 and 3.1.1 with their files in memory (tests/bench, `strategies`), in tag links read:
# what the two requests cost that taking off one tag needs.
_COST_OF_TAG = 60
_COST_OF_DECOY = 150


def removable_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the manifests of one repository whose tags may go before them.

    One that goes only after others, and only if those went, keeps its tags until then. So does one with tags that no
    image of the list stands for: what became of them could not be told.
    """
    return (
        item
        for item in items
        if isinstance(item.verdict, Delete)
        and not item.parents
        and item.tags
        and set(item.tags) <= set(item.named_tags)
    )


def worth_asking(plan: Plan, strategy: Strategy) -> Iterator[Repository]:
    """Yield the repositories where it matters whether tags can be taken off: who asks for them sends requests.

    Where tags have to go first, nobody need be asked.
    """
    for repository, items in _by_repository(plan):
        if repository.host in plan.untagged_first:
            continue
        tagged = strategy is Strategy.TAGS_FIRST and any(item.tags for item in items)
        if tagged or _gains(items, plan.tags.get(repository, 0), UntagMethod.TAG, strategy):
            yield repository


def orders(
    plan: Plan, strategy: Strategy, untag_method: Callable[[Repository], UntagMethod | Failure | None]
) -> dict[Repository, Order]:
    """Return the order for every repository in which it is not by digest; `way`: how a tag can be taken off there."""
    found: dict[Repository, Order] = {}
    for repository, items in _by_repository(plan):
        found_method = untag_method(repository)
        if repository.host in plan.untagged_first:
            found[repository] = Order.TAGS_FIRST
        elif isinstance(found_method, UntagMethod) and _gains(
            items, plan.tags.get(repository, 0), found_method, strategy
        ):
            found[repository] = Order.TAGS_FIRST if found_method is UntagMethod.TAG else Order.DECOY
    return found


def where_tags_go_alone(plan: Plan, hosts: Mapping[str, TagsOnly]) -> Plan:
    """Turn what was to be deleted on hosts that delete tags only into what can be done there.

    The listed tags go, and the report says that the manifest stays. What the list names by digest fails. What only belongs
    to something else stays with it.
    """
    if not hosts:
        return plan
    items = [left for item in plan.items for left in _tags_alone(item, hosts.get(item.repository.host))]
    return replace(plan, items=tuple(items))


def _tags_alone(item: Item, why: TagsOnly | None) -> Iterator[Item]:
    if why is None or not isinstance(item.verdict, Delete):
        yield item
        return
    if item.is_attached:
        kept = Kept(KeptReason.NEEDED, tuple(str(target.parent) for target in item.targets[:1]))
        yield replace(item, verdict=kept, parents=(), orphaned=())
        return
    named = tuple(target for target in item.targets if isinstance(target.reference, TagRef))
    others = tuple(target for target in item.targets if not isinstance(target.reference, TagRef))
    if named:
        unlisted = [tag for tag in item.tags if tag not in item.named_tags]
        remaining_tags = tuple(f"{item.repository}:{tag}" for tag in unlisted) or (f"{item.repository}@{item.digest}",)
        yield replace(item, targets=named, verdict=Untag(remaining_tags), parents=(), orphaned=())
    if others:
        yield replace(item, targets=others, verdict=Failed(why), parents=(), orphaned=())


def _gains(items: Iterable[Item], there: int, untag_method: UntagMethod, strategy: Strategy) -> bool:
    clear = list(removable_ahead(items))
    if strategy is not Strategy.AUTO:
        return strategy is Strategy.TAGS_FIRST and bool(clear)
    tags = sum(len(item.tags) for item in clear)
    spared = len(clear) * tags / 2
    # The DELETE of a decoy reads all links that are there, and so does the listing after it.
    cost = tags * _COST_OF_TAG if untag_method is UntagMethod.TAG else tags * _COST_OF_DECOY + 2 * there
    return spared > cost


def _by_repository(plan: Plan) -> Iterator[tuple[Repository, list[Item]]]:
    yield from by_repository(plan.deletions).items()
