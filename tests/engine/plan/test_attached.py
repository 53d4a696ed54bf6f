"""`--recursive`: what belongs to a manifest to delete goes with it, level by level, and what somebody else needs stays."""

from dataclasses import replace

import pytest

from bulkrm.sandbox import Reply, artifact, fallback_index, fallback_tag, index_of, oci_image, oci_index
from tests.engine.runs import APP, Runs, words
from tests.support.fake_registry import OPEN


@pytest.mark.parametrize("api", [True, False])
async def test_signatures_go_with_what_they_sign(*, api: bool) -> None:
    """They are found by the referrers API, or by the tag that clients keep where there is none, and so are their own."""
    runs = Runs(replace(OPEN, referrers=api))
    image = oci_image(1)
    runs.registry.push(APP, image, "pr-1")
    signature = artifact(5, image)
    runs.registry.push(APP, signature)
    of_the_signature = artifact(6, signature)
    runs.registry.push(APP, of_the_signature)
    if not api:
        runs.registry.push(APP, fallback_index([signature]), fallback_tag(image))
        runs.registry.push(APP, fallback_index([of_the_signature]), fallback_tag(signature))
    kept = runs.keep()

    done = await runs.delete(f"- {APP}:pr-1", recursive=True)

    assert {image["status"] for image in done.images} == {"deleted"}
    assert runs.registry.store.digests(APP) == {kept}


async def test_a_child_that_another_index_needs_stays(runs: Runs) -> None:
    """Two indexes over one image: the image goes with the second one only."""
    child = oci_image(1)
    doomed, kept = index_of([child, oci_image(2)]), index_of([child, oci_image(3)])
    runs.registry.push(APP, doomed, "pr-1")
    runs.registry.push(APP, kept, "latest")

    await runs.delete(f"- {APP}:pr-1", recursive=True)

    gone = {doomed.digest, oci_image(2).digest}
    assert set(runs.registry.deleted(APP)) == gone
    assert child.digest in runs.registry.store.digests(APP)


async def test_where_referrers_cannot_be_read_nothing_of_the_image_goes() -> None:
    """A signature that nobody could find would be lost track of, so its image stays."""
    runs = Runs(replace(OPEN, referrers=True))
    runs.fill(2)
    digest = oci_image(1).digest
    runs.registry.faults.add(Reply(500), path=f"referrers/{digest}", times=None)

    done = await runs.delete(recursive=True)

    assert words(done) == {"pr-0": "deleted", "pr-1": "failed server-error"}
    assert runs.registry.deleted(APP) == [oci_image(0).digest]


async def test_a_tagged_child_is_no_part_of_its_index(runs: Runs) -> None:
    """What has a tag of its own that is not listed stays when the index goes."""
    index = oci_index(1)
    runs.registry.push(APP, index, "pr-1")
    runs.registry.push(APP, index.children[0], "stable")

    await runs.delete(f"- {APP}:pr-1", recursive=True)

    assert runs.registry.tags(APP) == {"stable": index.children[0].digest}
    assert runs.registry.store.digests(APP) == {index.children[0].digest}
