"""On a registry that deletes manifests and keeps answering under their tags, undo puts back what is gone by its digest.

What is there is asked over plain HTTP.
"""

from pathlib import Path

import pytest

from bulkrm.sandbox import Image, index_of, oci_image
from tests.cli.command import bulkrm
from tests.support.admin import Admin
from tests.support.registries import KINDS_CRANE, Registry, servers

APP = "team/app"


async def content(admin: Admin, *names: str) -> dict[str, tuple[int, bytes]]:
    """What stands under tags and digests."""
    replies = {name: await admin.get(APP, name) for name in names}
    return {name: (reply.status, reply.body) for name, reply in replies.items()}


async def forget(admin: Admin, image: Image, *tags: str) -> None:
    """Leave the tags, and take away the manifest and its children, which this server keeps apart from them."""
    for tag in tags:
        await admin.push(APP, image, tag)
    for digest in (image.digest, *(child.digest for child in image.children)):
        assert (await admin.delete(APP, digest)).status == 202
        assert (await admin.get(APP, digest)).status == 404
    for tag in tags:
        assert (await admin.get(APP, tag)).status == 200


@servers(KINDS_CRANE)
@pytest.mark.parametrize("kind", ["image", "index"])
async def test_the_manifest_comes_back(kind: str, registry: Registry, tmp_path: Path) -> None:
    """A tag that answers is no proof that nothing is missing: manifest and children are there again by their digests."""
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state")}
    image = oci_image(1) if kind == "image" else index_of([oci_image(1), oci_image(2)])
    digests = [image.digest, *(child.digest for child in image.children)]
    host, admin = registry.host, registry.admin
    await admin.push(APP, image, "v1", "v2")
    before = await content(admin, "v1", "v2", *digests)
    await bulkrm(f"{host}/{APP}:v1", f"{host}/{APP}:v2", "-r", "-o", "json", env=env)
    await forget(admin, image, "v1", "v2")

    dry = await bulkrm("undo", "-n", "-o", "json", env=env)
    undone = await bulkrm("undo", "-o", "json", env=env)
    after = await content(admin, "v1", "v2", *digests)
    again = await bulkrm("undo", undone.report["run"]["id"], "-o", "json", env=env)

    assert undone.code == 0
    assert "would-restore" in dry.statuses.values()
    assert "restored" in undone.statuses.values()
    assert set(undone.statuses.values()) <= {"restored", "unchanged"}
    assert after == before
    assert {status for status, _ in after.values()} == {200}
    assert set(again.statuses.values()) == {"unchanged"}
