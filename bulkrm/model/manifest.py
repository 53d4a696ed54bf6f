"""What a registry stores under a digest, and what came of asking for it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.result.failure import Failure

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
# What has no children. Of everything else, also of types that are not known, the bytes tell.
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


@dataclass(frozen=True, slots=True)
class Children:
    """The digests that a manifest names, each once, in its order.

    `manifests`: what stands in its list `manifests`, but for evident layers. `indexes`: those of them that are indexes,
    or may be, because their descriptor has none of the types that are known. `parts`: what else it needs, which is no
    manifest by its place or its type: layers, a configuration.
    """

    manifests: tuple[Digest, ...] = ()
    indexes: tuple[Digest, ...] = ()
    parts: tuple[Digest, ...] = ()

    @property
    def needed(self) -> tuple[Digest, ...]:
        """Everything that has to stay with the manifest."""
        return self.manifests + self.parts if self.parts else self.manifests


NO_CHILDREN = Children()


def children(media_type: str, content: bytes) -> Children:
    """Read what a manifest names; nothing for what cannot be read.

    Only what is known to be an image is taken to have no children, and only where its bytes do not say otherwise.
    `subject` is not followed: a signature does not need its image.
    """
    if media_type in IMAGE_TYPES and _is_ordinary(media_type, content):
        return NO_CHILDREN
    body = _parsed(content)
    listed = _descriptors(body, "manifests") if isinstance(body, _JsonPairs) else None
    if not isinstance(body, _JsonPairs) or listed is None:
        return NO_CHILDREN
    manifests: dict[Digest, bool] = {}  # whether it is, or may be, an index
    parts = dict.fromkeys(_parts(body, evident=media_type not in IMAGE_TYPES))
    for digest, kinds in listed:
        if all(map(_is_evident_part, kinds)):
            parts[digest] = None
        else:
            manifests[digest] = manifests.get(digest, False) or not IMAGE_TYPES.issuperset(kinds)
    indexes = tuple(digest for digest, maybe in manifests.items() if maybe)
    found = Children(tuple(manifests), indexes, tuple(digest for digest in parts if digest not in manifests))
    return found if found.needed else NO_CHILDREN


def _parts(body: "_JsonPairs", *, evident: bool) -> Iterator[Digest]:
    """Yield configuration and layers. An image has many, so of it what is evidently one is not kept in memory."""
    for key in ("config", "layers", "blobs"):  # `blobs`: the withdrawn artifact manifests
        for digest, kinds in _descriptors(body, key) or ():
            if evident or not all(map(_is_evident_part, kinds)):
                yield digest


def is_readable(media_type: str, content: bytes) -> bool:
    """Tell whether what a manifest names can be known; an image names no manifests.

    `manifests` may be null or missing, which is an empty list to the registries' own parser (encoding/json of Go).
    """
    if media_type in IMAGE_TYPES:
        return True
    body = _parsed(content)
    return isinstance(body, _JsonPairs) and _descriptors(body, "manifests") is not None


class _JsonPairs(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs: whoever reads it may take another one of two keys, or ignore their case, as Go does."""

    __slots__ = ()

    def all(self, key: str) -> list[Any]:
        """Return the values of all keys that may be taken for this one."""
        return [value for name, value in self if name == key or name.casefold() == key.casefold()]


def _parsed(content: bytes) -> Any:
    """Parse JSON as Go does: bytes that are no UTF-8 stand for the replacement character. None: it is no JSON."""
    try:
        return json.loads(content.decode(errors="replace"), object_pairs_hook=_JsonPairs)
    except (ValueError, RecursionError):
        return None


def _descriptors(body: _JsonPairs, key: str) -> list[tuple[Digest, list[Any]]] | None:
    """Return the digests under a key, each with all media types that may be meant; None: it cannot be understood."""
    found: list[tuple[Digest, list[Any]]] = []
    for value in body.all(key):
        entries = [value] if isinstance(value, _JsonPairs) and key == "config" else value
        if entries is not None and not isinstance(entries, list):
            return None
        for entry in entries or ():
            named = entry.all("digest") if isinstance(entry, _JsonPairs) else []
            if not named or not all(isinstance(name, str) and _may_be_digest(name) for name in named):
                return None
            kinds = [kind if isinstance(kind, str) else "" for kind in entry.all("mediaType")] or [""]
            found += [(Digest(name), kinds) for name in named if is_digest(name)]
    return found


# image-spec descriptor.md: digests of algorithms that nobody registered are well-formed. Nothing that is deleted has one.
_ALGORITHM = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*")
_ENCODED = re.compile(r"[a-zA-Z0-9=_-]+")


def _may_be_digest(text: str) -> bool:
    algorithm, _, encoded = text.partition(":")
    if algorithm in ("sha256", "sha512"):
        return is_digest(text)
    return _ALGORITHM.fullmatch(algorithm) is not None and _ENCODED.fullmatch(encoded) is not None


_TYPE = re.compile(rb'"mediaType"\s*:\s*"([^"\\]*)"')


def _is_ordinary(media_type: str, content: bytes) -> bool:
    """Tell at a glance, which costs a tenth of parsing it, that an image names nothing but layers and a configuration.

    Where it is not that clear, for instance because an entry has no type, it is parsed.
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


def empty_index(mark: str, run: str = "") -> Manifest:
    """Make an index that names nothing, and is unlike any other by its mark: no blob is needed to push it.

    `run`: whose it is, for other runs that meet it under a tag.
    """
    annotations = {DECOY_ANNOTATION: mark, **({DECOY_RUN: run} if run else {})}
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": annotations}
    content = json.dumps(body, separators=(",", ":")).encode()
    return Manifest(Digest.of(content), OCI_INDEX, content)


def decoy_run(manifest: Manifest) -> str | None:
    """Read which run made a decoy, empty where it does not say (or says what is no name); None: it is no decoy."""
    body = _object(manifest.content) if manifest.media_type == OCI_INDEX else None
    annotations = body.get("annotations") if body and body.get("manifests") == [] else None
    if not isinstance(annotations, dict) or DECOY_ANNOTATION not in annotations:
        return None
    run = annotations.get(DECOY_RUN)
    return run if isinstance(run, str) and _RUN_NAME.fullmatch(run) else ""


@dataclass(frozen=True, slots=True)
class Absent:
    """The registry says there is no such thing; `no_repository`: not even the repository."""

    no_repository: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The registry did not tell."""

    failure: Failure


Resolution = Resolved | Absent | Unresolved
