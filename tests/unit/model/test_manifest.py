"""What an index names."""

import json

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    IMAGE_TYPES,
    INDEX_TYPES,
    MEDIA_TYPES,
    OCI_ARTIFACT,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1_TYPES,
    Children,
    Manifest,
    Resolved,
    children,
    is_readable,
)
from bulkrm.sandbox import artifact, docker_image, oci_image

ONE, TWO = Digest.of(b"1"), Digest.of(b"2", "sha512")
THREE, FOUR, FIVE = (Digest.of(text) for text in (b"3", b"4", b"5"))
ODD_TYPES: tuple[object, ...] = (
    "application/vnd.cncf.oras.artifact.manifest.v1+json",
    "",
    "application/json",
    f"{OCI_MANIFEST}; charset=utf-8",
    OCI_MANIFEST.upper(),
    OCI_INDEX.upper(),
    5,
    None,
    [],
)
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def index(*entries: object) -> bytes:
    """An index with these entries."""
    return json.dumps({"schemaVersion": 2, "manifests": entries}).encode()


def entry(digest: object, kind: object = OCI_MANIFEST) -> dict[str, object]:
    """One entry."""
    return {"mediaType": kind, "digest": digest, "size": 3}


@pytest.mark.parametrize("media_type", sorted(INDEX_TYPES))
def test_children(media_type: str) -> None:
    """The manifests that an index names, each once and in its order, and which of them are indexes."""
    content = index(entry(ONE), entry(TWO, OCI_INDEX), entry(ONE), entry(THREE, DOCKER_MANIFEST))

    assert children(media_type, content) == Children((ONE, TWO, THREE), (TWO,))


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_kinds_of_children(kind: str) -> None:
    """Every manifest type may be a child."""
    assert children(OCI_INDEX, index(entry(ONE, kind))).manifests == (ONE,)


@pytest.mark.parametrize("kind", ODD_TYPES)
def test_unknown_is_not_harmless(kind: object) -> None:
    """A child under a type that is not known is one all the same, and may be an index itself."""
    named = children(OCI_INDEX, index(entry(ONE, kind), entry(TWO)))

    assert (named.manifests, named.indexes, named.parts) == ((ONE, TWO), (ONE,), ())


def test_a_child_without_a_type() -> None:
    """The same holds where the type is missing."""
    assert children(OCI_INDEX, index({"digest": ONE})) == Children((ONE,), (ONE,))


def test_a_child_under_two_types() -> None:
    """Where one entry says image and another one index, it may be an index; a layer that is also a child is a child."""
    named = children(OCI_INDEX, index(entry(ONE), entry(ONE, OCI_INDEX), entry(TWO, LAYER), entry(TWO)))

    assert named == Children((ONE, TWO), (ONE,))


@pytest.mark.parametrize("kind", [LAYER, LAYER.upper(), "application/vnd.buildkit.cacheconfig.v0", "application/x-tar"])
def test_a_build_cache(kind: str) -> None:
    """The layers that a build cache lists are blobs: they are needed, and are no children that could be deleted."""
    named = children(OCI_INDEX, index(entry(ONE, kind), entry(TWO)))

    assert (named.manifests, named.indexes, named.parts) == ((TWO,), (), (ONE,))
    assert set(named.needed) == {ONE, TWO}


@pytest.mark.parametrize("media_type", sorted(IMAGE_TYPES - SCHEMA1_TYPES))
def test_an_ordinary_image(media_type: str) -> None:
    """An image has no children, and its layers and configuration are not kept in memory."""
    for image in (oci_image(1), docker_image(1), artifact(1, oci_image(1), "application/vnd.example+json")):
        assert children(media_type, image.content) == Children()


@pytest.mark.parametrize("media_type", sorted(IMAGE_TYPES - SCHEMA1_TYPES))
def test_an_image_that_is_an_index(media_type: str) -> None:
    """Where the bytes of what is called an image list manifests, they are believed and not the type."""
    assert children(media_type, index(entry(ONE))) == Children((ONE,))


@pytest.mark.parametrize("media_type", ["application/vnd.example.v1+json", OCI_ARTIFACT, "", "application/json"])
def test_a_manifest_of_another_type(media_type: str) -> None:
    """What is neither index nor image needs everything that it names, but for its subject."""
    fields = {
        "config": entry(ONE, LAYER),
        "layers": [entry(TWO, "x/y")],
        "blobs": [entry(THREE, LAYER)],
        "manifests": [entry(FOUR, OCI_MANIFEST)],
        "subject": entry(FIVE),
    }

    named = children(media_type, json.dumps(fields).encode())

    assert (named.manifests, set(named.parts)) == ((FOUR,), {ONE, TWO, THREE})


def test_a_layer_that_may_be_a_manifest() -> None:
    """A layer of an image whose type does not say that it is one is needed too."""
    assert children(OCI_MANIFEST, json.dumps({"layers": [entry(ONE, OCI_MANIFEST)]}).encode()).parts == (ONE,)


@pytest.mark.parametrize(
    "content",
    [
        b'{"manifests": [%s], "manifests": []}' % json.dumps(entry(ONE)).encode(),
        b'{"manifests": [], "manifests": [%s]}' % json.dumps(entry(ONE)).encode(),
        b'{"MANIFESTS": [{"DIGEST": "%s"}]}' % ONE.encode(),
        '{"manife\u017fts": [{"dige\u017ft": "%s"}]}'.encode() % ONE.encode(),
        b'{"\\u006danifests": [{"digest": "%s"}]}' % ONE.encode(),
        b'{"manifests": [{"digest": "%s", "digest": "%s"}]}' % (ONE.encode(), TWO.encode()),
        b'{"manifests": [{"digest": "%s"}], "annotations": {"a": "\xff\xfe"}}' % ONE.encode(),
    ],
)
def test_whatever_a_registry_may_read_in_it(content: bytes) -> None:
    """Two keys, another case (as Go's parser takes them), bytes that are no UTF-8: every digest that may be meant counts."""
    assert is_readable(OCI_INDEX, content)
    assert ONE in children(OCI_INDEX, content).manifests


@pytest.mark.parametrize("content", [b"{}", b'{"manifests": null}', b'{"manifests": []}', b'{"schemaVersion": 2}'])
def test_an_empty_index(content: bytes) -> None:
    """An index that lists nothing, null, or not even that, is an empty one."""
    assert is_readable(OCI_INDEX, content)
    assert children(OCI_INDEX, content) == Children()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b"null",
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"[" * 200_000,
        b'{"manifests": {}}',
        b'{"manifests": "x"}',
        b'{"manifests": [], "Manifests": 5}',
        b'{"manifests": {"digest": "%s"}}' % ONE.encode(),
        index(None),
        index(5),
        index([]),
        index({}),
        index(entry(None)),
        index(entry(5)),
        index(entry("")),
        index(entry("sha256:junk")),
        index(entry(ONE.upper())),
        index(entry(ONE), {"digest": ONE, "Digest": None}),
    ],
)
def test_what_cannot_be_understood(content: bytes) -> None:
    """What may name something that cannot be told is no readable index; of an image that is no matter."""
    assert not is_readable(OCI_INDEX, content)
    assert not is_readable("application/vnd.example.v1+json", content)
    assert is_readable(OCI_MANIFEST, content)
    assert children(OCI_INDEX, content) == Children()


def test_a_digest_of_another_algorithm() -> None:
    """A well-formed digest of an algorithm that nobody registered is understood: nothing that could be deleted has it."""
    content = index(entry("blake3:" + "a" * 64), entry(TWO))

    assert is_readable(OCI_INDEX, content)
    assert children(OCI_INDEX, content) == Children((TWO,))


def test_resolved() -> None:
    """A manifest knows its size and children."""
    content = index(entry(ONE))

    assert Manifest(TWO, DOCKER_LIST, content).resolved == Resolved(TWO, DOCKER_LIST, len(content), Children((ONE,)))
    assert Manifest(TWO, DOCKER_MANIFEST, b"{}").resolved == Resolved(TWO, DOCKER_MANIFEST, 2, Children())


def test_the_types() -> None:
    """Indexes and schema 1 are among the types that are accepted."""
    assert set(MEDIA_TYPES) >= INDEX_TYPES | SCHEMA1_TYPES
    assert INDEX_TYPES.isdisjoint(SCHEMA1_TYPES)
