"""A registry that deletes a manifest only without tags: its tags go first, found out by one refusal."""

from dataclasses import replace

import pytest

from bulkrm.engine.stop import Stop
from bulkrm.model.result.outcome import Signal
from bulkrm.model.settings import Shared, Strategy
from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, REAL, Runs, words
from tests.support.fake_registry import OPEN

GOOGLE = replace(OPEN, tag_deletes=True, untagged_first=True)


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_one_refusal_is_enough(strategy: Strategy) -> None:
    """After the first manifest was refused for its tags, every later one goes after them."""
    runs = Runs(GOOGLE)
    digests = runs.fill(4, "too")
    kept = runs.keep()

    done = await runs.delete(strategy=strategy)

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.tags(APP) == {"latest": kept}
    sent = [name for name in runs.registry.deleted(APP) if name in digests]
    assert len(sent) <= len(digests) + 1


async def test_a_tag_that_stays_keeps_its_manifest() -> None:
    """Where a tag cannot be deleted the manifest is not asked for again, and no tag is lost for nothing."""
    runs = Runs(GOOGLE)
    digests = runs.fill(2)
    runs.registry.faults.add(Reply(412), method="DELETE", path="manifests/pr-1$", times=None)

    done = await runs.delete(strategy=Strategy.DIGEST)

    assert words(done)["pr-0"] == "deleted"
    assert words(done)["pr-1"].startswith("failed")
    assert runs.registry.tags(APP) == {"pr-1": digests[1]}


async def test_an_unlisted_tag_that_moved_is_not_said_to_go_along() -> None:
    """A tag that the list does not name, and that somebody pushed meanwhile, stays, and no line says that it went."""
    runs = Runs(GOOGLE)
    runs.registry.push(APP, oci_image(1), "pr-1", "other", "another")
    runs.keep()
    runs.on("DELETE", "manifests/pr-1$", lambda: runs.registry.push(APP, oci_image(5), "other"))

    done = await runs.delete(shared=Shared.DELETE)

    (image,) = done.images
    assert (image["status"], image["also_removed"]) == ("deleted", [f"{runs.registry.host}/{APP}:another"])
    assert set(runs.registry.tags(APP)) == {"latest", "other"}


@pytest.mark.parametrize("ends", ["refused", "stopped", "gone"])
async def test_an_unlisted_tag_that_went_ahead_is_named(ends: str) -> None:
    """Whatever becomes of the manifest, a line of its image names the tag that went and that the list does not name."""
    runs, stop = Runs(GOOGLE), Stop()
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "other")
    runs.keep()

    def end() -> None:
        match ends:
            case "refused":
                runs.registry.faults.add(Reply(403), method="DELETE", path=REAL)
            case "stopped":
                stop.interrupt(Signal.INTERRUPT)
            case _:
                runs.registry.store.delete_manifest(APP, digest)

    runs.on("DELETE", "manifests/other$", end)

    done = await runs.delete(shared=Shared.DELETE, stop=stop)

    (image,) = done.images
    told = image["also_removed"] if ends == "gone" else [image["error"]["message"]]
    assert "other" not in runs.registry.tags(APP)
    assert image["status"] == ("deleted" if ends == "gone" else "failed")
    assert any(f"{APP}:other" in text for text in told)


async def test_no_unlisted_tag_goes_where_every_listed_one_moved() -> None:
    """A manifest that stays because its listed tag moved keeps the tags that the list does not name."""
    runs = Runs(GOOGLE)
    runs.registry.push(APP, oci_image(9), "pr-0")
    digest = runs.registry.push(APP, oci_image(1), "pr-1", "other")
    runs.on("DELETE", "manifests/pr-0$", lambda: runs.registry.push(APP, oci_image(5), "pr-1"))

    done = await runs.delete(shared=Shared.DELETE, concurrency=1)

    assert words(done) == {"pr-0": "deleted", "pr-1": "kept moved"}
    assert runs.registry.tags(APP)["other"] == digest
