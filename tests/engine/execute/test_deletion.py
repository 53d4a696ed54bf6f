"""What a DELETE came to: an answer that proves it, a look where none came, and what is said where nothing is known."""

import pytest

from bulkrm.sandbox import Delay, Drop, DropAfter, Reply
from tests.engine.runs import APP, REAL, Runs, words


@pytest.mark.parametrize("fault", [Drop(), DropAfter(), Reply(500), Reply(502), Delay(90)])
async def test_an_answer_that_does_not_come_is_looked_up(runs: Runs, fault: Drop | DropAfter | Reply | Delay) -> None:
    """Whether a DELETE without an answer took effect is asked before it is sent again: twice at most in all."""
    digests = runs.fill(4)
    runs.keep()
    runs.registry.faults.add(fault, method="DELETE", path=digests[2])

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert list(runs.registry.tags(APP)) == ["latest"]
    acted = isinstance(fault, DropAfter | Delay)
    assert runs.registry.deleted(APP).count(digests[2]) == (1 if acted else 2)


async def test_a_limit_pauses_the_host_and_loses_nothing(runs: Runs) -> None:
    """429 with `Retry-After` makes everybody wait that long, and is no failure."""
    runs.fill(6)
    runs.keep()
    runs.registry.faults.add(Reply(429, {"Retry-After": "30"}), method="DELETE", path=REAL, skip=2)

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert runs.clock.monotonic() >= 30


async def test_an_image_that_went_meanwhile_is_absent_or_deleted(runs: Runs) -> None:
    """Another client that deletes the same image between plan and DELETE costs no failure."""
    digests = runs.fill(3)
    runs.keep()
    runs.on("DELETE", digests[1], lambda: runs.registry.store.delete_manifest(APP, digests[1]))

    done = await runs.delete(concurrency=1)

    assert words(done)["pr-1"] in ("deleted", "absent")
    assert done.code == 0


async def test_what_is_not_known_is_said(runs: Runs) -> None:
    """Where neither an answer nor a look came, the image is unconfirmed and not deleted, whatever is true."""
    digests = runs.fill(3)
    runs.keep()
    runs.registry.faults.add(DropAfter(), method="DELETE", path=digests[1])
    runs.registry.faults.add(Reply(503), method="HEAD|GET", path=f"{digests[1]}|manifests/pr-1", skip=1, times=None)

    done = await runs.delete(concurrency=1)

    assert words(done)["pr-1"] == "failed unconfirmed"
    assert (words(done)["pr-0"], words(done)["pr-2"]) == ("deleted", "deleted")
    assert done.code == 1


async def test_a_host_that_fails_again_and_again_is_left_alone(runs: Runs) -> None:
    """After eight failures in a row nothing more is asked of a host; the rest can be resumed."""
    runs.fill(40)
    runs.keep()
    runs.registry.faults.add(Reply(500), method="DELETE", path=REAL, skip=2, times=None)

    done = await runs.delete(concurrency=1)

    counts = {word: list(words(done).values()).count(word) for word in words(done).values()}
    assert counts["deleted"] == 2
    assert counts["failed server-error"] == 8
    assert counts["not-attempted circuit-open"] == 30
