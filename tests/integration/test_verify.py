"""`--verify`: after the run every kept tag and what it needs is as it was, or the run fails and says how to undo it."""

import json
from collections.abc import Callable

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX
from bulkrm.sandbox import Call, Reply, Sandbox, ServerRequest, index_of, oci_image, oci_index, put_image
from bulkrm.sandbox.images import docker_list
from bulkrm.sandbox.registry.store import StoredManifest
from tests.integration.engine import Options, delete

APP = "team/app"
VERIFY = Options(verify=True)


def fill(sandbox: Sandbox) -> None:
    """A tag to delete, kept tags, kept indexes, and another repository that nobody touches."""
    put_image(sandbox.store, APP, ["pr-1"], oci_image(seed=1))
    put_image(sandbox.store, APP, ["latest"], oci_image(seed=2))
    put_image(sandbox.store, APP, ["multi"], index_of([docker_list(3), oci_image(seed=4)]))
    put_image(sandbox.store, "team/other", ["x"], oci_image(seed=5))


async def test_all_is_as_it_was() -> None:
    """Two kept tags, one of them an index over an index and an image: all is read, and is as it was."""
    async with Sandbox() as sandbox:
        fill(sandbox)

        done = await delete(sandbox.host, f"- {APP}:pr-1", VERIFY)

        assert done.code == 0
        assert done.report.verification is not None
        assert (done.report.verification.checked, done.report.verification.differences) == (2 + 4, ())
        assert not any("team/other" in path for _, path in done.sent)


async def test_nothing_to_verify() -> None:
    """Without it nothing is read afterwards, and where nothing goes there is nothing to read."""
    async with Sandbox() as sandbox:
        fill(sandbox)

        assert (await delete(sandbox.host, f"- {APP}:pr-1")).report.verification is None
        assert (await delete(sandbox.host, f"- {APP}:gone", VERIFY)).report.verification is None


def vanish(sandbox: Sandbox) -> None:
    sandbox.store.delete_tag(APP, "latest")


def move(sandbox: Sandbox) -> None:
    sandbox.store.tag(APP, "latest", put_image(sandbox.store, APP, (), oci_image(seed=9)))


def vanish_with_its_manifest(sandbox: Sandbox) -> None:
    sandbox.store.delete_manifest(APP, oci_image(seed=2).digest)


def lose_a_child(sandbox: Sandbox) -> None:
    sandbox.store.delete_manifest(APP, oci_image(seed=4).digest)


def refuse_to_show(sandbox: Sandbox) -> None:
    sandbox.faults.add(Reply(403), method="HEAD|GET", path="latest$", times=None)


LATEST, CHILD = oci_image(seed=2).digest, oci_image(seed=4).digest


@pytest.mark.parametrize(
    ("happens", "image", "found", "message", "hint"),
    [
        (vanish, ":latest", None, "it is gone", "skopeo copy --all --preserve-digests docker://"),
        (move, ":latest", oci_image(seed=9).digest, "it leads to ", "skopeo copy --all --preserve-digests docker://"),
        (vanish_with_its_manifest, ":latest", None, "it is gone", "push it again"),
        (lose_a_child, f"@{CHILD}", None, "a kept index needs it", "push it again"),
        (refuse_to_show, ":latest", None, "it cannot be read: HTTP 403", "skopeo copy"),
    ],
)
async def test_differences(
    happens: Callable[[Sandbox], None], image: str, found: str | None, message: str, hint: str
) -> None:
    """A kept tag that vanished or moved, a child that is gone, something that cannot be read: the run fails."""
    async with Sandbox() as sandbox:
        fill(sandbox)

        async def happen(_: ServerRequest) -> None:
            happens(sandbox)

        sandbox.faults.add(Call(happen), method="DELETE")

        done = await delete(sandbox.host, f"- {APP}:pr-1", VERIFY)

        assert done.code == 1
        assert done.statuses == {f"{APP}:pr-1": "deleted"}
        assert done.report.verification is not None
        (difference,) = done.report.verification.differences
        assert difference.image == f"{sandbox.host}/{APP}{image}"
        assert difference.found == found
        assert difference.message.startswith(message)
        assert difference.hint.startswith(hint)
        assert (f"@{LATEST} docker://{sandbox.host}/{APP}:latest" in difference.hint) == hint.startswith("skopeo")


async def test_an_index_that_was_incomplete_before() -> None:
    """What was missing before the run is no difference."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        index = oci_index(8)
        put_image(sandbox.store, APP, ["sparse"], index)
        sandbox.store.delete_manifest(APP, index.children[0].digest)

        done = await delete(sandbox.host, f"- {APP}:pr-1", VERIFY)

        assert done.code == 0
        assert done.report.verification is not None
        assert done.report.verification.differences == ()


async def test_what_is_no_manifest_is_not_asked_for() -> None:
    """A digest of an unusual type that proves to be a blob's costs no request of the verification, nor a retry."""
    async with Sandbox() as sandbox:
        fill(sandbox)
        blob = sandbox.store.put_blob(APP, b"some artifact")
        entry = {"mediaType": "application/x-odd", "digest": blob, "size": 13}
        content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
        sandbox.store.plant(APP, StoredManifest(str(Digest.of(content)), OCI_INDEX, content), "odd")

        done = await delete(sandbox.host, f"- {APP}:pr-1", VERIFY)
        usual = await delete(sandbox.host, f"- {APP}:latest", Options())

        assert (done.statuses, usual.code) == ({f"{APP}:pr-1": "deleted"}, 0)
        assert done.report.verification is not None
        assert done.report.verification.differences == ()
        asked = [sent for sent in done.sent if sent[1].endswith(blob)]
        assert asked == [sent for sent in usual.sent if sent[1].endswith(blob)]
        assert len(asked) <= 2
