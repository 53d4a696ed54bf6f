"""Which DELETEs a run sends, in which order, and what stops it."""

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Reply, index_of, oci_image, oci_index
from tests.engine.runs import APP, LIST, Runs, words


async def test_each_digest_is_deleted_once(runs: Runs) -> None:
    """Several listed tags on one manifest cost one DELETE, of its digest."""
    digests = runs.fill(3, "too")
    runs.keep()

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert sorted(runs.registry.deleted(APP)) == sorted(digests)
    assert list(runs.registry.tags(APP)) == ["latest"]


async def test_the_first_deletion_goes_alone(runs: Runs) -> None:
    """Until the first deletion of a host was looked at no other one is sent, however many may be in flight."""
    runs.fill(8)
    runs.keep()

    await runs.delete(concurrency=8)

    sent = runs.registry.sent
    first, second = [number for number, line in enumerate(sent) if line.startswith("DELETE")][:2]
    assert {line.partition(" ")[0] for line in sent[first + 1 : second]} == {"HEAD", "GET"}
    assert runs.registry.most > 1


async def test_an_answer_without_an_effect_is_seen_at_the_first_image(runs: Runs) -> None:
    """A registry that says 202 and deletes nothing fails all its images, after one DELETE and a patient look."""
    runs = Runs()
    runs.registry.change(ignores_deletes=True)
    runs.fill(5)
    runs.keep()

    done = await runs.delete()

    assert set(words(done).values()) == {"failed tags-remain"}
    assert len(runs.registry.deleted(APP)) == 1
    assert len(runs.registry.tags(APP)) == 6
    assert runs.clock.slept[:3] == [1.0, 3.0, 9.0]


async def test_a_registry_that_takes_its_time_is_waited_for() -> None:
    """What is still there right after the first DELETE, and gone four seconds later, is deleted."""
    runs = Runs()
    runs.registry.change(delete_lag=3.5)
    runs.fill(3)
    runs.keep()

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}


@pytest.mark.parametrize("strategy", [Strategy.DIGEST, Strategy.TAGS_FIRST])
async def test_an_index_goes_before_its_children(runs: Runs, strategy: Strategy) -> None:
    """Never is there an index on the registry whose children are gone, nested ones included."""
    inner = oci_index(1)
    outer = index_of([inner, oci_image(5)])
    runs.registry.push(APP, outer, "pr-outer")
    runs.registry.push(APP, inner, "pr-inner")
    runs.registry.push(APP, inner.children[0], "pr-child")

    done = await runs.delete(strategy=strategy, concurrency=4)

    assert set(words(done).values()) == {"deleted"}
    order = runs.registry.deleted(APP)
    assert order.index(outer.digest) < order.index(inner.digest) < order.index(inner.children[0].digest)


async def test_children_stay_where_their_index_could_not_go(runs: Runs) -> None:
    """Where the DELETE of an index fails its children are needed."""
    index = oci_index(1)
    runs.registry.push(APP, index, "pr-index")
    runs.registry.push(APP, index.children[0], "pr-child")
    runs.registry.faults.add(Reply(409), method="DELETE", path=index.digest, times=None)

    done = await runs.delete()

    assert words(done) == {"pr-index": "failed refused", "pr-child": "kept needed"}
    assert runs.registry.deleted(APP) == [index.digest]


async def test_a_refusal_of_the_host_is_found_out_once(runs: Runs) -> None:
    """Where deletion is disabled every image fails with that, and one was asked for."""
    runs.registry.change(delete_enabled=False)
    runs.fill(6)
    runs.registry.push("team/other", oci_image(50), "pr-1")

    done = await runs.delete(f"{LIST}\n- team/other:pr-1")

    assert set(done.statuses.values()) == {"failed deletion-disabled"}
    assert len(runs.registry.deleted(APP)) + len(runs.registry.deleted("team/other")) == 1


async def test_fail_fast_attempts_nothing_more(runs: Runs) -> None:
    """After the first failure the rest is not attempted, and says why."""
    digests = runs.fill(5)
    runs.registry.faults.add(Reply(409), method="DELETE", path=digests[1], times=None)

    done = await runs.delete(fail_fast=True, concurrency=1)

    assert words(done) == {
        "pr-0": "deleted",
        "pr-1": "failed refused",
        "pr-2": "not-attempted fail-fast",
        "pr-3": "not-attempted fail-fast",
        "pr-4": "not-attempted fail-fast",
    }
    assert runs.registry.deleted(APP) == digests[:2]


async def test_a_signal_lets_what_is_under_way_finish(runs: Runs) -> None:
    """After Ctrl-C the DELETE in flight has its outcome, and nothing new is sent."""
    digests = runs.fill(5)
    stop = Stop()
    runs.on("DELETE", digests[2], lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.delete(concurrency=1, stop=stop)

    assert done.code == 130
    assert [words(done)[f"pr-{number}"] for number in range(5)] == ["deleted"] * 3 + ["not-attempted interrupted"] * 2
    assert runs.registry.deleted(APP) == digests[:3]


async def test_a_stop_while_reading_deletes_nothing(runs: Runs) -> None:
    """Interrupted before the plan is complete, no image was attempted, and each has its line."""
    runs.fill(5)
    stop = Stop()
    runs.on("GET", "manifests/pr-2", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.delete(concurrency=1, stop=stop)

    assert set(words(done).values()) == {"not-attempted interrupted"}
    assert len(words(done)) == 5
    assert runs.registry.asked("DELETE") == []


async def test_no_more_at_a_time_than_the_user_wants(runs: Runs) -> None:
    """-c 3 means that the registry has three requests in progress at most, reading and deleting."""
    runs.fill(20)
    runs.keep()

    await runs.delete(concurrency=3)

    assert 2 <= runs.registry.most <= 3


async def test_a_bug_of_ours_completes_the_report(runs: Runs) -> None:
    """An exception that nobody foresaw stops new work; every image has its outcome, and the bug is kept to be raised."""
    digests = runs.fill(4)

    def bug() -> None:
        raise ZeroDivisionError

    runs.on("DELETE", digests[1], bug)

    done = await runs.delete(concurrency=1)

    assert done.stop.bug is not None
    assert [words(done)[f"pr-{number}"] for number in range(4)] == [
        "deleted",
        "failed unconfirmed",
        "not-attempted internal-error",
        "not-attempted internal-error",
    ]
    assert done.code == 1
