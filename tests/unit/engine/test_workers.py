"""Many jobs at once: how many, in which order, and what ends them."""

import asyncio

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.engine.workers import run_jobs, run_jobs_unstopped
from bulkrm.model.grouping import by_host
from bulkrm.model.reference import Repository
from bulkrm.model.result.outcome import NotAttemptedReason, Signal


def test_by_host() -> None:
    """Places are grouped by their host and keep their order."""
    places = [Repository(host, path) for host, path in (("b", "1"), ("a", "2"), ("b", "3"))]

    assert by_host(places) == {"b": [places[0], places[2]], "a": [places[1]]}


async def test_every_job_once_and_in_order() -> None:
    """All jobs of all hosts are done, each host's in their order."""
    done: list[str] = []

    async def work(job: str) -> None:
        done.append(job)
        await asyncio.sleep(0)

    await run_jobs({"a": ["a1", "a2", "a3"], "b": ["b1"], "c": []}, lambda _: 1, work, Stop())

    assert sorted(done) == ["a1", "a2", "a3", "b1"]
    assert [job for job in done if job[0] == "a"] == ["a1", "a2", "a3"]


async def test_as_many_as_the_limiter_lets() -> None:
    """Each host has so many workers as its cap, or as it has jobs, and hosts do not wait for one another."""
    running: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0}

    async def work(job: str) -> None:
        running[job] += 1
        most[job] = max(most[job], running[job])
        await asyncio.sleep(0)
        running[job] -= 1

    await run_jobs({"a": ["a"] * 20, "b": ["b"] * 3}, {"a": 4, "b": 9}.__getitem__, work, Stop())

    assert most == {"a": 4, "b": 3}


async def test_a_stop_takes_no_new_job() -> None:
    """After a stop no job is begun; those under way come to their end."""
    stop, begun, ended = Stop(), list[int](), list[int]()

    async def work(job: int) -> None:
        begun.append(job)
        if job == 3:
            stop.interrupt(Signal.INTERRUPT)
        await asyncio.sleep(0)
        ended.append(job)

    await run_jobs({"a": range(10)}, lambda _: 2, work, stop)

    assert begun == ended
    assert max(begun) in (3, 4)


async def test_a_bug_stops_all() -> None:
    """An exception of a job stops the run, is kept, and does not keep the others from their end."""
    stop, ended = Stop(), list[int]()

    async def work(job: int) -> None:
        await asyncio.sleep(0)
        if job == 1:
            raise ZeroDivisionError
        ended.append(job)

    await run_jobs({"a": range(100)}, lambda _: 4, work, stop)

    assert isinstance(stop.bug, ZeroDivisionError)
    assert stop.reason is NotAttemptedReason.INTERNAL_ERROR
    assert len(ended) < 10


async def test_cancelled_jobs_are_no_bug() -> None:
    """What a phase's end cancels is no bug."""
    stop = Stop()

    async def work(_: int) -> None:
        stop.interrupt(Signal.INTERRUPT)
        await asyncio.Event().wait()

    with stop.phase():
        await run_jobs({"a": range(10)}, lambda _: 2, work, stop)

    assert (stop.bug, stop.reason, stop.signal) == (None, NotAttemptedReason.INTERRUPTED, Signal.INTERRUPT)


async def test_jobs_that_no_stop_ends() -> None:
    """They are done to the last one, and the exception of a job is raised when those under way have ended."""
    ended: list[int] = []

    async def work(job: int) -> None:
        await asyncio.sleep(0)
        if job == 1:
            raise ZeroDivisionError
        ended.append(job)

    await run_jobs_unstopped({"a": range(2, 50)}, lambda _: 4, work)
    assert sorted(ended) == list(range(2, 50))

    ended.clear()
    with pytest.raises(ZeroDivisionError):
        await run_jobs_unstopped({"a": range(100)}, lambda _: 4, work)
    assert 0 in ended
    assert len(ended) < 10
