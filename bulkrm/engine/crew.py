"""Many jobs at once: for every host as many workers as its limiter ever lets send."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import anyio

from bulkrm.engine.stop import Stop
from bulkrm.model.reference import Repository

Job = TypeVar("Job")


def by_host(places: Iterable[Repository]) -> dict[str, list[Repository]]:
    """Group repositories by their host, in order."""
    hosts: dict[str, list[Repository]] = defaultdict(list)
    for place in places:
        hosts[place.host].append(place)
    return hosts


async def work_through(
    jobs: Mapping[str, Iterable[Job]], caps: Callable[[str], int], work: Callable[[Job], Awaitable[None]], stop: Stop
) -> None:
    """Do all jobs of all hosts, each host's in their order; a stop takes no new one.

    The one place where an exception that is no BulkrmError is caught: it is a bug, and stops the run like Ctrl-C.
    """

    async def worker(queue: Iterator[Job]) -> None:
        for job in queue:
            if stop:
                return
            try:
                await work(job)
            except Exception as bug:  # noqa: BLE001 (kept, and raised again when the report is complete)
                stop.crash(bug)

    async with anyio.create_task_group() as group:
        for host, queue in jobs.items():
            todo = list(queue)
            shared = iter(todo)
            for _ in range(min(caps(host), len(todo))):
                group.start_soon(worker, shared)
