"""How much stays behind that nothing needs any more."""

from collections.abc import Callable, Iterable

from bulkrm.model.plan import Item


def orphans(deletions: Iterable[Item], went: Callable[[Item], bool]) -> int:
    """Count the manifests and tags that the deleted items leave, but for what an item that stayed needs as well."""
    left: set[str] = set()
    held: set[str] = set()
    for item in deletions:
        if item.orphaned:
            (left if went(item) else held).update(item.orphaned)
    return len(left - held)
