"""Many jobs at once: for every host as many workers as its limiter lets send."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from bulkrm.engine.stop import Stop

Job = TypeVar("Job")


async def run_jobs(
    jobs: Mapping[str, Iterable[Job]], caps: Callable[[str], int], work: Callable[[Job], Awaitable[None]], stop: Stop
) -> None:
    """Do all jobs of all hosts, each host's in their order; a stop takes no new one.

    `caps`: called with a host before each new worker and after each job; returns how many workers the host may have now.
    An exception that is no BulkrmError is a bug: it stops the run like Ctrl-C.
    """
    async with anyio.create_task_group() as group:
        for host, queue in jobs.items():
            _HostWorkers(partial(caps, host), iter(list(queue)), work, stop, group).grow()


async def run_jobs_unstopped(
    jobs: Mapping[str, Iterable[Job]], caps: Callable[[str], int], work: Callable[[Job], Awaitable[None]]
) -> None:
    """Do all jobs of all hosts, also in a run that is stopped. Raises what a job raised; no new one begins after that."""
    never = Stop()
    await run_jobs(jobs, caps, work, never)
    if never.bug is not None:
        raise never.bug


class _HostWorkers(Generic[Job]):
    """The workers of one host: as many as `cap` returns, which may change with each job."""

    def __init__(
        self,
        cap: Callable[[], int],
        jobs: Iterator[Job],
        work: Callable[[Job], Awaitable[None]],
        stop: Stop,
        group: TaskGroup,
    ) -> None:
        self._cap = cap
        self._jobs = jobs
        self._work = work
        self._stop = stop
        self._group = group
        self._size = 0

    def grow(self) -> None:
        """Take on workers, as long as there is something to do for them."""
        while self._size < self._cap():
            job = next(self._jobs, None)
            if job is None or self._stop:
                return
            self._size += 1
            self._group.start_soon(self._worker, job)

    async def _worker(self, job: Job | None) -> None:
        while job is not None and not self._stop:
            try:
                await self._work(job)
            except Exception as bug:  # noqa: BLE001 (kept, and raised again when the report is complete)
                self._stop.crash(bug)
            cap = self._cap()
            if self._size > cap:
                break
            if self._size < cap:
                self.grow()
            job = next(self._jobs, None)
        self._size -= 1
