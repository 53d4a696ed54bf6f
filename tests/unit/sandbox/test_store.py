"""The sandbox's state."""

from collections.abc import Callable

import pytest

from bulkrm.sandbox import (
    Image,
    Store,
    artifact,
    docker_image,
    docker_list,
    empty_index,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
    put_image,
)
from bulkrm.sandbox.registry.store import StoredManifest
from bulkrm.sandbox.wire import Refused

APP = "team/app"
BUILDERS: list[Callable[[int], Image]] = [docker_image, oci_image, docker_list, oci_index, empty_index]


@pytest.fixture
def store() -> Store:
    """An empty one."""
    return Store()


@pytest.mark.parametrize("build", BUILDERS)
def test_images_are_deterministic(build: Callable[[int], Image]) -> None:
    """One seed gives one image, another seed another."""
    assert build(1) == build(1)
    assert build(1).digest != build(2).digest


def test_shared_configuration() -> None:
    """With a seed for the configuration only the manifest differs."""
    one, two = oci_image(1, config_seed=0), oci_image(2, config_seed=0)

    assert one.blobs == two.blobs
    assert one.digest != two.digest


@pytest.mark.parametrize("build", BUILDERS)
def test_put_image(store: Store, build: Callable[[int], Image]) -> None:
    """An image goes in with all its parts, under each tag."""
    image = build(1)

    digest = put_image(store, APP, ["a", "b"], image)

    assert digest == image.digest
    assert store.tags_on(APP, digest) == {"a", "b"}
    assert store.digests(APP) == {digest, *(child.digest for child in image.children)}
    found = store.manifest(APP, digest)
    assert found is not None
    assert (found.content, found.media_type) == (image.content, image.media_type)


def test_a_tag_moves(store: Store) -> None:
    """A tag that is put on another digest leaves the first one there."""
    first, second = put_image(store, APP, ["a"], oci_image(1)), put_image(store, APP, ["a"], oci_image(2))

    assert store.digest_of(APP, "a") == second
    assert store.tags_on(APP, first) == frozenset()
    assert store.delete_manifest(APP, first)
    assert store.tags(APP) == ["a"]


def test_delete_manifest(store: Store) -> None:
    """A digest goes with its tags, once."""
    digest = put_image(store, APP, ["a", "b"], oci_image(1))
    put_image(store, APP, ["c"], oci_image(2))

    assert store.delete_manifest(APP, digest)

    assert store.tags(APP) == ["c"]
    assert store.manifest(APP, digest) is None
    assert not store.delete_manifest(APP, digest)
    assert not store.delete_manifest("never/seen", digest)


def test_delete_tag(store: Store) -> None:
    """A tag goes alone, once."""
    digest = put_image(store, APP, ["a", "b"], oci_image(1))

    assert store.delete_tag(APP, "a")

    assert store.tags(APP) == ["b"]
    assert store.manifest(APP, digest) is not None
    assert not store.delete_tag(APP, "a")
    assert not store.delete_tag("never/seen", "a")


def test_known_and_unknown(store: Store) -> None:
    """A repository has no tag list before its first tag, and an empty one after its last."""
    image = oci_image(1)

    assert (store.tags(APP), store.repositories()) == (None, [])
    put_image(store, APP, [], image)
    assert (store.tags(APP), store.repositories()) == (None, [APP])
    store.tag(APP, "a", image.digest)
    store.delete_manifest(APP, image.digest)
    assert (store.tags(APP), store.repositories()) == ([], [APP])


def test_blobs_belong_to_repositories(store: Store) -> None:
    """A blob is seen only through a repository that links it, and its bytes outlive a link."""
    digest = store.put_blob(APP, b"content")

    assert store.blob("other/app", digest) is None
    assert not store.mount_blob("other/app", "sha256:" + "0" * 64, APP)
    assert store.mount_blob("other/app", digest, APP)
    assert store.delete_blob(APP, digest)
    assert not store.delete_blob(APP, digest)
    assert store.blob("other/app", digest) == b"content"


def test_missing_parts(store: Store) -> None:
    """A manifest without its blobs, or an index without its children, is refused with all that is missing."""
    child = oci_image(1)
    index = index_of([child])

    with pytest.raises(Refused) as no_blobs:
        store.put_manifest(APP, "a", child.content, child.media_type)
    with pytest.raises(Refused) as no_child:
        store.put_manifest(APP, "a", index.content, index.media_type)

    assert (no_blobs.value.code, len(no_blobs.value.details)) == ("MANIFEST_BLOB_UNKNOWN", 2)
    assert list(no_child.value.details) == [child.digest]
    assert store.tags(APP) is None


def test_plant(store: Store) -> None:
    """An unchecked manifest may be anything."""
    store.plant(APP, StoredManifest("sha256:" + "1" * 64, "text/plain", b"?"), "odd")

    assert store.tags(APP) == ["odd"]


@pytest.mark.parametrize("content", [b"?", b"[]", b'{"subject":"x","manifests":3}', b'{"subject":{}}'])
def test_plant_of_what_names_nothing(store: Store, content: bytes) -> None:
    """It may name nothing that can be understood, and be deleted again."""
    store.plant(APP, StoredManifest("sha256:" + "1" * 64, "text/plain", content))

    assert store.delete_manifest(APP, "sha256:" + "1" * 64)


def test_artifacts_are_deterministic() -> None:
    """An artifact has its digest from its seed, its subject and its kind."""
    made = [
        artifact(1, oci_image(1)),
        artifact(2, oci_image(1)),
        artifact(1, oci_image(2)),
        artifact(1, oci_image(1), "application/vnd.example.sbom.v1"),
    ]

    assert artifact(1, oci_image(1)) == made[0]
    assert len({one.digest for one in made}) == 4
    assert {one.blobs for one in made} == {(b"{}",)}


def test_fallback() -> None:
    """The fallback index brings its referrers along, and its tag is the subject's digest with a dash."""
    subject = oci_image(1)
    referrers = (artifact(1, subject), artifact(2, subject))

    assert fallback_index(referrers).children == referrers
    assert fallback_tag(subject) == "sha256-" + subject.digest.partition(":")[2]


def test_referrers(store: Store) -> None:
    """A repository knows what is attached to a digest, sorted, whether that is there or not."""
    subject = oci_image(1)
    digests = sorted(put_image(store, APP, (), artifact(seed, subject)) for seed in range(3))
    put_image(store, APP, (), artifact(1, oci_image(2)))

    assert [found.digest for found in store.referrers(APP, subject.digest)] == digests
    assert store.referrers("never/seen", subject.digest) == []
    assert store.delete_manifest(APP, digests[1])
    assert [found.digest for found in store.referrers(APP, subject.digest)] == [digests[0], digests[2]]


def test_children(store: Store) -> None:
    """A repository knows what its indexes name, until the last of them is gone."""
    child = oci_image(1)
    one, two = index_of([child]), index_of([child, oci_image(2)])
    for index in (one, two):
        put_image(store, APP, ["a"], index)

    known = []
    for index in (one, two):
        known.append(store.is_child(APP, child.digest))
        store.delete_manifest(APP, index.digest)

    assert known == [True, True]
    assert not store.is_child(APP, child.digest)
    assert not store.is_child("never/seen", child.digest)


def test_plant_over_a_manifest(store: Store) -> None:
    """What is planted over a digest names what it says itself, and no longer what the one before said."""
    subject = oci_image(1)
    attached = artifact(1, subject)
    put_image(store, APP, (), attached)

    store.plant(APP, StoredManifest(attached.digest, attached.media_type, b"{}"))

    assert store.referrers(APP, subject.digest) == []
    assert store.delete_manifest(APP, attached.digest)


def test_collect_garbage(store: Store) -> None:
    """Blobs that no manifest names lose their bytes, in all repositories."""
    gone, kept = oci_image(1), oci_image(2)
    put_image(store, APP, ["a"], gone)
    put_image(store, APP, ["b"], kept)
    store.delete_manifest(APP, gone.digest)

    store.collect_garbage()

    with pytest.raises(Refused) as refused:
        store.put_manifest(APP, "a", gone.content, gone.media_type)
    # The layer is in the other image too.
    assert len(refused.value.details) == 1
    assert store.put_manifest(APP, "c", kept.content, kept.media_type) == kept.digest


@pytest.mark.parametrize(
    "image",
    [
        Image("application/vnd.oci.image.manifest.v1+json", b'{"schemaVersion":2,"manifests":[]}'),
        Image("application/vnd.oci.image.index.v1+json", b'{"schemaVersion":2,"layers":[],"manifests":[]}'),
        Image("application/vnd.docker.distribution.manifest.list.v2+json", b'{"schemaVersion":2,"manifests":[]}'),
        Image("application/vnd.docker.distribution.manifest.v1+prettyjws", b'{"schemaVersion":1}'),
    ],
)
def test_ambiguous_documents(store: Store, image: Image) -> None:
    """A document that could be of two kinds, or of a kind that nobody pushes any more, is refused."""
    with pytest.raises(Refused, match="MANIFEST_INVALID"):
        store.put_manifest(APP, "a", image.content, image.media_type)
