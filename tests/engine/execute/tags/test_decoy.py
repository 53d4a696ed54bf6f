"""A decoy takes tags off where a registry deletes none: an empty index is pushed over them, and deleted."""

import json

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared
from bulkrm.sandbox import Delay, Drop, DropAfter, Reply, SandboxSettings, oci_image
from tests.engine.runs import APP, REAL, Runs, words
from tests.support.fake_registry import OPEN

TAGS_HELD = {"pr-1", "pr-2", "latest"}


def shared(runs: Runs) -> str:
    """One image under two listed tags and one other; return its digest."""
    return runs.registry.push(APP, oci_image(1), *sorted(TAGS_HELD))


async def test_one_push_for_each_tag_and_one_deletion(runs: Runs) -> None:
    """Both tags are pushed over with the same empty index, whose one DELETE takes them away."""
    digest = shared(runs)
    pushed = set[str | None]()
    runs.on("DELETE", REAL, lambda: pushed.update(runs.registry.tags(APP)[tag] for tag in ("pr-1", "pr-2")))

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert runs.registry.tags(APP) == {"latest": digest}
    assert runs.registry.store.digests(APP) == {digest}
    assert [line.rpartition("/")[2] for line in runs.registry.asked("PUT")] == ["pr-1", "pr-2"]
    assert runs.registry.deleted(APP) == list(pushed)


async def test_the_decoy_is_an_empty_index(runs: Runs) -> None:
    """What is pushed names no manifest, so its deletion can take nothing else with it."""
    shared(runs)
    seen = list[dict[str, object]]()

    def look() -> None:
        digest = str(runs.registry.tags(APP)["pr-1"])
        stored = runs.registry.store.manifest(APP, digest)
        assert stored is not None
        seen.append(json.loads(stored.content))

    runs.on("DELETE", REAL, look)

    await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert [index["manifests"] for index in seen] == [[]]


@pytest.mark.parametrize("status", [403, 409])
async def test_a_decoy_that_cannot_be_deleted_gives_the_tags_back(runs: Runs, status: int) -> None:
    """The tags hold what they held before, byte for byte, and the failure says so."""
    digest = shared(runs)
    runs.registry.faults.add(Reply(status), method="DELETE", path=REAL, times=None)

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert {word.partition(" ")[0] for word in words(done).values()} == {"failed"}
    assert runs.registry.tags(APP) == dict.fromkeys(TAGS_HELD, digest)
    assert all("holds what it held" in image["error"]["message"] for image in done.images)


async def test_a_tag_that_cannot_be_read_holds_no_decoy_back(runs: Runs) -> None:
    """Where the read of a second tag is refused, the decoy under the first one is deleted all the same."""
    shared(runs)

    def refuse() -> None:
        runs.registry.faults.add(Reply(403), method="HEAD|GET", path="manifests/pr-2$", times=None)

    runs.on("PUT", "manifests/pr-1$", refuse)

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True, concurrency=1)

    assert words(done) == {"pr-1": "untagged", "pr-2": "failed not-permitted"}
    assert set(runs.registry.tags(APP)) == {"latest", "pr-2"}


@pytest.mark.parametrize("fault", [DropAfter(), Reply(502)])
async def test_a_push_without_an_answer_is_found_out(runs: Runs, fault: DropAfter | Reply) -> None:
    """Whether the decoy stands is read, and the tag goes either way."""
    digest = shared(runs)
    runs.registry.faults.add(fault, method="PUT", path="pr-1$")

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert words(done) == {"pr-1": "untagged", "pr-2": "untagged"}
    assert runs.registry.tags(APP) == {"latest": digest}


async def test_what_somebody_pushes_over_the_decoy_stays(runs: Runs) -> None:
    """A tag that was pushed between decoy and DELETE is kept as moved."""
    shared(runs)
    new = runs.registry.push(APP, oci_image(5))
    runs.on("DELETE", REAL, lambda: runs.registry.store.tag(APP, "pr-1", new))

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert words(done) == {"pr-1": "kept moved", "pr-2": "untagged"}
    assert runs.registry.tags(APP)["pr-1"] == new


async def test_a_tag_that_may_not_be_overwritten() -> None:
    """Immutable tags are refused, and hold what they held."""
    runs = Runs(SandboxSettings(auth=OPEN.auth, immutable_tags=True))
    digest = shared(runs)

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True)

    assert set(words(done).values()) == {"failed refused"}
    assert runs.registry.tags(APP) == dict.fromkeys(TAGS_HELD, digest)


async def test_a_signal_between_push_and_deletion_leaves_no_decoy(runs: Runs) -> None:
    """What was pushed is still taken away after Ctrl-C; nothing new is begun."""
    shared(runs)
    runs.registry.push(APP, oci_image(7), "pr-7", "other")
    stop = Stop()
    runs.on("PUT", "pr-1$", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.delete(shared=Shared.UNTAG, allow_decoy=True, concurrency=1, stop=stop)

    assert done.code == 130
    assert words(done)["pr-1"] == "untagged"
    known = {oci_image(1).digest, oci_image(7).digest}
    assert set(runs.registry.tags(APP).values()) <= known


async def test_one_decoy_at_a_time(runs: Runs) -> None:
    """What the first decoy's DELETE left half-way is mended by another decoy, which waits for that of the next image."""
    store, pushed = runs.registry.store, [f"qr-{number}" for number in range(6)]
    images = {shared(runs), runs.registry.push(APP, oci_image(2), *pushed, "stable")}
    alive = list[int]()

    def stops_half_way() -> None:
        store.delete_manifest(APP, str(runs.registry.tags(APP)["pr-1"]), only=0)

    runs.on("DELETE", REAL, stops_half_way)
    runs.registry.faults.add(Drop(), method="DELETE", path=REAL)
    runs.registry.faults.add(Delay(0.5), method="PUT", path="qr-", times=None)
    runs.on("PUT|DELETE|HEAD", "", lambda: alive.append(len(store.digests(APP) - images)), times=None)

    done = await runs.delete(f"- {APP}:pr-*\n- {APP}:qr-*", shared=Shared.UNTAG, allow_decoy=True)

    assert words(done) == dict.fromkeys(["pr-1", "pr-2", *pushed], "untagged")
    assert set(runs.registry.tags(APP)) == {"latest", "stable"}
    assert max(alive) == 1
