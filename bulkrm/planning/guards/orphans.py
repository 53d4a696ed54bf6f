"""Counts the child manifests and artifact tags that a run leaves unreferenced."""

from collections.abc import Callable, Iterable

from bulkrm.model.plan import Item


def orphans(deletions: Iterable[Item], is_deleted: Callable[[Item], bool]) -> int:
    """Count the orphans of the deleted items, except those that also belong to an item which was not deleted after all.

    `deletions`: the items that the plan deletes; `is_deleted`: tells whether an item was deleted.
    """
    left: set[str] = set()
    held: set[str] = set()
    for item in deletions:
        if item.orphaned:
            (left if is_deleted(item) else held).update(item.orphaned)
    return len(left - held)
