"""429, `Retry-After` and caps, on a clock that the test turns."""

import asyncio

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import Event, Paused, PauseReason
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.settings import Pacing, Rate
from bulkrm.protocol.pacing.pace import http_date
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending
from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest
from tests.protocol.opening import app, failure_of, fill, opened
from tests.support.clock import FakeClock
from tests.support.giving_up import SECONDS

OPEN = SandboxSettings(auth=Auth.NONE)
WALL = 1_800_000_000.0


async def met(registry: Registry) -> None:
    """Meet the host, so that what follows is the requests of the test only."""
    await registry.manifest(app(registry.host.name), "nope")


@pytest.mark.parametrize("date", [True, False])
async def test_a_429_pauses_the_whole_host(date: bool) -> None:  # noqa: FBT001 (a table)
    """Nobody sends to a host that asked to wait until the time is over, and no slot is held meanwhile."""
    clock = FakeClock(wall=WALL)
    headers = {"Retry-After": http_date(WALL + 30), "Date": http_date(WALL)} if date else {"Retry-After": "30"}
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        registry = registries[sandbox.host]
        digests = fill(sandbox, "1", "2", "3")
        await met(registry)
        sandbox.faults.add(Reply(429, headers))
        async with asyncio.TaskGroup() as tasks:
            limited = tasks.create_task(registry.delete(app(sandbox), Digest(digests["1"]), Sending()))
            await clock.until_asleep(1)
            later = [tasks.create_task(registry.manifest(app(sandbox), tag)) for tag in ("2", "3")]
            await clock.until_asleep(2)
            await clock.advance(29.9)
            before = [line.status for line in sandbox.log[2:]]
            in_flight = registry.host.limiter._in_flight
            await clock.advance(0.2)

        assert before == [429]
        assert in_flight == 0
        assert limited.result() is Removal.ACCEPTED
        assert None not in [task.result() for task in later]
        assert clock.slept[0] == 30.0


async def test_another_host_goes_on() -> None:
    """The pause of one host does not hold another."""
    clock = FakeClock()
    async with Sandbox(OPEN) as busy, Sandbox(OPEN) as free, opened(clock=clock) as registries:
        fill(free, "1")
        await met(registries[busy.host])
        registries[busy.host].host.limiter.pause(600)

        async with asyncio.timeout(SECONDS):
            assert await registries[free.host].manifest(app(free), "1") is not None


async def test_limited_for_longer_than_the_cap() -> None:
    """A host that asks for more than ten minutes fails the image at once, for the whole host."""
    clock = FakeClock()
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        await met(registries[sandbox.host])
        sandbox.faults.add(Reply(429, {"Retry-After": "3600"}), times=None)
        with pytest.raises(RequestFailed) as caught:
            await registries[sandbox.host].manifest(app(sandbox), "1")

        failure = failure_of(caught.value)
        assert (failure.code, failure.reach, failure.status) == (FailureCode.RATE_LIMITED, Reach.HOST, 429)
        assert "3600 s" in failure.message
        assert clock.slept == []


async def test_a_429_lessens_the_concurrency_once() -> None:
    """The 429s to one burst lessen what may be in flight once."""
    clock = FakeClock(auto=True)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock, pacing=Pacing(concurrency=8)) as registries:
        registry = registries[sandbox.host]
        fill(sandbox, "1")
        await met(registry)
        gathered = asyncio.Barrier(8)

        async def enforce_limit(_: ServerRequest) -> None:
            await gathered.wait()

        sandbox.faults.add(Call(enforce_limit), times=8)
        sandbox.faults.add(Reply(429, {"Retry-After": "10"}), times=8)
        async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(registry.manifest(app(sandbox), "1"))
            await clock.until_asleep(1)
            lessened = registry.host.limiter._concurrency.allowed

        assert lessened == 5
        assert registry.host.limiter._concurrency.allowed >= 5


async def linger(_: ServerRequest) -> None:
    """Take so long that others could come in between."""
    for _turn in range(20):
        await asyncio.sleep(0)


async def test_never_more_in_flight_than_allowed() -> None:
    """--concurrency holds for all requests to a host, whatever they are."""
    async with Sandbox() as sandbox, opened(pacing=Pacing(concurrency=3)) as registries:
        digests = fill(sandbox, *(f"t{number}" for number in range(30)))
        registry = registries[sandbox.host]
        sandbox.faults.before = linger
        async with asyncio.TaskGroup() as tasks:
            for tag, digest in digests.items():
                tasks.create_task(registry.manifest(app(sandbox), tag))
                tasks.create_task(registry.delete(app(sandbox), Digest(digest), Sending()))

        assert sandbox.max_in_flight == 3


async def test_the_rate_holds_for_retries_too() -> None:
    """--rate counts every request that is sent, retries and token renewals included."""
    clock = FakeClock(auto=True)
    async with Sandbox() as sandbox, opened(clock=clock, pacing=Pacing(rate=Rate(2, 10.0))) as registries:
        fill(sandbox, "1")
        sandbox.faults.add(Reply(503), every=3, times=None)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(10):
                tasks.create_task(registries[sandbox.host].manifest(app(sandbox), "1"))

        sent = len(sandbox.log)
        assert registries.requests.registry == sent >= 15
        assert clock.monotonic() >= ((sent + 1) // 2 - 1) * 10.0


async def test_jitter() -> None:
    """Retries are spread, so that those who failed together do not come back together."""
    clock = FakeClock(auto=True, jitter=0.5)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        fill(sandbox, "1")
        sandbox.faults.add(Reply(500), path="manifests", times=2)

        assert await registries[sandbox.host].manifest(app(sandbox), "1") is not None
        assert clock.slept == [0.625, 1.25]


@pytest.mark.parametrize("prefix", ["RateLimit", "X-RateLimit"])
async def test_a_quota_that_is_nearly_used_up(prefix: str) -> None:
    """A host that will answer no more than what is under way is left alone until it will; nothing is refused."""
    clock = FakeClock(wall=WALL)
    until = "30" if prefix == "RateLimit" else str(int(WALL) + 30)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        registry = registries[sandbox.host]
        fill(sandbox, "1", "2")
        await met(registry)
        sandbox.faults.add(Reply(404, {f"{prefix}-Remaining": "0", f"{prefix}-Reset": until}))
        with pytest.raises(RequestFailed):
            await registry.manifest(app(sandbox), "1")
        async with asyncio.TaskGroup() as tasks:
            later = tasks.create_task(registry.manifest(app(sandbox), "2"))
            await clock.until_asleep(1)
            await clock.advance(29.9)
            before = len(sandbox.log)
            await clock.advance(0.2)

        assert later.result() is not None
        assert (before, len(sandbox.log)) == (3, 4)


async def test_a_403_about_a_quota() -> None:
    """GitHub says 403 where its quota is used up: that is waited for, and no permission is missing."""
    clock = FakeClock(auto=True, wall=WALL)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        registry = registries[sandbox.host]
        fill(sandbox, "1")
        await met(registry)
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(WALL) + 45)}
        sandbox.faults.add(Reply(403, headers))

        assert await registry.manifest(app(sandbox), "1") is not None
        assert clock.slept[0] == 45.0


async def test_a_quota_of_hours_is_no_reason_to_wait_before_it_is_refused() -> None:
    """Docker Hub counts six hours and GitHub one: as long as requests are answered, they are sent."""
    clock = FakeClock(wall=WALL)
    async with Sandbox(OPEN) as sandbox, opened(clock=clock) as registries:
        registry = registries[sandbox.host]
        fill(sandbox, "1")
        await met(registry)
        headers = {"RateLimit-Remaining": "0;w=21600", "RateLimit-Reset": "21600"}
        sandbox.faults.add(Reply(404, headers))
        with pytest.raises(RequestFailed):
            await registry.manifest(app(sandbox), "1")

        async with asyncio.timeout(SECONDS):
            assert await registry.manifest(app(sandbox), "1") is not None


async def test_a_pause_for_a_quota_is_told() -> None:
    """Nobody has to guess why nothing happens."""
    clock, said = FakeClock(wall=WALL), list[Event]()
    async with Sandbox(OPEN) as sandbox, opened(clock=clock, tell=said.append) as registries:
        registry = registries[sandbox.host]
        fill(sandbox, "1")
        await met(registry)
        sandbox.faults.add(Reply(404, {"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}))
        with pytest.raises(RequestFailed):
            await registry.manifest(app(sandbox), "1")

    assert said == [Paused(sandbox.host, 30.0, PauseReason.ASKED)]


async def test_a_host_that_is_not_there_is_told() -> None:
    """Nobody waits in silence for a registry that refuses connections."""
    said: list[Event] = []
    async with Sandbox(OPEN) as sandbox:
        host = sandbox.host
    async with opened(clock=FakeClock(auto=True), tell=said.append) as registries:
        with pytest.raises(RequestFailed):
            await registries[host].manifest(app(host), "1")

    assert said == [Paused(host, 2.0, PauseReason.UNREACHABLE)]
