"""A kept index needs its children, however deep, and whatever may be an index is read before anything goes."""

import json

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_INDEX
from bulkrm.sandbox import Image, index_of, oci_image, oci_index
from bulkrm.sandbox.registry.store import StoredManifest
from tests.engine.runs import APP, Runs, words


def naming(digest: str, media_type: str) -> Image:
    """An index that names one digest under a type."""
    entry = {"mediaType": media_type, "digest": digest, "size": 1}
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    return Image(OCI_INDEX, content)


async def test_children_of_children_are_needed(runs: Runs) -> None:
    """An image that is named two indexes down stays as long as the outer one does."""
    inner = oci_index(1)
    runs.registry.push(APP, index_of([inner]), "latest")
    runs.registry.push(APP, inner.children[0], "pr-1")

    done = await runs.delete()

    assert words(done) == {"pr-1": "kept needed"}
    assert runs.registry.deleted(APP) == []


async def test_a_type_that_nobody_knows_is_needed_too(runs: Runs) -> None:
    """What an index names under an unusual media type is not left out of what it needs."""
    runs.registry.push(APP, oci_image(1), "pr-1")
    odd = naming(oci_image(1).digest, "application/x-odd")
    runs.registry.store.plant(APP, StoredManifest(str(Digest.of(odd.content)), odd.media_type, odd.content), "odd")

    done = await runs.delete()

    assert words(done) == {"pr-1": "kept needed"}


async def test_indexes_that_go_on_for_ever_keep_everything(runs: Runs) -> None:
    """Deeper than anybody nests indexes nobody follows them, and nothing of the repository goes."""
    image = oci_image(1)
    for _ in range(12):
        image = index_of([image])
    runs.registry.push(APP, image, "deep")
    runs.fill(1)

    done = await runs.delete()

    assert words(done) == {"pr-0": "kept unreadable"}


async def test_an_ordinary_image_is_not_read_for_what_it_needs(runs: Runs) -> None:
    """Other tags on plain images cost a HEAD each, and those on indexes a GET beside it."""
    runs.fill(1)
    runs.keep("plain")
    runs.registry.push(APP, oci_index(3), "multi")

    await runs.plan()

    read = [line for line in runs.registry.asked("GET") if "manifests/" in line]
    assert len(read) == 2
    assert not any("plain" in line for line in read)
