"""The number of requests that a plan sends, and the number of bytes that it frees."""

from collections.abc import Iterable, Sequence

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Dangling, Delete, Item, Order, Untag, UntagMethod
from bulkrm.planning.order.sequence import removable_ahead


def requests_in(items: Iterable[Item], order: Order, *, untagged_first: bool = False) -> int:
    """Return how many requests it takes to carry out these items of one repository.

    Requests for tokens, retries, second readings and proofs of first deletions are not counted. `untagged_first`: every
    tag is removed before its manifest.
    """
    known = list(items)
    removed_ahead = [] if order is Order.DIGEST else list(removable_ahead(known))
    if untagged_first:
        removed_ahead = [item for item in known if isinstance(item.verdict, Delete)]
    # Each tag is read, and deleted or pushed over; one decoy is deleted, and the tags are listed after it.
    first = 2 * sum(len(item.tags) for item in removed_ahead) + (2 if removed_ahead and order is Order.DECOY else 0)
    return first + sum(map(_requests_of, known))


def requests_for(dangling: Sequence[Dangling]) -> int:
    """Return how many requests it takes to remove these dangling tags of one repository, without retries.

    Each tag is read, and deleted or overwritten by a decoy; then the decoy, if any, is deleted, and the tags are listed.
    """
    if not dangling:
        return 0
    return 2 * len(dangling) + (2 if dangling[0].untag_method is UntagMethod.DECOY else 1)


def _requests_of(item: Item) -> int:
    match item.verdict:
        case Delete():
            return 1
        case Untag(untag_method=UntagMethod.TAG):
            return 2 * len(item.removed_tags)  # the tag is read and deleted
        case Untag(untag_method=UntagMethod.DECOY):
            # The manifest is read to be put back; each tag is read and pushed over; the decoy is deleted, the tags are listed.
            return 1 + 2 * len(item.removed_tags) + 2
        case _:
            return 0


def freed_bytes(items: Iterable[Item]) -> int:
    """Return an upper bound of the bytes that garbage collection can free; blobs shared with kept images count too."""
    sizes: dict[Digest, int] = {}
    for item in items:
        if isinstance(item.verdict, Delete):
            sizes[item.digest] = item.resolved.size
            sizes.update((blob.digest, blob.size) for blob in item.resolved.blobs)
    return sum(sizes.values())
