"""How much stays behind that nothing needs any more."""

from collections.abc import Callable, Iterable

from bulkrm.model.plan import Item


def orphans(doomed: Iterable[Item], went: Callable[[Item], bool]) -> int:
    """Count the manifests and tags that the deleted items leave, but for what an item that stayed needs as well."""
    left: set[str] = set()
    held: set[str] = set()
    for item in doomed:
        if item.leaves:
            (left if went(item) else held).update(item.leaves)
    return len(left - held)
