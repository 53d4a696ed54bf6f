"""The steps of a plan in which every manifest is deleted by digest."""

from collections.abc import Iterable

from bulkrm.model.plan import Item, Plan
from bulkrm.model.steps import DeleteManifest
from bulkrm.planning.order.sequence import steps_of


def by_digest(changed: Iterable[Item]) -> dict[str, list[DeleteManifest]]:
    """Return the steps of each host."""
    return {
        host: [step for step in steps if isinstance(step, DeleteManifest)]
        for host, steps in steps_of(Plan(tuple(changed), (), {})).items()
    }
