"""Counts the child manifests and artifact tags that a run leaves unreferenced."""

from collections.abc import Callable, Iterable

from bulkrm.model.plan import Item


def orphans(deletions: Iterable[Item], went: Callable[[Item], bool]) -> int:
    """Count the orphans of the items that were deleted (`went`), except those of items that were not deleted after all."""
    left: set[str] = set()
    held: set[str] = set()
    for item in deletions:
        if item.orphaned:
            (left if went(item) else held).update(item.orphaned)
    return len(left - held)
