"""A run that is stopped, cancelled or broken by a bug ends in order: its report is complete, and it can be resumed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

from bulkrm import (
    Client,
    Event,
    ImageSettled,
    InternalError,
    Phase,
    PhaseBegan,
    Plan,
    PlanIncomplete,
    Report,
    RunBegan,
    RunEnded,
    Signal,
)
from bulkrm.sandbox import Call, Sandbox, ServerRequest
from tests.api.opening import Journal, fill, listed, opened, tags, words
from tests.support.giving_up import SECONDS

NAMES = tuple("abcdef")
INTERRUPTED = "not-attempted interrupted"
Deletion = Callable[[], Coroutine[Any, Any, Report]]


def at_first(kind: type, act: Callable[[], object]) -> Callable[[Event], None]:
    """Act at the first event of a kind."""
    left = [act]

    def look(event: Event) -> None:
        if isinstance(event, kind) and left:
            left.pop()()

    return look


def report_of(journal: Journal) -> Report:
    """The report that was told last."""
    last = journal.events[-1]
    assert isinstance(last, RunEnded)
    return last.report


async def test_stop_and_resume(tmp_path: Path) -> None:
    """A stopped run returns a complete report; a new client goes on with it, and reports all of it."""
    async with Sandbox() as sandbox:
        fill(sandbox, *NAMES)
        journal = Journal(
            at_first(
                ImageSettled,
                lambda: client.stop(),  # noqa: PLW0108 (the client is not there yet)
            )
        )
        async with opened(sandbox, journal, tmp_path) as client:
            report = await client.delete(listed(sandbox, *NAMES))
            stopped_by = client.stopped_by
        done = sum(word == "deleted" for _, word in words(report.images))
        left = tags(sandbox)
        async with opened(sandbox, state_dir=tmp_path) as client:
            resumed = await client.resume()

        assert 1 <= done < len(NAMES)
        assert [word for _, word in words(report.images)] == ["deleted"] * done + [INTERRUPTED] * (len(NAMES) - done)
        assert left == list(NAMES[done:])
        assert (stopped_by, report.exit_code(stopped_by)) == (Signal.INTERRUPT, 130)
        assert resumed.run.id == report.run.id
        assert [word for _, word in words(resumed.images)] == ["deleted"] * len(NAMES)
        assert tags(sandbox) == []


async def test_stop_from_a_callback_of_the_loop() -> None:
    """`loop.add_signal_handler(SIGINT, client.stop)` works: it runs outside of every task."""
    async with Sandbox() as sandbox:
        fill(sandbox, *NAMES)
        loop = asyncio.get_running_loop()
        journal = Journal(at_first(ImageSettled, lambda: loop.call_soon(client.stop)))
        async with opened(sandbox, journal) as client:
            report = await client.delete(listed(sandbox, *NAMES))

    assert words(report.images)[-1] == ("f", INTERRUPTED)


async def test_a_stopped_client_begins_nothing() -> None:
    """What is asked of a client that was stopped is not attempted, and is reported so."""
    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox) as client:
            client.stop(Signal.TERMINATE)
            report = await client.delete(listed(sandbox, "a"))

        assert words(report.images) == [("a", INTERRUPTED)]
        assert tags(sandbox) == ["a"]


async def test_a_plan_that_is_stopped() -> None:
    """There is no plan where the run was stopped before it was complete; the error has the report."""

    def look(event: Event) -> None:
        if isinstance(event, PhaseBegan) and event.phase is Phase.CHECKING_OTHER_TAGS:
            client.stop()

    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b", "c")
        async with opened(sandbox, Journal(look)) as client:
            with pytest.raises(PlanIncomplete) as stopped:
                await client.plan(listed(sandbox, "a"))

    assert words(stopped.value.report.images) == [("a", INTERRUPTED)]


async def test_a_stop_ends_the_wait_for_an_answer(tmp_path: Path) -> None:
    """Who stops while the question is open has declined nothing: the run can be resumed."""

    async def think(_: Plan) -> bool:
        client.stop()
        await asyncio.Event().wait()
        return True

    async with Sandbox() as sandbox:
        fill(sandbox, "a")
        async with opened(sandbox, state_dir=tmp_path) as client:
            report = await client.delete(listed(sandbox, "a"), confirm=think)
        async with opened(sandbox, state_dir=tmp_path) as client:
            resumed = await client.resume(report.run.id)

    assert words(report.images) == [("a", INTERRUPTED)]
    assert words(resumed.images) == [("a", "deleted")]


async def by_task(client: Client, work: Deletion, cancel: asyncio.Event) -> None:
    """Cancel the task that waits."""
    del client
    task = asyncio.ensure_future(work())
    await cancel.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_scope(client: Client, work: Deletion, cancel: asyncio.Event) -> None:
    """Cancel a scope of anyio around the call."""
    del client
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await cancel.wait()
                scope.cancel()

            group.start_soon(watch)
            await work()
    assert scope.cancelled_caught


async def by_leaving(client: Client, work: Deletion, cancel: asyncio.Event) -> None:
    """Leave the block of the client, whose runs end by themselves."""
    task = asyncio.ensure_future(work())
    await cancel.wait()
    await client.__aexit__(None, None, None)
    await task


@pytest.mark.parametrize("way", [by_task, by_scope, by_leaving])
async def test_cancellation(way: Callable[[Client, Deletion, asyncio.Event], Awaitable[None]], tmp_path: Path) -> None:
    """A cancelled call ends its run in order before it raises: the last event has the complete report."""
    cancel = asyncio.Event()
    async with Sandbox() as sandbox:
        fill(sandbox, *NAMES)
        journal = Journal(at_first(ImageSettled, cancel.set))
        async with opened(sandbox, journal, tmp_path) as client:
            await way(client, lambda: client.delete(listed(sandbox, *NAMES)), cancel)
        report = report_of(journal)
        done = [tag for tag, word in words(report.images) if word == "deleted"]
        left = tags(sandbox)
        async with opened(sandbox, state_dir=tmp_path) as client:
            resumed = await client.resume()

        assert left == [tag for tag in NAMES if tag not in done]
        assert {word for tag, word in words(report.images) if tag not in done} == {INTERRUPTED}
        assert len(report.images) == len(NAMES)
        assert {word for _, word in words(resumed.images)} == {"deleted"}


async def test_a_second_cancellation_does_not_wait(tmp_path: Path) -> None:
    """A deletion that hangs is waited for after the first cancellation, and not after the second."""
    hangs, held = asyncio.Event(), asyncio.Event()

    async def hang(_: ServerRequest) -> None:
        hangs.set()
        await held.wait()

    async with Sandbox() as sandbox:
        fill(sandbox, "a", "b")
        sandbox.faults.add(Call(hang), method="DELETE", path="sha256", skip=1)
        journal = Journal()
        async with opened(sandbox, journal, tmp_path) as client:
            task = asyncio.ensure_future(client.delete(listed(sandbox, "a", "b")))
            async with asyncio.timeout(SECONDS):
                await hangs.wait()
                task.cancel()
                done, _ = await asyncio.wait({task}, timeout=0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        held.set()

    assert not done
    assert len(report_of(journal).images) == 2


class Broken(Exception):  # noqa: N818 (it is one)
    """What no code expects."""


@pytest.mark.parametrize("kind", [RunBegan, PhaseBegan, ImageSettled, RunEnded])
async def test_a_listener_with_a_bug(kind: type, tmp_path: Path) -> None:
    """It stops its run; the error has the complete report and the bug, and later events are still told."""

    def fail() -> None:
        raise Broken

    async with Sandbox() as sandbox:
        fill(sandbox, *NAMES)
        journal = Journal(at_first(kind, fail))
        async with opened(sandbox, journal, tmp_path) as client:
            with pytest.raises(InternalError) as broken:
                await client.delete(listed(sandbox, *NAMES))

        assert isinstance(broken.value.__cause__, Broken)
        assert report_of(journal) is broken.value.report
        found = dict(words(broken.value.report.images))
        assert tags(sandbox) == [tag for tag, word in found.items() if word != "deleted"]
        assert {*found.values()} <= {"deleted", "not-attempted internal-error"}
