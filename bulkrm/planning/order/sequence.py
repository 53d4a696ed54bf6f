"""The order of a plan's requests: where tags go before their manifests, and the steps of each host.

To delete a manifest by digest, distribution reads every tag link of its repository (registry/storage/tagstore.go
`Lookup`), so deleting n manifests with one tag each reads about n * n / 2 links. It reads none of them if the tags were
deleted before, and DELETE of a tag reads the link of that tag alone. So in some repositories tags are deleted first.
Repositories alternate, and an index comes before its children.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.manifests.manifest import NO_CHILDREN
from bulkrm.model.plan import Delete, Item, Order, Plan, Untag, UntagMethod
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, TagsOnly
from bulkrm.model.result.outcome import Failed, Kept, KeptReason
from bulkrm.model.settings import Strategy
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest

# The cost of the two requests that remove one tag, in tag links read. Measured on distribution 2.8.2 and 3.1.1 with their
# files in memory (tests/bench, `strategies`).
_COST_OF_TAG = 60
_COST_OF_DECOY = 150


def removable_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the manifests of one repository whose tags may be removed before them.

    A manifest with parents is not yielded, because it is kept if a parent is. Neither is one with a tag outside the list,
    because the report has no line for the outcome of that tag.
    """
    return (
        item
        for item in items
        if isinstance(item.verdict, Delete)
        and not item.parents
        and item.tags
        and set(item.tags) <= set(item.named_tags)
    )


def repositories_to_probe(plan: Plan, strategy: Strategy) -> Iterator[Repository]:
    """Yield the repositories where the order depends on whether tags can be deleted, so that a probe is needed.

    A host that deletes manifests only once they have no tag needs no probe.
    """
    for repository, items in _by_repository(plan):
        if repository.host in plan.untagged_first:
            continue
        tagged = strategy is Strategy.TAGS_FIRST and any(item.tags for item in items)
        if tagged or _saves_work(items, plan.tags.get(repository, 0), UntagMethod.TAG, strategy):
            yield repository


def choose_orders(
    plan: Plan, strategy: Strategy, untag_method: Callable[[Repository], UntagMethod | Failure | None]
) -> dict[Repository, Order]:
    """Return the order of every repository where it is not by digest; `untag_method`: how its tags can be removed."""
    found: dict[Repository, Order] = {}
    for repository, items in _by_repository(plan):
        method = untag_method(repository)
        if repository.host in plan.untagged_first:
            found[repository] = Order.TAGS_FIRST
        elif isinstance(method, UntagMethod) and _saves_work(items, plan.tags.get(repository, 0), method, strategy):
            found[repository] = Order.TAGS_FIRST if method is UntagMethod.TAG else Order.DECOY
    return found


def with_tags_only_hosts(plan: Plan, hosts: Mapping[str, TagsOnly]) -> Plan:
    """Return the plan with the deletions on hosts that delete tags only replaced by the removal of tags.

    The report says that the manifests stay. A digest of the list fails with the host's `TagsOnly`; attached manifests are
    kept with their parents.
    """
    if not hosts:
        return plan
    items = [left for item in plan.items for left in _without_deletion(item, hosts.get(item.repository.host))]
    return replace(plan, items=tuple(items))


def _without_deletion(item: Item, why: TagsOnly | None) -> Iterator[Item]:
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


def _saves_work(items: Iterable[Item], tag_count: int, untag_method: UntagMethod, strategy: Strategy) -> bool:
    """Tell whether the tags are removed first: it saves work, or `strategy` says so. `tag_count`: of the repository."""
    removable = list(removable_ahead(items))
    if strategy is not Strategy.AUTO:
        return strategy is Strategy.TAGS_FIRST and bool(removable)
    tags = sum(len(item.tags) for item in removable)
    spared = len(removable) * tags / 2
    # The DELETE of a decoy reads all tag links of the repository, and so does the listing after it.
    cost = tags * _COST_OF_TAG if untag_method is UntagMethod.TAG else tags * _COST_OF_DECOY + 2 * tag_count
    return spared > cost


def _by_repository(plan: Plan) -> Iterator[tuple[Repository, list[Item]]]:
    yield from by_repository(plan.deletions).items()


_AT_ONCE = 16  # repositories of a host: half of what `--concurrency auto` begins with


def steps_of(plan: Plan) -> dict[str, tuple[Step, ...]]:
    """Return the steps of each host that carry out a plan, in their order.

    The tags of a repository go all at once before its manifests if its order says so, and its host takes manifests with tags.

    Steps alternate between repositories: distribution reads all tag links of a repository for every deletion in it
    (registry/storage/tagstore.go `Lookup`), so deletions in one repository slow each other down, and deletions in
    different ones do not. They alternate between 16 at most, because the facts about a repository grow stale while it is
    worked on, and then are read again: a repository that is begun should soon be finished.
    """
    orders = {place: order for place, order in plan.orders.items() if place.host not in plan.untagged_first}
    changed = by_host(plan.changed_items)
    return {host: tuple(_in_turn(by_repository(items), orders)) for host, items in changed.items()}


def _in_turn(repositories: Mapping[Repository, list[Item]], orders: Mapping[Repository, Order]) -> Iterator[Step]:
    """Yield one step of each of the first repositories in turn; another repository replaces each finished one."""
    coming = (
        iter(_ordered(repository, items, orders.get(repository, Order.DIGEST)))
        for repository, items in repositories.items()
    )
    at_hand = deque(islice(coming, _AT_ONCE))
    while at_hand:
        steps = at_hand.popleft()
        step = next(steps, None)
        if step is not None:
            yield step
            at_hand.append(steps)
        elif (following := next(coming, None)) is not None:
            at_hand.appendleft(following)


def _ordered(repository: Repository, items: Sequence[Item], order: Order) -> list[Step]:
    """Return the steps of one repository, parents first: several registries refuse to delete the child of an index.

    zot answers 405, Harbor 412, Google 400. Tags of kept manifests are removed first of all: no other step depends on
    them, and distribution deletes faster with fewer tags.
    """
    first: list[Step] = [UntagManifest(item) for item in items if isinstance(item.verdict, Untag)]
    removed_ahead = tuple(removable_ahead(items)) if order is not Order.DIGEST else ()
    if removed_ahead:
        first.append(RemoveTagsAhead(repository, removed_ahead, order))
    by_digest = {item.digest: item for item in items if not isinstance(item.verdict, Untag)}
    parents: dict[Digest, list[Digest]] = defaultdict(list)
    for item in by_digest.values():
        parents[item.digest] += (parent for parent in item.parents if parent in by_digest)
        for child in (item.resolved.children or NO_CHILDREN).manifests:
            if child in by_digest and child != item.digest and item.digest not in parents[child]:
                parents[child].append(item.digest)
    in_order: dict[Digest, None] = {}
    for digest in by_digest:
        _visit(digest, parents, in_order)
    return [*first, *(DeleteManifest(by_digest[digest], tuple(parents.get(digest, ()))) for digest in in_order)]


def _visit(digest: Digest, parents: Mapping[Digest, list[Digest]], order: dict[Digest, None]) -> None:
    """Append a digest after its parents; a cycle in a plan file is cut where it is met."""
    stack = [digest]
    opened: set[Digest] = set()
    while stack:
        top = stack[-1]
        waiting = [parent for parent in parents.get(top, ()) if parent not in order]
        if waiting and top not in opened:
            opened.add(top)
            stack += waiting
        else:
            order.setdefault(stack.pop())
