"""What happens in a repository while it is being deleted from: seen in time, by few requests, and never for ever.

Time is that of the clock which the tests give: every request takes as long as they say.
"""

from collections.abc import Callable

import pytest

from bulkrm.model.plan import Plan
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Call, Drop, Reply, Sandbox, SandboxSettings, ServerRequest, index_of, oci_image, put_image
from tests.integration.engine import Done, Options, delete
from tests.support.clock import FakeClock

APP = "team/app"
LIST = f"- {APP}:pr-*"
HOUR = 3600.0


def fill(sandbox: Sandbox, number: int, others: int = 1) -> list[str]:
    """So many images to delete, in the order of their names, and others that stay; return the digests of the first."""
    for seed in range(others):
        put_image(sandbox.store, APP, [f"stays-{seed}"], oci_image(seed=1000 + seed))
    return [put_image(sandbox.store, APP, [f"pr-{seed:03}"], oci_image(seed=seed)) for seed in range(number)]


def takes(sandbox: Sandbox, clock: FakeClock, seconds: float, *, method: str, path: str = "") -> None:
    """Let each of these requests take so long."""

    async def pass_time(_: ServerRequest) -> None:
        clock.skip(seconds)

    sandbox.faults.add(Call(pass_time), method=method, path=path, times=None)


def happens(sandbox: Sandbox, clock: FakeClock, second: float, change: Callable[[], None]) -> None:
    """Let something happen at the first DELETE that arrives at that second, or later."""
    done = list[bool]()

    async def happen(_: ServerRequest) -> None:
        if clock.monotonic() >= second and not done:
            done.append(True)
            change()

    sandbox.faults.add(Call(happen), method="DELETE", times=None)


def word(done: Done, number: int) -> str:
    """What became of one of the images."""
    return done.statuses[f"{APP}:pr-{number:03}"]


@pytest.mark.parametrize("shared", [Shared.REFUSE, Shared.DELETE])
@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
@pytest.mark.parametrize("tag_deletes", [True, False])
async def test_a_tag_that_comes_in_the_middle(*, shared: Shared, strategy: Strategy, tag_deletes: bool) -> None:
    """DELETEs take 90 seconds in all; a tag put on a digest to delete at second 40 keeps it, whose DELETE comes at 84."""
    async with Sandbox(SandboxSettings(tag_deletes=tag_deletes)) as sandbox:
        clock = FakeClock(auto=True)
        digests = fill(sandbox, 45)
        takes(sandbox, clock, 2.0, method="DELETE", path="sha256:(?!0{64})")
        happens(sandbox, clock, 40.0, lambda: sandbox.store.tag(APP, "prod", digests[42]))

        options = Options(shared=shared, strategy=strategy, allow_decoy=True, concurrency=1, clock=clock)
        done = await delete(sandbox.host, LIST, options)

        first = strategy is Strategy.TAGS_FIRST
        assert word(done, 42) == ("untagged" if first else "kept shared")
        assert [text for text in done.statuses.values() if text != "deleted"] == [word(done, 42)]
        assert sandbox.store.digest_of(APP, "prod") == digests[42]
        assert len(sandbox.store.digests(APP)) == 2


@pytest.mark.parametrize("counts_sleep", [True, False])
@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
@pytest.mark.parametrize("reading", [0.0, 0.9])
async def test_a_laptop_that_sleeps_at_the_question(*, counts_sleep: bool, strategy: Strategy, reading: float) -> None:
    """The wall clock goes on for an hour and the monotonic one does not: all is judged again, however long it took."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        clock = FakeClock(auto=True, counts_sleep=counts_sleep)
        digests = fill(sandbox, 5, others=95)
        takes(sandbox, clock, reading, method="GET|HEAD")

        async def sleep(_: Plan) -> None:
            clock.suspend(HOUR)
            sandbox.store.tag(APP, "prod", digests[3])
            sandbox.store.tag(APP, "stays-7", digests[4])

        options = Options(strategy=strategy, clock=clock, before_delete=sleep)
        done = await delete(sandbox.host, LIST, options)

        assert [word(done, number) for number in range(5)] == ["deleted"] * 3 + ["kept shared"] * 2
        assert sandbox.store.digest_of(APP, "prod") == digests[3]
        assert sandbox.store.digest_of(APP, "stays-7") == digests[4]


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
@pytest.mark.parametrize("sleeps", [False, True])
async def test_a_process_that_is_stopped_in_the_middle(*, strategy: Strategy, sleeps: bool) -> None:
    """For 65 seconds nothing goes on (SIGSTOP, or the lid is closed): what came meanwhile is seen before the next DELETE."""
    async with Sandbox(SandboxSettings(tag_deletes=True)) as sandbox:
        clock = FakeClock(auto=True)
        digests = fill(sandbox, 10)

        async def stop(_: ServerRequest) -> None:
            (clock.suspend if sleeps else clock.skip)(65.0)
            sandbox.store.tag(APP, "prod", digests[8])

        sandbox.faults.add(Call(stop), method="DELETE", path="sha256:(?!0{64})", skip=4)
        done = await delete(sandbox.host, LIST, Options(strategy=strategy, concurrency=1, clock=clock))

        assert sandbox.store.digest_of(APP, "prod") == digests[8]
        assert word(done, 8) == ("kept shared" if strategy is Strategy.DIGEST else "untagged")
        assert sum(text == "deleted" for text in done.statuses.values()) == 9


async def test_what_waited_for_its_turn() -> None:
    """A DELETE that stood in the queue of a slow registry is taken back there, and its image judged again."""
    async with Sandbox() as sandbox:
        clock = FakeClock(auto=True)
        digests = fill(sandbox, 40)
        takes(sandbox, clock, 4.0, method="DELETE", path="sha256:(?!0{64})")

        def push() -> None:
            for one in (30, 39):
                sandbox.store.tag(APP, f"new-{one}", digests[one])

        happens(sandbox, clock, 20.0, push)

        done = await delete(sandbox.host, LIST, Options(concurrency=8, clock=clock))

        assert (word(done, 30), word(done, 39)) == ("kept shared", "kept shared")
        assert sum(text == "deleted" for text in done.statuses.values()) == 38


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_slow_reading_ends(concurrency: int) -> None:
    """Where reading takes 90 seconds the run ends, with at most 25 % more requests than one that reads nothing again."""
    sent = []
    clock = FakeClock(auto=True)
    for slow in (False, True):
        async with Sandbox() as sandbox:
            clock = FakeClock(auto=True)
            fill(sandbox, 60, others=30)
            takes(sandbox, clock, 1.0 if slow else 0.0, method="GET|HEAD|DELETE", path="/manifests/|/tags/")

            done = await delete(sandbox.host, LIST, Options(concurrency=concurrency, clock=clock))

            assert set(done.statuses.values()) == {"deleted"}
            sent.append(len(done.sent))
    assert clock.monotonic() >= 150
    assert sent[0] < sent[1] <= 1.25 * sent[0]


async def test_slow_lists_end() -> None:
    """Where every list of tags takes 90 seconds it is read again after 450, and four fifths of the time is deleting."""
    async with Sandbox() as sandbox:
        clock = FakeClock(auto=True)
        fill(sandbox, 100, others=5)
        takes(sandbox, clock, 90.0, method="GET", path="/tags/list")
        takes(sandbox, clock, 10.0, method="DELETE")

        done = await delete(sandbox.host, LIST, Options(concurrency=4, clock=clock))

        assert set(done.statuses.values()) == {"deleted"}
        lists = sum(path.endswith("/tags/list") or "/tags/list?" in path for _, path in done.sent)
        lists -= 1  # the look at the first deletion
        assert 90 * (lists - 1) <= 0.25 * 1000
        assert lists == 3


@pytest.mark.parametrize("kind", ["tag", "index", "index of others", "image", "unreadable"])
async def test_a_new_name_in_the_list(kind: str) -> None:
    """Between two long readings the list alone is read each minute, and what is new in it: what touches nothing costs little."""
    async with Sandbox() as sandbox:
        clock = FakeClock(auto=True)
        digests = fill(sandbox, 30, others=90)
        takes(sandbox, clock, 1.0, method="GET|HEAD", path="/manifests/(pr|stays)")
        takes(sandbox, clock, 5.0, method="DELETE")

        def change() -> None:
            match kind:
                case "tag":
                    sandbox.store.tag(APP, "new", digests[29])
                case "index" | "index of others":
                    seed = 29 if kind == "index" else 1001
                    put_image(sandbox.store, APP, ["new"], index_of([oci_image(seed=seed)]))
                case _:
                    put_image(sandbox.store, APP, ["new"], oci_image(seed=5000))
            if kind == "unreadable":
                sandbox.faults.add(Reply(500), method="GET|HEAD", path="/manifests/new", times=None)

        async def ask(_: Plan) -> None:
            happens(sandbox, clock, clock.monotonic() + 10, change)

        done = await delete(sandbox.host, LIST, Options(concurrency=1, clock=clock, before_delete=ask))

        reads = sum("/manifests/" in path for method, path in done.sent if method in ("GET", "HEAD"))
        expected = {"tag": "kept shared", "index": "kept needed", "unreadable": "kept unreadable"}
        assert word(done, 29) == expected.get(kind, "deleted")
        assert (digests[29] in sandbox.store.digests(APP)) == (kind in expected)
        assert word(done, 0) == "deleted"
        if kind in expected:
            assert 120 < reads <= 2 * 120 + 30
        else:
            assert reads <= 120 + 2 + 2  # the first deletion is looked at


async def test_many_repositories() -> None:
    """What takes long in all, and not in any repository, is not read again for each of its deletions."""
    async with Sandbox() as sandbox:
        clock = FakeClock(auto=True)
        for place in range(60):
            for seed in range(5):
                put_image(sandbox.store, f"team/app{place:02}", [f"pr-{seed}"], oci_image(seed=seed))
            put_image(sandbox.store, f"team/app{place:02}", ["stays"], oci_image(seed=99))
        takes(sandbox, clock, 0.5, method="DELETE")
        listed = "\n".join(f"- team/app{place:02}:pr-*" for place in range(60))

        done = await delete(sandbox.host, listed, Options(concurrency=4, clock=clock))

        assert set(done.statuses.values()) == {"deleted"}
        assert clock.monotonic() >= 150
        # A repository that comes after the first minute is read again, as before its first deletion; and that is all.
        assert len(done.sent) <= 60 * (1 + 6 + 5) + 60 * 7 + 5


@pytest.mark.parametrize("fault", [Reply(503), Reply(503, {"Retry-After": "70"}), Drop()])
async def test_one_that_is_always_in_trouble(fault: Reply | Drop) -> None:
    """Where the repeated sends of one DELETE outlast a judgement, it is judged again once and then given up."""
    async with Sandbox() as sandbox:
        clock = FakeClock(auto=True)
        digests = fill(sandbox, 6, others=10)
        sandbox.faults.add(fault, method="DELETE", path=digests[2], times=None)

        done = await delete(sandbox.host, LIST, Options(concurrency=1, clock=clock))

        assert word(done, 2).startswith("failed ")
        assert sum(text == "deleted" for text in done.statuses.values()) == 5
        assert digests[2] in sandbox.store.digests(APP)
        assert clock.monotonic() < 900
        assert done.count("DELETE") <= 5 + 2 * 10
