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


def children(media_type: str, content: bytes) -> tuple[Digest, ...]:
    """Return the manifests that an index names; none for what is no index or cannot be read.

    A build cache is an index whose entries are layers: those are blobs and no children.
    """
    if media_type not in INDEX_TYPES:
        return ()
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    entries = body.get("manifests") if isinstance(body, dict) else None
    return tuple(dict.fromkeys(_child_digests(entries if isinstance(entries, list) else [])))


def _child_digests(entries: list[Any]) -> Iterator[Digest]:
    for entry in entries:
        if isinstance(entry, dict) and entry.get("mediaType", OCI_MANIFEST) in MEDIA_TYPES:
            digest = entry.get("digest")
            if isinstance(digest, str) and is_digest(digest):
                yield Digest(digest)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The reference leads to this manifest. `size` is in bytes; `children` are the manifests that an index names."""

    digest: Digest
    media_type: str
    size: int
    children: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose digest was checked against its bytes. `content` is exactly what the registry sent."""

    digest: Digest
    media_type: str
    content: bytes

    @property
    def resolved(self) -> Resolved:
        """What there is to know without the bytes."""
        return Resolved(self.digest, self.media_type, len(self.content), children(self.media_type, self.content))


@dataclass(frozen=True, slots=True)
class Absent:
    """The registry says there is no such thing; `no_repository`: not even the repository."""

    no_repository: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The registry did not tell."""

    failure: Failure


Resolution = Resolved | Absent | Unresolved
