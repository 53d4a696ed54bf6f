"""The steps of a plan in their order: repositories alternate, and an index comes before its children."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.manifests.manifest import NO_CHILDREN
from bulkrm.model.plan import Item, Order, Plan, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest
from bulkrm.planning.order.strategy import removable_ahead

_AT_ONCE = 16  # repositories of a host: half of what `--concurrency auto` begins with


def steps_of(plan: Plan) -> dict[str, tuple[Step, ...]]:
    """Return the steps of each host that carry out a plan, in their order.

    The tags of a repository go all at once before its manifests if its order says so, and its host takes manifests with tags.
    """
    orders = {
        repository: order for repository, order in plan.orders.items() if repository.host not in plan.untagged_first
    }
    return compile_steps(plan.changed_items, orders)


def compile_steps(changed: Iterable[Item], orders: Mapping[Repository, Order]) -> dict[str, tuple[Step, ...]]:
    """Return the steps of each host, in their order. `changed`: the items to carry out.

    Steps alternate between repositories: distribution reads all tag links of a repository for every deletion in it
    (registry/storage/tagstore.go `Lookup`), so deletions in one repository slow each other down, and deletions in
    different ones do not. They alternate between 16 at most, because the facts about a repository grow stale while it is
    worked on, and then are read again: a repository that is begun should soon be finished.
    """
    return {host: tuple(_in_turn(by_repository(items), orders)) for host, items in by_host(changed).items()}


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
