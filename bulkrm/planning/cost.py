"""What a plan costs, in requests, and what it frees, in bytes."""

from collections.abc import Iterable

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Doomed, Item, Untag, Way
from bulkrm.planning.graph import removed_tags

STRATEGY = "digest"  # every manifest is deleted by its digest; there is no other order of requests yet


def requests_of(item: Item) -> int:
    """Return how many requests carrying out an item sends, without tokens, retries and a second reading."""
    match item.verdict:
        case Doomed():
            return 1
        case Untag(way=Way.TAG):
            return 2 * len(removed_tags([item]))  # the tag is read and deleted
        case Untag(way=Way.DECOY):
            # The manifest is read to be put back; each tag is read, pushed over, read again; the decoy is deleted.
            return 1 + 3 * len(removed_tags([item])) + 1
        case _:
            return 0


def freed_bytes(items: Iterable[Item]) -> int:
    """Return an upper bound of the bytes that garbage collection can free: what kept images share counts as well."""
    sizes: dict[Digest, int] = {}
    for item in items:
        if isinstance(item.verdict, Doomed):
            sizes[item.digest] = item.resolved.size
            sizes.update((blob.digest, blob.size) for blob in item.resolved.blobs)
    return sum(sizes.values())
