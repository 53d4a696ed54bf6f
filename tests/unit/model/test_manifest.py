"""What an index names."""

import json

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    MEDIA_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1_TYPES,
    Children,
    Manifest,
    Resolved,
    children,
)

ONE, TWO = Digest.of(b"1"), Digest.of(b"2", "sha512")
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
    content = index(entry(ONE), entry(TWO, OCI_INDEX), entry(ONE), {"digest": Digest.of(b"3")})

    assert children(media_type, content) == Children((ONE, TWO, Digest.of(b"3")), (TWO,))


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_kinds_of_children(kind: str) -> None:
    """Every manifest type may be a child."""
    assert children(OCI_INDEX, index(entry(ONE, kind))).manifests == (ONE,)


@pytest.mark.parametrize("media_type", sorted(set(MEDIA_TYPES) - INDEX_TYPES))
def test_no_index(media_type: str) -> None:
    """What is no index has no children, whatever its bytes say."""
    assert children(media_type, index(entry(ONE))) == Children()


def test_a_build_cache() -> None:
    """The layers that a build cache lists are blobs and no children."""
    assert children(OCI_INDEX, index(entry(ONE, LAYER), entry(TWO))) == Children((TWO,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 200_000,
        b'{"manifests": null}',
        b'{"manifests": {}}',
        b'{"manifests": "x"}',
        index(None, 5, "x", [], {}),
        index(
            entry(None),
            entry(5),
            entry("sha256:junk"),
            entry(ONE.upper()),
            entry(ONE, 5),
            entry(ONE, None),
            entry(ONE, []),
        ),
    ],
)
def test_what_cannot_be_read(content: bytes) -> None:
    """What is no index, or names no digests, has no children and is no error."""
    assert children(OCI_INDEX, content) == Children()


def test_resolved() -> None:
    """A manifest knows its size and children."""
    content = index(entry(ONE))

    assert Manifest(TWO, DOCKER_LIST, content).resolved == Resolved(TWO, DOCKER_LIST, len(content), Children((ONE,)))
    assert Manifest(TWO, DOCKER_MANIFEST, b"{}").resolved == Resolved(TWO, DOCKER_MANIFEST, 2, Children())


def test_the_types() -> None:
    """Indexes and schema 1 are among the types that are accepted."""
    assert set(MEDIA_TYPES) >= INDEX_TYPES | SCHEMA1_TYPES
    assert INDEX_TYPES.isdisjoint(SCHEMA1_TYPES)
