"""What a DELETE came to: an answer that proves it, a look where none came, and what is said where nothing is known."""

from pathlib import Path

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared
from bulkrm.sandbox import Call, Delay, Drop, DropAfter, Reply, ServerRequest, oci_image
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


def only_a_tag_goes(runs: Runs, tag: str) -> None:
    """Let the first DELETE of a manifest remove one tag of it and nothing else, without an answer, and take a minute for that."""

    def act() -> None:
        runs.registry.store.delete_tag(APP, tag)
        runs.clock.skip(61)

    runs.on("DELETE", REAL, act)
    runs.registry.faults.add(Reply(502), method="DELETE", path=REAL)


async def test_a_tag_that_went_before_its_manifest_is_not_called_absent(runs: Runs) -> None:
    """A tag that is gone when its image is judged again after a DELETE went by this run: it ends as the rest of the image does."""
    runs.registry.push(APP, oci_image(1), "pr-1", "pr-2")
    kept = runs.keep()
    only_a_tag_goes(runs, "pr-1")

    done = await runs.delete()

    assert words(done) == dict.fromkeys(["pr-1", "pr-2"], "deleted")
    assert runs.registry.store.digests(APP) == {kept}


async def test_an_image_whose_only_tag_went_before_it_is_unfinished(runs: Runs, tmp_path: Path) -> None:
    """Where nothing leads to the manifest any more by this run's DELETE, the image is unfinished, and `resume` deletes it."""
    runs.registry.push(APP, oci_image(1), "pr-1")
    kept = runs.keep()
    only_a_tag_goes(runs, "pr-1")

    done = await runs.delete(state=tmp_path)

    assert words(done) == {"pr-1": "failed unfinished"}
    assert "the manifest is still there; the tag is gone already" in done.images[0]["error"]["message"]
    assert words(await runs.resume(tmp_path)) == {"pr-1": "deleted"}
    assert runs.registry.store.digests(APP) == {kept}


async def test_a_tag_that_went_while_its_manifest_is_kept_is_untagged(runs: Runs) -> None:
    """Where the manifest has to stay by then, the tag that this run's DELETE removed is told as that, and not as absent."""
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "pr-2")
    runs.on("DELETE", REAL, lambda: runs.registry.store.tag(APP, "in-use", digest))
    only_a_tag_goes(runs, "pr-1")

    done = await runs.delete()

    assert words(done) == {"pr-1": "untagged", "pr-2": "kept shared"}
    assert runs.registry.tags(APP) == {"in-use": digest, "pr-2": digest}


async def test_a_tag_that_went_is_unfinished_where_its_manifest_fails(runs: Runs) -> None:
    """Where the next DELETE of the manifest is refused, the tag that the first one removed is told to be gone."""
    runs.registry.push(APP, oci_image(1), "pr-1", "pr-2")
    only_a_tag_goes(runs, "pr-1")
    runs.registry.faults.add(Reply(403), method="DELETE", path=REAL)

    done = await runs.delete()

    assert words(done) == dict.fromkeys(["pr-1", "pr-2"], "failed not-permitted")
    messages = [image["error"]["message"] for image in done.images]
    assert ["the tag is gone already" in message for message in messages] == [True, False]


@pytest.mark.parametrize("tags", [("pr-1",), ("pr-1", "pr-2")])
async def test_resume_finishes_an_image_whose_tag_alone_went(runs: Runs, tmp_path: Path, tags: tuple[str, ...]) -> None:
    """A killed run's DELETE removed a tag and not its manifest: `resume` does not call that deleted, but deletes the rest."""
    stop = Stop()
    runs.registry.push(APP, oci_image(1), *tags)
    kept = runs.keep()

    async def half(_: ServerRequest) -> None:
        runs.registry.store.delete_tag(APP, "pr-1")
        for _times in range(2):
            stop.interrupt(Signal.INTERRUPT)

    runs.registry.faults.add(Call(half), method="DELETE", path=REAL)
    runs.registry.faults.add(Drop(), method="DELETE", path=REAL)
    assert set(words(await runs.delete(stop=stop, state=tmp_path)).values()) == {"failed unconfirmed"}

    done = await runs.resume(tmp_path)

    assert words(done) == dict.fromkeys(tags, "deleted")
    assert runs.registry.store.digests(APP) == {kept}


async def test_a_limit_behind_which_the_image_went(runs: Runs, tmp_path: Path) -> None:
    """A stopped run does not wait for what a limit refused; `resume` finds out that a proxy had let it through."""
    digest = runs.fill(1)[0]
    kept = runs.keep()
    stop = Stop()

    def act() -> None:
        runs.registry.store.delete_manifest(APP, digest)
        stop.interrupt(Signal.INTERRUPT)

    runs.on("DELETE", REAL, act)
    runs.registry.faults.add(Reply(429, {"Retry-After": "30"}), method="DELETE", path=REAL)

    assert words(await runs.delete(stop=stop, state=tmp_path)) == {"pr-0": "not-attempted interrupted"}
    assert words(await runs.resume(tmp_path)) == {"pr-0": "deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}


async def test_an_unlisted_tag_that_may_be_gone_is_named(runs: Runs) -> None:
    """Where it is not known whether a manifest was deleted with a tag that the list does not name, the report names that tag."""
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "other")
    faults = runs.registry.faults
    runs.on("DELETE", REAL, lambda: faults.add(Reply(403), method="HEAD|GET", path=digest, times=None))
    faults.add(DropAfter(), method="DELETE", path=REAL)

    done = await runs.delete(shared=Shared.DELETE)

    assert words(done) == {"pr-1": "failed unconfirmed"}
    assert f"{APP}:other" in done.images[0]["error"]["message"]
