"""What a reference leads to is read by GET, and believed only if its bytes have the digest."""

import pytest

from bulkrm.sandbox import LieAboutBody, LieAboutDigest, Reply, docker_list, oci_image
from tests.engine.runs import APP, Runs, words


async def test_a_digest_that_is_a_blob_is_no_image(runs: Runs) -> None:
    """An image ID, which people take for a digest, is told from a manifest, and never deleted."""
    image = oci_image(1)
    runs.registry.push(APP, image, "pr-1")
    blob = runs.registry.store.put_blob(APP, image.blobs[0])

    done = await runs.delete(f"- {APP}@{blob}")

    assert words(done) == {blob: "failed not-a-manifest"}
    assert runs.registry.deleted(APP) == []


@pytest.mark.parametrize("lie", [LieAboutBody(b'{"schemaVersion": 2}'), LieAboutDigest(docker_list(9).digest)])
async def test_bytes_and_digest_have_to_agree(runs: Runs, lie: LieAboutBody | LieAboutDigest) -> None:
    """An answer whose bytes are not those of its digest deletes nothing."""
    runs.fill(1)
    runs.registry.faults.add(lie, method="GET", path="manifests/pr-0", times=None)

    done = await runs.delete(f"- {APP}:pr-0")

    assert words(done)["pr-0"].startswith("failed")
    assert runs.registry.deleted(APP) == []


async def test_a_pinned_tag_has_to_lead_there_still(runs: Runs) -> None:
    """`tag@digest` whose tag leads elsewhere is kept as moved, and names where to."""
    digest = runs.registry.push(APP, oci_image(1), "pr-1")
    now = runs.registry.push(APP, oci_image(2), "pr-1")

    done = await runs.delete(f"- {APP}:pr-1@{digest}")

    assert set(done.statuses.values()) == {"kept moved"}
    assert done.images[0]["because"] == [f"{runs.registry.host}/{APP}:pr-1@{now}"]
    assert runs.registry.deleted(APP) == []


async def test_without_a_digest_header_the_bytes_tell(runs: Runs) -> None:
    """A registry that names no digest is believed by what it sends."""
    runs.registry.change(digest_header=False)
    digests = runs.fill(2)

    done = await runs.delete()

    assert set(words(done).values()) == {"deleted"}
    assert sorted(runs.registry.deleted(APP)) == sorted(digests)


async def test_what_is_absent_costs_one_request(runs: Runs) -> None:
    """A tag that is not there is asked for once, however often the list names it."""
    runs.fill(2)

    done = await runs.delete(f"- {APP}:pr-0\n- {APP}:pr-9\n- {APP}:pr-9")

    assert words(done) == {"pr-0": "deleted", "pr-9": "absent"}
    assert sum("pr-9" in line for line in runs.registry.sent) == 1


async def test_a_404_that_is_not_the_registrys_proves_nothing(runs: Runs) -> None:
    """A proxy's page in the place of an answer is not a tag that is absent."""
    runs.fill(2)
    runs.registry.faults.add(Reply(404), path="manifests/pr-1", times=None)

    done = await runs.delete(f"- {APP}:pr-1")

    assert words(done) == {"pr-1": "failed not-a-registry"}
