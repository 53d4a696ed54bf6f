"""The steps of a plan in which everything goes by digest."""

from collections.abc import Iterable

from bulkrm.model.plan import Item
from bulkrm.model.steps import ClearTags, DeleteManifest, RemoveTags
from bulkrm.planning.steps import compile_steps


def by_digest(acts: Iterable[Item]) -> dict[str, list[DeleteManifest | RemoveTags]]:
    """Return the steps of each host."""
    return {
        host: [step for step in steps if not isinstance(step, ClearTags)]
        for host, steps in compile_steps(acts, {}).items()
    }
