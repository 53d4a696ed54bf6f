"""One image on its way: how often it is judged and sent before it is given up, and what is said of it then."""

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Strategy
from bulkrm.planning.image_state import MAX_JUDGEMENTS, MAX_TROUBLES
from bulkrm.sandbox import Delay, Reply, oci_image
from tests.engine.runs import APP, LIST, Runs, words

# The registry is busy for longer than a judgement is good for, and does not say whether it acted.
BUSY = Reply(503, {"Retry-After": "70"})


async def test_a_judgement_that_is_never_in_time(runs: Runs) -> None:
    """Where the machine sleeps whenever the registry was read, the image is read so many times, fails, and is not sent for."""
    runs.fill(1)
    runs.keep()
    read = 0

    def sleep() -> None:
        nonlocal read
        read += 1
        runs.clock.suspend(3600)

    runs.on("GET|HEAD", "manifests/pr-0", sleep, times=None)

    done = await runs.delete()

    assert words(done) == {"pr-0": "failed timeout"}
    assert str(MAX_JUDGEMENTS) in done.images[0]["error"]["message"]
    assert read == 1 + MAX_JUDGEMENTS
    assert [name for name in runs.registry.deleted(APP) if name.startswith("sha256:")] == []


@pytest.mark.parametrize("acts", [False, True])
async def test_a_host_in_trouble(runs: Runs, *, acts: bool) -> None:
    """After two sends without an answer it is looked up, once: what is there failed, and what is gone is deleted."""
    digests = runs.fill(2)
    runs.keep()
    if acts:
        runs.on("DELETE", digests[1], lambda: runs.registry.store.delete_manifest(APP, digests[1]), skip=1)
    runs.registry.faults.add(BUSY, method="DELETE", path=digests[1], times=None)

    done = await runs.delete(concurrency=1)

    assert words(done) == {"pr-0": "deleted", "pr-1": "deleted" if acts else "failed server-error"}
    assert runs.registry.deleted(APP).count(digests[1]) == MAX_TROUBLES
    assert (digests[1] in runs.registry.store.digests(APP)) != acts


async def test_a_stop_while_the_host_is_in_trouble(runs: Runs) -> None:
    """What was sent without an answer is unconfirmed, and is not sent again; what was not begun is not attempted."""
    digests = runs.fill(3)
    stop = Stop()
    runs.on("DELETE", digests[1], lambda: stop.interrupt(Signal.INTERRUPT))
    runs.registry.faults.add(BUSY, method="DELETE", path=digests[1], times=None)

    done = await runs.delete(concurrency=1, stop=stop)

    assert words(done) == {"pr-0": "deleted", "pr-1": "failed unconfirmed", "pr-2": "not-attempted interrupted"}
    assert runs.registry.deleted(APP) == digests[:2]


@pytest.mark.parametrize("acts", [False, True])
async def test_a_tag_that_moves_after_a_send(runs: Runs, *, acts: bool) -> None:
    """A DELETE has no answer, one of two tags moves, and the registry becomes read-only: the other tag is unconfirmed.

    Nobody looks, since nothing more is asked of that host.
    """
    digest = runs.fill(2, "too")[1]
    runs.keep()
    runs.registry.push("team/other", oci_image(50), "pr-9")
    registry, faults = runs.registry, runs.registry.faults
    runs.on("DELETE", digest, lambda: registry.push(APP, oci_image(77), "pr-1-too"))
    faults.add(BUSY, method="DELETE", path=digest)
    faults.add(BUSY, method="DELETE", path="team/other/manifests/sha256")
    faults.add(Reply(405), method="DELETE", path="team/other/manifests/sha256", times=None)
    # Both are judged again. The second reading of the one takes so long that the other one is refused meanwhile.
    faults.add(Delay(2.0), method="GET|HEAD", path="team/app/manifests/pr-1$", skip=1, times=None)
    if acts:
        # Right after the second reading: the image is looked up before each send, and there is no other HEAD of it.
        runs.on("DELETE", "team/other", lambda: registry.store.delete_manifest(APP, digest), skip=1)

    done = await runs.delete(f"{LIST}\n- team/other:pr-9", strategy=Strategy.DIGEST)

    assert registry.deleted(APP).count(digest) == 1
    assert (words(done)["pr-1"], words(done)["pr-1-too"]) == ("failed unconfirmed", "kept moved")
