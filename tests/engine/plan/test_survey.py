"""The guard rests on every other tag of a touched repository; what cannot be read keeps the repository."""

import pytest

from bulkrm.model.settings import Shared
from bulkrm.sandbox import Drop, LieAboutBody, LieAboutDigest, Reply, oci_image, oci_index
from tests.engine.runs import APP, Runs, words


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_one_tag_that_cannot_be_read_keeps_all(runs: Runs, status: int) -> None:
    """An answer that says nothing about a tag keeps every image of its repository, and of no other."""
    runs.fill(2)
    runs.keep()
    runs.registry.push("team/other", oci_image(1), "pr-1")
    runs.registry.faults.add(Reply(status), method="GET|HEAD", path="manifests/latest", times=None)

    done = await runs.delete(f"- {APP}:pr-*\n- team/other:pr-1")

    assert done.statuses == {
        f"{APP}:pr-0": "kept unreadable",
        f"{APP}:pr-1": "kept unreadable",
        "team/other:pr-1": "deleted",
    }
    assert done.code == 3


async def test_a_tag_that_is_listed_and_not_there_holds_nothing(runs: Runs) -> None:
    """404 under a tag that the list does not name is no reason to keep anything."""
    runs.fill(2)
    runs.registry.store.tag(APP, "ghost", "sha256:" + "dead" * 16)

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert list(runs.registry.tags(APP)) == ["ghost"]


async def test_a_listing_that_hides_a_tag_is_not_believed(runs: Runs) -> None:
    """Where the list leaves out a tag that was read, it may leave out others."""
    runs.fill(2)
    runs.registry.faults.add(LieAboutBody(b'{"name": "x", "tags": ["pr-1"]}'), path="tags/list", times=None)

    done = await runs.delete(f"- {APP}:pr-0\n- {APP}:pr-1")

    assert set(words(done).values()) == {"kept unreadable"}
    assert len(runs.registry.tags(APP)) == 2


async def test_bytes_of_another_digest_are_not_believed(runs: Runs) -> None:
    """A tag that is read as something else than the registry announces fails, and nothing is deleted by it."""
    runs.fill(1)
    runs.keep()
    runs.registry.faults.add(LieAboutDigest(oci_image(5).digest), method="GET", path="manifests/pr-0", times=None)

    done = await runs.delete(f"- {APP}:pr-0")

    assert words(done) == {"pr-0": "failed digest-mismatch"}
    assert set(runs.registry.tags(APP)) == {"latest", "pr-0"}


async def test_an_index_that_cannot_be_read_may_need_anything(runs: Runs) -> None:
    """What a kept index names is not known without its bytes, so everything in its repository stays."""
    index = oci_index(3)
    runs.registry.push(APP, index, "multi")
    runs.registry.push(APP, index.children[0], "pr-1")
    runs.fill(1)
    runs.registry.faults.add(Reply(500), method="GET", path="manifests/(multi|sha256:)", times=None)

    done = await runs.delete()

    assert set(words(done).values()) == {"kept unreadable"}


async def test_a_read_that_is_lost_is_sent_again(runs: Runs) -> None:
    """A connection that ends without an answer costs another request, and no image."""
    runs.fill(2)
    runs.keep()
    runs.registry.faults.add(Drop(), method="HEAD", path="latest")

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert runs.registry.asked("HEAD").count(f"HEAD /v2/{APP}/manifests/latest") == 2


async def test_who_does_not_look_reads_no_other_tag(runs: Runs) -> None:
    """With delete-unseen one image of a large repository costs what that image costs."""
    runs.fill(40)

    done = await runs.delete(f"- {APP}:pr-7", shared=Shared.DELETE_UNSEEN)

    assert words(done) == {"pr-7": "deleted"}
    assert len(runs.registry.sent) <= 6
