"""What a registry stores under a digest, and what came of asking for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.failure import Failure

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
# Withdrawn from the image specification before 1.1, but stored in registries of that time (regclient accepts it too).
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"

DECOY_ANNOTATION = "io.github.bulkrm.decoy"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMA1_TYPES = frozenset({DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1})
# The complete list, always: with only the Docker type, distribution 2.8.2 resolves a manifest list to its amd64
# child, and the wrong manifest would be deleted (registry/handlers/manifests.go there).
MEDIA_TYPES = (
    OCI_INDEX,
    OCI_MANIFEST,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA1_SIGNED,
    DOCKER_SCHEMA1,
    OCI_ARTIFACT,
)


@dataclass(frozen=True, slots=True)
class Children:
    """The manifests that an index names, each once, in its order; `indexes` are those that are indexes themselves."""

    manifests: tuple[Digest, ...] = ()
    indexes: tuple[Digest, ...] = ()


NO_CHILDREN = Children()


def children(media_type: str, content: bytes) -> Children:
    """Read what an index names; nothing for what is no index or cannot be read.

    A build cache is an index whose entries are layers: those are blobs and no children.
    """
    if media_type not in INDEX_TYPES:
        return NO_CHILDREN
    found = dict(_entries(_listed(content) or []))
    if not found:
        return NO_CHILDREN
    return Children(tuple(found), tuple(digest for digest, kind in found.items() if kind in INDEX_TYPES))


def is_readable(media_type: str, content: bytes) -> bool:
    """Tell whether what an index names can be known; anything that is no index names nothing."""
    return media_type not in INDEX_TYPES or _listed(content) is not None


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _listed(content: bytes) -> list[Any] | None:
    entries = (_object(content) or {}).get("manifests")
    return entries if isinstance(entries, list) else None


def _entries(entries: list[Any]) -> Iterator[tuple[Digest, str]]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        kind, digest = entry.get("mediaType", OCI_MANIFEST), entry.get("digest")
        if kind in MEDIA_TYPES and isinstance(digest, str) and is_digest(digest):
            yield Digest(digest), kind


@dataclass(frozen=True, slots=True)
class Blob:
    """A configuration or a layer that an image names; `size` in bytes."""

    digest: Digest
    size: int


def blobs(media_type: str, content: bytes) -> tuple[Blob, ...]:
    """Read which blobs an image names, each once; none for an index and for what cannot be read."""
    body = _object(content)
    if body is None or media_type in INDEX_TYPES:
        return ()
    entries = [body.get("config")]
    for key in ("layers", "blobs"):  # `blobs`: the withdrawn artifact manifest
        listed = body.get(key)
        entries += listed if isinstance(listed, list) else []
    found = {}
    for entry in entries:
        digest, size = (entry.get("digest"), entry.get("size")) if isinstance(entry, dict) else (None, None)
        if isinstance(digest, str) and is_digest(digest) and type(size) is int and size >= 0:
            found[digest] = Blob(Digest(digest), size)
    return tuple(found.values())


def subject(content: bytes) -> Digest | None:
    """Read what a manifest says that it is attached to (image-spec 1.1, `subject`); None where it says nothing."""
    if b'"subject"' not in content:
        return None  # spares most manifests the parser
    named = (_object(content) or {}).get("subject")
    digest = named.get("digest") if isinstance(named, dict) else None
    return Digest(digest) if isinstance(digest, str) and is_digest(digest) else None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The reference leads to this manifest.

    `size` is in bytes; `children` is None where the manifest was not read; `subject` is what it says that it is attached
    to, and `blobs` what it names, where somebody wanted to know.
    """

    digest: Digest
    media_type: str
    size: int
    children: Children | None = None
    subject: Digest | None = None
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose digest was checked against its bytes. `content` is exactly what the registry sent."""

    digest: Digest
    media_type: str
    content: bytes

    @property
    def resolved(self) -> Resolved:
        """What there is to know without the bytes."""
        named = children(self.media_type, self.content)
        return Resolved(self.digest, self.media_type, len(self.content), named, subject(self.content))


def empty_index(mark: str) -> Manifest:
    """Make an index that names nothing, and is unlike any other by its mark: no blob is needed to push it."""
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {DECOY_ANNOTATION: mark}}
    content = json.dumps(body, separators=(",", ":")).encode()
    return Manifest(Digest.of(content), OCI_INDEX, content)


@dataclass(frozen=True, slots=True)
class Absent:
    """The registry says there is no such thing; `no_repository`: not even the repository."""

    no_repository: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The registry did not tell."""

    failure: Failure


Resolution = Resolved | Absent | Unresolved
