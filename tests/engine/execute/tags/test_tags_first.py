"""Tags go before their manifests where that costs a registry less; no guard is weaker for it."""

from dataclasses import replace
from typing import Any

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Strategy
from bulkrm.sandbox import Drop, DropAfter, Reply, SandboxSettings, oci_image, oci_index
from tests.engine.runs import APP, REAL, TAGS, Runs, words
from tests.support.fake_registry import OPEN

BOTH = pytest.mark.parametrize("settings", [TAGS, OPEN], ids=["tags", "decoy"])
FIRST: dict[str, Any] = {"strategy": Strategy.TAGS_FIRST, "allow_decoy": True}


@BOTH
async def test_no_manifest_goes_before_its_tags(settings: SandboxSettings) -> None:
    """Every tag, or the decoy over all of them, is deleted before the first manifest of the list."""
    runs = Runs(settings)
    digests = runs.fill(4, "too")
    kept = runs.keep()

    done = await runs.delete(**FIRST)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
    assert runs.registry.store.digests(APP) == {kept}
    order = runs.registry.deleted(APP)
    assert sorted(order[-4:]) == sorted(digests)
    assert len(order) == 4 + (8 if settings is TAGS else 1)


@BOTH
async def test_a_tag_that_moved_takes_nothing_with_it(settings: SandboxSettings) -> None:
    """What a moved tag holds now stays, and so does what it held."""
    runs = Runs(settings)
    digests = runs.fill(4)
    new = runs.registry.push(APP, oci_image(50))
    runs.on(
        "DELETE" if settings is TAGS else "PUT", "manifests/pr-0$", lambda: runs.registry.store.tag(APP, "pr-3", new)
    )

    done = await runs.delete(concurrency=1, **FIRST)

    assert words(done)["pr-3"] == "kept moved"
    assert runs.registry.tags(APP) == {"pr-3": new}
    assert digests[3] in runs.registry.store.digests(APP)


@BOTH
@pytest.mark.parametrize("fault", [Reply(502), DropAfter(), Reply(409)])
async def test_trouble_with_a_tag_is_none_of_its_manifest(settings: SandboxSettings, fault: Reply | DropAfter) -> None:
    """A tag that does not go by itself goes with its manifest."""
    runs = Runs(settings)
    runs.fill(4)
    kept = runs.keep()
    runs.registry.faults.add(fault, method="DELETE" if settings is TAGS else "PUT", path="manifests/pr-2$")

    done = await runs.delete(**FIRST)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}


@BOTH
async def test_a_manifest_that_stays_without_its_tag_is_told(settings: SandboxSettings) -> None:
    """Where the tag went and the manifest did not, the image failed, and the message says what is left."""
    runs = Runs(settings)
    digests = runs.fill(4)
    runs.keep()
    runs.registry.faults.add(Reply(409), method="DELETE", path=digests[2], times=None)

    done = await runs.delete(**FIRST)

    assert words(done)["pr-2"] == "failed refused"
    (failed,) = [image for image in done.images if image["status"] == "failed"]
    assert "the tag is gone already" in failed["error"]["message"]
    assert digests[2] in runs.registry.store.digests(APP)


@BOTH
async def test_a_tag_of_a_child_waits_for_its_index(settings: SandboxSettings) -> None:
    """Where the DELETE of an index fails the tag on its child is still there."""
    runs = Runs(settings)
    index = oci_index(7)
    runs.registry.push(APP, index, "pr-multi")
    child = runs.registry.push(APP, index.children[0], "pr-child")
    runs.registry.faults.add(Reply(409), method="DELETE", path=index.digest, times=None)

    done = await runs.delete(**FIRST)

    assert words(done)["pr-child"] == "kept needed"
    assert runs.registry.tags(APP)["pr-child"] == child


@BOTH
async def test_a_signal_between_the_phases_is_told_image_by_image(settings: SandboxSettings) -> None:
    """What lost its tag and not its manifest is unfinished; what kept its tag was not attempted."""
    runs = Runs(settings)
    runs.fill(12)
    stop = Stop()
    runs.on("DELETE" if settings is TAGS else "PUT", "manifests/pr-5$", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.delete(concurrency=1, stop=stop, **FIRST)

    left = runs.registry.tags(APP)
    assert done.code == 130
    for tag, word in words(done).items():
        assert word == ("not-attempted interrupted" if tag in left else "failed unfinished")
    assert "failed unfinished" in words(done).values()


async def test_without_a_way_it_is_by_digest(runs: Runs) -> None:
    """Who asked for tags first where there is no way is told, and gets the same result."""
    digests = runs.fill(3)
    runs.keep()

    done = await runs.delete(strategy=Strategy.TAGS_FIRST)

    assert sorted(runs.registry.deleted(APP)) == sorted(digests)
    assert any("deletes no tags" in text for text in done.said)
    assert list(runs.registry.tags(APP)) == ["latest"]


async def test_a_tag_that_nobody_could_look_at_is_not_called_gone() -> None:
    """Where the removal of a tag is in doubt, and its manifest stays, the message says that it may be gone."""
    runs = Runs(TAGS)
    digests = runs.fill(2)

    async def arm(_: object) -> None:
        runs.registry.faults.add(Reply(502), method="DELETE", path="manifests/pr-1$")
        runs.registry.faults.add(Reply(502), method="HEAD|GET", path="manifests/pr-1$", skip=1, times=10)
        runs.registry.faults.add(Reply(403), method="DELETE", path=digests[1], times=None)

    done = await runs.delete(concurrency=1, before_delete=arm, **FIRST)

    (failed,) = [image for image in done.images if image["status"] == "failed"]
    assert failed["error"]["message"].endswith("the tag may be gone already")
    assert runs.registry.tags(APP) == {"pr-1": digests[1]}


@pytest.mark.parametrize(("status", "word"), [(None, "untagged"), (403, "kept shared"), (500, "kept shared")])
async def test_a_tag_under_the_decoy_is_told_by_what_becomes_of_it(status: int | None, word: str) -> None:
    """Where an image is shared by the time its first tag is under the decoy, that is untagged if it goes, kept if it is put back."""
    runs = Runs()
    (digest,) = runs.fill(1, "too")
    kept = runs.keep()
    runs.on("PUT", "manifests/pr-0$", lambda: grows_old_and_shared(runs, digest))
    if status is not None:
        runs.registry.faults.add(Reply(status), method="DELETE", path=REAL, times=None)

    done = await runs.delete(concurrency=1, **FIRST)

    assert words(done) == {"pr-0": word, "pr-0-too": "kept shared"}
    held = {"pr-0": digest} if status else {}
    assert runs.registry.tags(APP) == {"latest": kept, "v1": digest, "pr-0-too": digest, **held}


async def test_a_tag_that_the_decoy_left_half_way_is_not_untagged() -> None:
    """Where the tag of an image that stays is listed after the decoy's DELETE, nobody is told that it is gone."""
    runs = Runs()
    (digest,) = runs.fill(1, "too")
    runs.keep()
    runs.on("PUT", "manifests/pr-0$", lambda: grows_old_and_shared(runs, digest))
    store = runs.registry.store
    runs.on("DELETE", REAL, lambda: store.delete_manifest(APP, str(runs.registry.tags(APP)["pr-0"]), only=0))
    runs.registry.faults.add(Drop(), method="DELETE", path=REAL)

    done = await runs.delete(concurrency=1, **FIRST)

    assert words(done) == {"pr-0": "failed unfinished", "pr-0-too": "kept shared"}
    assert "gone already" not in done.images[0]["error"]["message"]
    assert "pr-0" in runs.registry.tags(APP)


def grows_old_and_shared(runs: Runs, digest: str) -> None:
    """Let what was read grow too old, and put another tag on the image meanwhile."""
    runs.clock.skip(61)
    runs.registry.store.tag(APP, "v1", digest)


async def test_what_went_with_a_tag_is_not_called_absent() -> None:
    """A registry deletes the whole image with its first tag: this run deleted the others, and nobody else did."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=True))
    runs.fill(3, "too")
    kept = runs.keep()

    done = await runs.delete(**FIRST)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}


@pytest.mark.parametrize(("takes_all", "word"), [(True, "failed unfinished"), (False, "not-attempted interrupted")])
async def test_a_tag_that_may_have_gone_with_another_is_not_called_untried(*, takes_all: bool, word: str) -> None:
    """A stopped run says so of the other tags of an image, until the registry was seen to delete one tag at a time."""
    runs = Runs(replace(TAGS, tag_delete_takes_all=takes_all))
    runs.fill(2, "too")
    stop = Stop()
    runs.on("DELETE", "manifests/pr-1$", lambda: stop.interrupt(Signal.INTERRUPT))

    done = await runs.delete(concurrency=1, stop=stop, **FIRST)

    assert words(done)["pr-1-too"] == word
    assert ("pr-1-too" in runs.registry.tags(APP)) != takes_all
