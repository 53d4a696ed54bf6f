"""The search for how many requests a registry takes at once, against registries that are simulated to the millisecond."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.protocol.pacing.pace import ConcurrencyLimit


@dataclass(frozen=True)
class Server:
    """So many cores that need `work` seconds for a request, `away` seconds from here, refusing above `limit`."""

    away: float = 0.0003
    work: float = 0.0007
    cores: int = 2
    limit: int | None = None


FAST = Server()
FAR = Server(away=0.05, work=0.0004, cores=1)
LIMITED = Server(limit=20)


@dataclass
class Ran:
    """What came of a run: requests answered and refused, and how many were allowed at each time."""

    answered: int = 0
    refused: int = 0
    seconds: float = 0.0
    allowed: list[tuple[float, int]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def last_allowed(self, since: float) -> list[int]:
        return [number for moment, number in self.allowed if moment >= since]


def simulate(server_at: Callable[[float], Server], requests: int, cap: int | None = None) -> Ran:
    """Send so many requests, as many at once as are allowed; a refusal pauses everything for a tenth of a second."""
    chance = random.Random(1)  # noqa: S311 (service times)
    concurrency, ran = ConcurrencyLimit(cap), Ran()
    now, paused, under_way = 0.0, 0.0, 0
    free = [0.0, 0.0]
    coming: list[tuple[float, int, bool]] = []
    sent = 0
    while ran.answered < requests:
        server = server_at(now)
        while under_way < concurrency.allowed and now >= paused and ran.answered + under_way < requests:
            under_way, sent = under_way + 1, sent + 1
            concurrency.sent(under_way)
            if server.limit is not None and under_way > server.limit:
                heapq.heappush(coming, (now + server.away, sent, False))
                continue
            core = min(range(server.cores), key=lambda number: free[number])
            free[core] = max(free[core], now + server.away / 2) + server.work * chance.expovariate(1)
            heapq.heappush(coming, (free[core] + server.away / 2, sent, True))
        if not coming or (now < paused < coming[0][0] and under_way < concurrency.allowed):
            now = paused
            continue
        now, _, good = heapq.heappop(coming)
        under_way -= 1
        if good:
            ran.answered += 1
            concurrency.answered(now)
        else:
            ran.refused += 1
            if now >= paused:
                concurrency.refused(now)
            paused = max(paused, now + 0.1)
        ran.allowed.append((now, concurrency.allowed))
    ran.seconds = now
    return ran


@pytest.mark.parametrize("server", [FAST, FAR, LIMITED], ids=["fast", "far", "limited"])
def test_it_finds_the_best_number(server: Server) -> None:
    """Within a tenth of the best fixed number, found out by trying them; refusals are rare."""
    best = max(simulate(lambda _: server, 30_000, cap).rate for cap in (8, 16, 20, 32, 64, 128, 256))

    ran = simulate(lambda _: server, 30_000)

    assert ran.rate >= 0.9 * best
    assert ran.refused <= 0.02 * ran.answered


def test_it_follows_a_registry_that_changes() -> None:
    """From near to far, and to one that refuses, and back: each time it is soon where it should be."""

    def server_at(now: float) -> Server:
        return FAST if now < 4 else FAR if now < 10 else LIMITED if now < 14 else FAR

    ran = simulate(server_at, 60_000)

    assert max(ran.last_allowed(4)) >= 128
    between = [number for moment, number in ran.allowed if 12 < moment < 14]
    assert set(between) <= set(range(12, 22))
    assert max(ran.last_allowed(20)) >= 128
    assert ran.refused <= 0.02 * ran.answered


def test_what_was_refused_is_tried_again_after_a_while() -> None:
    """Every time it is refused again it waits longer, so that a limit costs less and less."""
    ran = simulate(lambda _: LIMITED, 150_000)

    assert ran.seconds > 40
    early = sum(number > 20 for moment, number in ran.allowed if moment < 20)
    late = sum(number > 20 for moment, number in ran.allowed if moment >= 20)
    assert ran.refused <= 100
    assert late <= early


def test_it_holds_where_something_else_limits() -> None:
    """With few jobs, or a rate of the user's, fewer are in flight than allowed: that says nothing about the registry."""
    concurrency = ConcurrencyLimit(None)
    now = 0.0
    for _ in range(10_000):
        now += 0.01
        concurrency.sent(3)
        concurrency.answered(now)

    assert concurrency.allowed == 32


@given(st.lists(st.tuples(st.sampled_from(["answered", "refused", "sent"]), st.floats(0, 5)), max_size=400))
def test_it_never_leaves_its_bounds(events: list[tuple[str, float]]) -> None:
    """Whatever happens, at least one may go, and never more than the most."""
    concurrency, now, in_flight = ConcurrencyLimit(None), 0.0, 0
    for event, passed in events:
        now += passed
        if event == "sent":
            in_flight += 1
            concurrency.sent(in_flight)
        elif event == "answered":
            for _ in range(100):
                concurrency.answered(now)
        else:
            concurrency.refused(now)
        assert 1 <= concurrency.allowed <= concurrency.cap
