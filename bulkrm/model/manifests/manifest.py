"""Manifests as a registry stores them, the digests that they name, and the result of resolving a reference."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.manifests.descriptors import JsonPairs, descriptors, parse_pairs
from bulkrm.model.result.failure import Failure
from bulkrm.model.valueclass import valueclass

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
# Withdrawn from the image specification before 1.1, but stored in registries of that time (regclient accepts it too).
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"

DECOY_ANNOTATION = "io.github.bulkrm.decoy"
DECOY_RUN = "io.github.bulkrm.run"
_RUN_NAME = re.compile(r"[0-9A-Za-z-]{1,64}")

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMA1_TYPES = frozenset({DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1})
# Manifests of these types have no children. Those of all other types, unknown ones too, are parsed to find out.
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST, *SCHEMA1_TYPES})
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
_KNOWN_TYPES = frozenset(MEDIA_TYPES)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")


def is_media_type(text: str) -> bool:
    """Tell whether the text is a well-formed media type without parameters (RFC 6838 section 4.2)."""
    return _MEDIA_TYPE.fullmatch(text) is not None


@valueclass
class Children:
    """The digests that a manifest names, each once, in its order.

    `manifests`: the entries of its list `manifests`, except for evident layers. `indexes`: those of `manifests` that are
    indexes, or may be because their descriptor has an unknown media type. `parts`: the configuration, layers and other
    digests that it needs and that are not manifests.
    """

    manifests: tuple[Digest, ...] = ()
    indexes: tuple[Digest, ...] = ()
    parts: tuple[Digest, ...] = ()

    @property
    def needed(self) -> tuple[Digest, ...]:
        """Every digest that must not be deleted while the manifest exists."""
        return self.manifests + self.parts if self.parts else self.manifests


NO_CHILDREN = Children()


def children(media_type: str, content: bytes) -> Children:
    """Parse the digests that a manifest names; `NO_CHILDREN` where its bytes cannot be parsed.

    A manifest has no children only if its media type is that of an image and its bytes do not contradict that.
    `subject` does not count: a signature does not need its image.
    """
    if media_type in IMAGE_TYPES and _is_ordinary(media_type, content):
        return NO_CHILDREN
    body = parse_pairs(content)
    listed = descriptors(body, "manifests") if isinstance(body, JsonPairs) else None
    if not isinstance(body, JsonPairs) or listed is None:
        return NO_CHILDREN
    manifests: dict[Digest, bool] = {}  # whether the child is an index, or may be one
    parts = dict.fromkeys(_parts(body, evident=media_type not in IMAGE_TYPES))
    for digest, kinds in listed:
        if all(map(_is_evident_part, kinds)):
            parts[digest] = None
        else:
            manifests[digest] = manifests.get(digest, False) or not IMAGE_TYPES.issuperset(kinds)
    indexes = tuple(digest for digest, maybe in manifests.items() if maybe)
    found = Children(tuple(manifests), indexes, tuple(digest for digest in parts if digest not in manifests))
    return found if found.needed else NO_CHILDREN


def _parts(body: JsonPairs, *, evident: bool) -> Iterator[Digest]:
    """Yield configuration and layers; `evident` False leaves out the evident ones, which would fill the memory."""
    for key in ("config", "layers", "blobs"):  # `blobs`: the withdrawn artifact manifests
        for digest, kinds in descriptors(body, key) or ():
            if evident or not all(map(_is_evident_part, kinds)):
                yield digest


def is_readable(media_type: str, content: bytes) -> bool:
    """Tell whether the children of a manifest can be parsed; an image has none, so the answer for it is True.

    `manifests` may be null or missing, which is an empty list to the registries' own parser (encoding/json of Go).
    """
    if media_type in IMAGE_TYPES:
        return True
    body = parse_pairs(content)
    return isinstance(body, JsonPairs) and descriptors(body, "manifests") is not None


_TYPE = re.compile(rb'"mediaType"\s*:\s*"([^"\\]*)"')


def _is_ordinary(media_type: str, content: bytes) -> bool:
    """Tell by a search, at a tenth of the cost of parsing, that an image names only layers and a configuration.

    False where the search cannot tell, for instance because an entry has no media type: then the image is parsed.
    """
    if media_type in SCHEMA1_TYPES:
        return True
    kinds = [kind.decode() for kind in _TYPE.findall(content) if kind.isascii()]
    odd = [kind for kind in kinds if not _is_evident_part(kind)]
    clear = odd in ([], [media_type]) and content.count(b'"digest"') == len(kinds) - len(odd)
    return clear and b"manifests" not in content.lower()


_PART_WORDS = ("layer", "tar", "config")
_PARTS = frozenset({"application/vnd.docker.container.image.v1+json", "application/vnd.oci.empty.v1+json"})


@lru_cache(maxsize=256)
def _is_evident_part(kind: str) -> bool:
    if kind in _KNOWN_TYPES:
        return False
    name = kind.lower()
    return name in _PARTS or any(word in name for word in _PART_WORDS)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


@valueclass
class Blob:
    """The configuration or a layer of an image; `size` in bytes."""

    digest: Digest
    size: int


def blobs(media_type: str, content: bytes) -> tuple[Blob, ...]:
    """Parse the blobs that an image names, each once; none for an index and for malformed content."""
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
    """Parse the `subject` of a manifest, which it is attached to (image-spec 1.1); None where it has none."""
    if b'"subject"' not in content:
        return None  # most manifests: they need not be parsed
    named = (_object(content) or {}).get("subject")
    digest = named.get("digest") if isinstance(named, dict) else None
    return Digest(digest) if isinstance(digest, str) and is_digest(digest) else None


@valueclass
class Resolved:
    """The manifest that a reference leads to, without its bytes.

    `size` is in bytes; `children` is None where the manifest was not read; `subject` is the manifest that it is attached
    to; `blobs` are its layers and configuration, filled only where the plan measures the space that can be freed.
    """

    digest: Digest
    media_type: str
    size: int
    children: Children | None = None
    subject: Digest | None = None
    blobs: tuple[Blob, ...] = ()


@valueclass
class Manifest:
    """A manifest whose digest was checked against its bytes. `content` is exactly what the registry sent."""

    digest: Digest
    media_type: str
    content: bytes

    @property
    def resolved(self) -> Resolved:
        """The manifest without its bytes, its children and subject parsed."""
        named = children(self.media_type, self.content)
        return Resolved(self.digest, self.media_type, len(self.content), named, subject(self.content))


def empty_index(mark: str, run: str = "") -> Manifest:
    """Make an index without manifests, which can be pushed without any blob.

    `mark` makes its digest unique; `run` is the run that pushes it, so that another run which finds it under a tag can
    tell who pushed it.
    """
    annotations = {DECOY_ANNOTATION: mark, **({DECOY_RUN: run} if run else {})}
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": annotations}
    content = json.dumps(body, separators=(",", ":")).encode()
    return Manifest(Digest.of(content), OCI_INDEX, content)


def decoy_run(manifest: Manifest) -> str | None:
    """Return the run that pushed a decoy, "" where the decoy does not name one; None: the manifest is not a decoy."""
    body = _object(manifest.content) if manifest.media_type == OCI_INDEX else None
    annotations = body.get("annotations") if body and body.get("manifests") == [] else None
    if not isinstance(annotations, dict) or DECOY_ANNOTATION not in annotations:
        return None
    run = annotations.get(DECOY_RUN)
    return run if isinstance(run, str) and _RUN_NAME.fullmatch(run) else ""


@valueclass
class Absent:
    """The registry answered 404 for the manifest; `no_repository`: it does not have the repository either."""

    no_repository: bool = False


@valueclass
class Unresolved:
    """The request failed, so it is not known whether the manifest exists."""

    failure: Failure


Resolution = Resolved | Absent | Unresolved
