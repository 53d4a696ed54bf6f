"""`resume` finds out what the run before it left under way, does the rest, and asks for nothing twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Drop, oci_image
from tests.engine.runs import APP, TAGS, Runs, words
from tests.integration.engine import Done
from tests.support.fake_registry import OPEN


async def interrupted(runs: Runs, state: Path, digest: str, **chosen: Any) -> Done:
    """Run until the DELETE of a digest, and stop there for good, as `kill -9` does: with it in flight."""
    stop = Stop()

    def kill() -> None:
        stop.interrupt(Signal.INTERRUPT)
        stop.interrupt(Signal.INTERRUPT)

    runs.on("DELETE", digest, kill)
    return await runs.delete(state=state, stop=stop, concurrency=1, **chosen)


async def killed_after(runs: Runs, state: Path, pushes: int, **chosen: Any) -> Done:
    """Run until so many requests after the first push of a decoy, and stop there for good."""
    stop = Stop()

    def kill() -> None:
        stop.interrupt(Signal.INTERRUPT)
        stop.interrupt(Signal.INTERRUPT)

    runs.on("PUT", "", lambda: runs.on(".*", "", kill, skip=pushes))
    done = await runs.delete(state=state, stop=stop, concurrency=1, **chosen)
    runs.registry.faults.clear()
    return done


async def test_the_rest_is_done(runs: Runs, tmp_path: Path) -> None:
    """What was not attempted goes now; what was deleted before is not asked for again."""
    digests = runs.fill(5)
    runs.keep()
    first = await interrupted(runs, tmp_path, digests[2])
    deleted = [tag for tag, word in words(first).items() if word == "deleted"]
    runs.registry.sent.clear()

    done = await runs.resume(tmp_path)

    assert set(words(done).values()) == {"deleted"}
    assert (done.code, len(words(done))) == (0, 5)
    assert list(runs.registry.tags(APP)) == ["latest"]
    assert not {digests[int(tag[3:])] for tag in deleted} & set(runs.registry.deleted(APP))


async def test_what_moved_in_between_is_kept(runs: Runs, tmp_path: Path) -> None:
    """A tag that was pushed anew between the run and its resume stays."""
    digests = runs.fill(4)
    await interrupted(runs, tmp_path, digests[1])
    new = runs.registry.push(APP, oci_image(50), "pr-3")

    done = await runs.resume(tmp_path)

    assert words(done)["pr-3"] == "kept moved"
    assert runs.registry.tags(APP) == {"pr-3": new}


async def test_what_got_another_tag_in_between_is_kept(runs: Runs, tmp_path: Path) -> None:
    """The guard looks again: a release on a digest to delete keeps it."""
    digests = runs.fill(4)
    await interrupted(runs, tmp_path, digests[1])
    runs.registry.store.tag(APP, "v1", digests[3])

    done = await runs.resume(tmp_path)

    assert words(done)["pr-3"] == "kept shared"
    assert runs.registry.tags(APP)["v1"] == digests[3]


@pytest.mark.parametrize("deletes_tags", [True, False])
async def test_tags_that_went_ahead_are_remembered(tmp_path: Path, *, deletes_tags: bool) -> None:
    """Where tags were taken off and their manifests were not yet deleted, resume deletes the manifests."""
    runs = Runs(TAGS) if deletes_tags else Runs()
    digests = runs.fill(4)
    kept = runs.keep()
    first = await interrupted(runs, tmp_path, digests[2], strategy=Strategy.TAGS_FIRST, allow_decoy=True)
    assert "failed unfinished" in words(first).values()

    done = await runs.resume(tmp_path, allow_decoy=True)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
    assert runs.registry.store.digests(APP) == {kept}


@pytest.mark.parametrize("after", range(1, 7))
async def test_no_tag_keeps_the_decoy_of_a_killed_run(tmp_path: Path, after: int) -> None:
    """Where tags outlive their manifests, whenever the run before was killed, each tag gets back what it held, and none is called gone."""
    runs = Runs(replace(OPEN, tags_survive_digest_delete=True))
    runs.fill(2)
    runs.keep()
    before = runs.registry.tags(APP)
    first = await killed_after(runs, tmp_path, after, strategy=Strategy.TAGS_FIRST, allow_decoy=True)
    assert first.code == 130

    done = await runs.resume(tmp_path, allow_decoy=True, concurrency=1)

    assert runs.registry.tags(APP) == before
    assert set(words(done).values()) == {"failed tags-remain"}


@pytest.mark.parametrize("after", range(1, 7))
async def test_no_tag_that_is_taken_off_keeps_the_decoy_of_a_killed_run(tmp_path: Path, after: int) -> None:
    """The same holds for tags of a manifest that stays."""
    runs = Runs(replace(OPEN, tags_survive_digest_delete=True))
    for seed in (1, 2):
        runs.registry.push(APP, oci_image(seed), f"pr-{seed}", f"stays-{seed}")
    before = runs.registry.tags(APP)
    first = await killed_after(runs, tmp_path, after, shared=Shared.UNTAG, allow_decoy=True)
    assert first.code == 130

    done = await runs.resume(tmp_path, allow_decoy=True, concurrency=1)

    assert runs.registry.tags(APP) == before
    assert {word.partition(" ")[0] for word in words(done).values()} == {"failed"}


@pytest.mark.parametrize("at", ["DELETE", "PUT"])
async def test_a_signal_lets_resume_put_back(tmp_path: Path, at: str) -> None:
    """Ctrl-C while `resume` deletes a decoy, or puts back what was under it, leaves no tag with the decoy, as in any run."""
    runs = Runs(replace(OPEN, tags_survive_digest_delete=True))
    runs.fill(2)
    runs.keep()
    before = runs.registry.tags(APP)
    await killed_after(runs, tmp_path, 2, strategy=Strategy.TAGS_FIRST, allow_decoy=True)
    assert runs.registry.tags(APP) != before
    stop = Stop()
    runs.on(at, "", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.resume(tmp_path, allow_decoy=True, concurrency=1, stop=stop)

    assert done.code == 130
    assert runs.registry.tags(APP) == before
    assert set(words(done).values()) == {"not-attempted interrupted"}


async def test_a_resume_that_is_killed_says_what_may_be_left(tmp_path: Path) -> None:
    """An image whose tag may hold the decoy of the run before is unfinished, although this part of the run sent nothing for it."""
    runs = Runs(replace(OPEN, tags_survive_digest_delete=True))
    runs.fill(2)
    before = runs.registry.tags(APP)
    await killed_after(runs, tmp_path, 2, strategy=Strategy.TAGS_FIRST, allow_decoy=True)
    stop = Stop()
    for _ in range(2):
        runs.on("GET|HEAD", "manifests", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.resume(tmp_path, allow_decoy=True, concurrency=1, stop=stop)

    assert {tag for tag, digest in runs.registry.tags(APP).items() if digest != before[tag]} <= set(words(done))
    assert set(words(done).values()) == {"failed unfinished"}
    assert all("empty index" in image["error"]["message"] for image in done.images)


async def test_a_manifest_that_was_told_deleted_does_not_come_back(tmp_path: Path) -> None:
    """A decoy that stays on a leftover tag of a deleted manifest is told, and not replaced by that manifest."""
    runs = Runs(replace(OPEN, tags_survive_digest_delete=True))
    (digest,) = runs.fill(1, "b")
    stop = Stop()

    def stops_half_way() -> None:
        runs.registry.store.delete_manifest(APP, digest, only=1)
        runs.registry.store.delete_tag(APP, "pr-0")

    runs.on("DELETE", digest, stops_half_way)
    runs.registry.faults.add(Drop(), method="DELETE", path=digest)
    first = await runs.delete(state=tmp_path, stop=stop, concurrency=1, strategy=Strategy.TAGS_FIRST, allow_decoy=True)
    assert "deleted" in words(first).values()

    done = await runs.resume(tmp_path, allow_decoy=True, concurrency=1)

    assert words(done) == words(first)
    assert digest not in runs.registry.store.digests(APP)


async def test_a_second_resume_has_nothing_to_do(runs: Runs, tmp_path: Path) -> None:
    """A run that ended well is finished: there is nothing left to go on with."""
    digests = runs.fill(3)
    await interrupted(runs, tmp_path, digests[1])
    await runs.resume(tmp_path)

    with pytest.raises(AssertionError):
        await runs.resume(tmp_path)
