"""Facts about an image in its manifest and configuration: when it was built, its labels, annotations and platform.

Manifests and configurations are read apart (`ManifestFacts`, `Config`), because an index has none of its own and images of
one base may share one. `details` puts them together. Sources: image-spec config.md and annotations.md, and for schema 1
distribution docs/spec/manifest-v2-1.md.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.manifests.manifest import INDEX_TYPES, SCHEMA1_TYPES, Manifest
from bulkrm.model.valueclass import valueclass

CREATED_ANNOTATION = "org.opencontainers.image.created"
MAX_DEPTH = 8  # of indexes in indexes
# Reproducible builds write 1970 (Bazel, Nix) or 1980-01-01T00:00:01Z (buildpacks), which is not when they were built.
FIRST_YEAR = 1981
_EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
_ATTESTATION = "vnd.docker.reference.type"  # BuildKit docs/attestations/attestation-storage.md
# RFC 3339, which image-spec config.md asks for. Go writes nanoseconds.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


@valueclass
class Config:
    """The fields of an image's configuration that conditions use.

    `created` is the unparsed text; `platform` is os/architecture[/variant].
    """

    created: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None


@valueclass
class ManifestFacts:
    """The fields of a manifest that conditions use.

    `config`: the digest of its configuration blob, if it names one; `embedded_config`: the configuration that a schema 1
    manifest contains. `images`: the children of an index without its attestations; None: the manifest is not an index.
    """

    annotations: Mapping[str, str] = field(default_factory=dict)
    config: Digest | None = None
    embedded_config: Config | None = None
    images: tuple[Digest, ...] | None = None


@valueclass
class Missing:
    """The registry answered 404 for a manifest or blob."""


@valueclass
class Unread:
    """A manifest or blob could not be read; `why` is one line."""

    why: str


@valueclass
class Details:
    """All facts about one manifest that conditions use. Each of them may be unknown.

    `created`: when the image was built; None where no usable date is found. `configs`: the configuration of the image, of
    an index that of each of its images; None stands for an image without one. `unread`: why a part of it could not be
    read. `pushed`: when it was pushed, where a backend knows. `config_digests`: Docker's image IDs.
    """

    created: datetime | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    configs: tuple[Config | None, ...] = ()
    is_index: bool = False
    unread: str | None = None
    pushed: datetime | None = None
    config_digests: tuple[Digest, ...] = ()


GetManifest = Callable[[Digest], ManifestFacts | Missing | Unread]
GetConfig = Callable[[Digest], Config | Missing | Unread]


def describe(manifest: Manifest) -> ManifestFacts:
    """Read the fields of a manifest that conditions use; a malformed field counts as missing."""
    body = _object(manifest.content)
    if manifest.media_type in SCHEMA1_TYPES:
        return ManifestFacts(embedded_config=_schema1_config(body))
    annotations = _texts(body.get("annotations"))
    if manifest.media_type in INDEX_TYPES:
        listed = body.get("manifests")
        children = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        named = [entry.get("digest") for entry in children if not _is_attestation(entry)]
        images = tuple(dict.fromkeys(Digest(name) for name in named if isinstance(name, str) and is_digest(name)))
        return ManifestFacts(annotations, images=images)
    config = body.get("config")
    digest = config.get("digest") if isinstance(config, dict) else None
    if not isinstance(config, dict) or config.get("mediaType") == _EMPTY_CONFIG:
        return ManifestFacts(annotations)
    return ManifestFacts(annotations, Digest(digest) if isinstance(digest, str) and is_digest(digest) else None)


def read_config(content: bytes) -> Config:
    """Read a configuration blob; a blob of any other kind gives an empty Config."""
    return _config(_object(content))


def details(digest: Digest, manifest: GetManifest, config: GetConfig, depth: int = 0) -> Details:
    """Combine the facts of a manifest, its configuration and, if it is an index, its images.

    `manifest` and `config` return what was read of a digest, `Missing` also for a digest that was never requested. An
    index is as new as its own annotation or the newest of its images.
    """
    described = manifest(digest)
    if isinstance(described, Missing):
        return Details()
    if isinstance(described, Unread):
        return Details(unread=described.why)
    if described.images is not None:
        return _of_index(described, manifest, config, depth)
    found = described.embedded_config
    unread = None
    if described.config is not None:
        match config(described.config):
            case Unread(why):
                unread = why
            case Config() as read:
                found = read
            case Missing():
                pass
    moments = [found.created if found else None, described.annotations.get(CREATED_ANNOTATION)]
    created = next((moment for text in moments if (moment := parse_moment(text)) is not None), None)
    ids = (described.config,) if described.config else ()
    return Details(created, described.annotations, (found,), unread=unread, config_digests=ids)


def _of_index(described: ManifestFacts, manifest: GetManifest, config: GetConfig, depth: int) -> Details:
    images = described.images or ()
    if depth >= MAX_DEPTH:
        return Details(annotations=described.annotations, is_index=True, unread="its indexes are nested too deeply")
    whole = all(isinstance(manifest(image), ManifestFacts) for image in images)
    below = [details(image, manifest, config, depth + 1) for image in images]
    moments = [parse_moment(described.annotations.get(CREATED_ANNOTATION)), *(image.created for image in below)]
    known = [moment for moment in moments if moment is not None]
    # A child that cannot be read may be newer than all others.
    created = max(known) if known and whole else None
    configs = tuple(found for image in below for found in image.configs)
    if not whole:
        configs = (*configs, None)
    reasons = (
        image.unread
        for name, image in zip(images, below, strict=True)
        if image.unread and isinstance(manifest(name), ManifestFacts)
    )
    ids = tuple(found for image in below for found in image.config_digests)
    return Details(created, described.annotations, configs, True, next(reasons, None), config_digests=ids)  # noqa: FBT003


def parse_moment(text: str | None) -> datetime | None:
    """Parse an RFC 3339 time into UTC. None: there is no text, it is malformed, or the year is before `FIRST_YEAR`."""
    if text is None or _MOMENT.fullmatch(text.strip()) is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= FIRST_YEAR else None


def _config(body: Mapping[str, Any]) -> Config:
    created, os, architecture, variant = (body.get(key) for key in ("created", "os", "architecture", "variant"))
    parts = [part for part in (os, architecture, variant) if isinstance(part, str) and part]
    platform = (
        "/".join(parts) if isinstance(os, str) and isinstance(architecture, str) and os and architecture else None
    )
    inner = body.get("config")
    labels = _texts(inner.get("Labels")) if isinstance(inner, dict) else {}
    return Config(created if isinstance(created, str) else None, labels, platform)


def _schema1_config(body: Mapping[str, Any]) -> Config | None:
    """Read the newest entry of a schema 1 history, which is the configuration of its image."""
    history = body.get("history")
    first = history[0] if isinstance(history, list) and history else None
    text = first.get("v1Compatibility") if isinstance(first, dict) else None
    return _config(_object(text.encode(errors="replace"))) if isinstance(text, str) else None


def _is_attestation(entry: Mapping[str, Any]) -> bool:
    """Tell BuildKit's attestations from images: their platform is unknown/unknown."""
    platform = entry.get("platform")
    if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("unknown", "unknown"):
        return True
    return _ATTESTATION in _texts(entry.get("annotations"))


def _texts(value: Any) -> Mapping[str, str]:
    """Return the entries of a JSON object whose values are strings; read-only, because plugins get it too."""
    texts = {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    return MappingProxyType(texts)


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
