"""Sample images, each built from a seed: the same seed gives the same bytes, another seed other digests."""

import functools
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.registry.referrers import describe
from bulkrm.sandbox.registry.store import Store

_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
# The type of the placeholder for the configuration and layers of an artifact (image-spec manifest.md).
_OCI_EMPTY = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
_PLATFORMS = ("amd64", "arm64", "s390x", "ppc64le")
_CREATED = "2026-01-31T12:00:00Z"


@valueclass
class Image:
    """A manifest, with the blobs and children that a registry must have before it accepts the manifest."""

    media_type: str
    content: bytes
    blobs: tuple[bytes, ...] = ()
    children: tuple["Image", ...] = ()

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return str(Digest.of(self.content))


def docker_image(seed: int, architecture: str = "amd64", *, config_seed: int | None = None) -> Image:
    """Build a Docker v2 schema 2 image with one small layer.

    With `config_seed` images of several seeds share one configuration, so that pushing many takes one request each.
    """
    return _image(seed, architecture, (DOCKER_MANIFEST, _DOCKER_CONFIG, _DOCKER_LAYER), config_seed)


def oci_image(seed: int, architecture: str = "amd64", *, config_seed: int | None = None) -> Image:
    """Build an OCI image with one small layer; `config_seed` as for `docker_image`."""
    return _image(seed, architecture, (OCI_MANIFEST, _OCI_CONFIG, _OCI_LAYER), config_seed)


def built_image(
    config: Mapping[str, object], annotations: Mapping[str, str] | None = None, media_type: str = OCI_MANIFEST
) -> Image:
    """Build an image with this configuration (`created`, `config.Labels`, `os` ...) and annotations of its manifest."""
    layer, _ = _layer()
    content = _json(dict(config))
    docker = media_type == DOCKER_MANIFEST
    fields: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _descriptor(_DOCKER_CONFIG if docker else _OCI_CONFIG, content),
        "layers": [_descriptor(_DOCKER_LAYER if docker else _OCI_LAYER, layer)],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return Image(media_type, _json(fields), (content, layer))


def docker_list(seed: int, platforms: int = 2) -> Image:
    """Build a Docker manifest list over images of that many platforms, amd64 first."""
    return _index(DOCKER_LIST, [docker_image(seed, name) for name in _PLATFORMS[:platforms]], {})


def oci_index(seed: int, platforms: int = 2) -> Image:
    """Build an OCI index over images of that many platforms, amd64 first."""
    return _index(OCI_INDEX, [oci_image(seed, name) for name in _PLATFORMS[:platforms]], {})


def empty_index(seed: int) -> Image:
    """Build an OCI index without manifests. It needs no blob, and 2.8.2 accepts it."""
    return _index(OCI_INDEX, [], {"seed": str(seed)})


def index_of(children: Sequence[Image], media_type: str = OCI_INDEX) -> Image:
    """Build an index or manifest list of these images, with the platforms amd64, arm64, ... in this order."""
    return _index(media_type, children, {})


def artifact(seed: int, subject: Image, artifact_type: str = "application/vnd.example.signature.v1") -> Image:
    """Build an OCI manifest that is attached to `subject`, as signatures and SBOMs are; its only blob is `{}`."""
    empty = _descriptor(_OCI_EMPTY, _EMPTY)
    fields: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": empty,
        "layers": [empty],
        "subject": _descriptor(subject.media_type, subject.content),
        "annotations": {"seed": str(seed)},
    }
    return Image(OCI_MANIFEST, _json(fields), (_EMPTY,))


def fallback_index(referrers: Sequence[Image]) -> Image:
    """Build the index of a subject's referrers, which clients push under its `fallback_tag` where there is no API."""
    entries = [describe(referrer.digest, referrer.media_type, referrer.content) for referrer in referrers]
    fields: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return Image(OCI_INDEX, _json(fields), (), tuple(referrers))


def fallback_tag(subject: Image) -> str:
    """Return the tag of a subject's `fallback_index` (distribution-spec 1.1, "Referrers Tag Schema")."""
    return subject.digest.replace(":", "-")


def put_image(store: Store, repository: str, tags: Iterable[str], image: Image) -> str:
    """Put an image with all its parts into a store, by digest and under the tags; return its digest."""
    for child in image.children:
        put_image(store, repository, (), child)
    for blob in image.blobs:
        store.put_blob(repository, blob)
    digest = store.put_manifest(repository, image.digest, image.content, image.media_type)
    for tag in tags:
        store.tag(repository, tag, digest)
    return digest


def _image(seed: int, architecture: str, media_types: tuple[str, str, str], config_seed: int | None) -> Image:
    manifest_type, config_type, layer_type = media_types
    layer, uncompressed = _layer()
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": _CREATED,
            "config": {"Labels": {"seed": str(seed if config_seed is None else config_seed)}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{uncompressed}"]},
            "history": [{"created": _CREATED, "created_by": "bulkrm"}],
        }
    )
    fields: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": _descriptor(config_type, config),
        "layers": [_descriptor(layer_type, layer)],
    }
    if config_seed is not None:
        fields["annotations"] = {"seed": str(seed)}
    return Image(manifest_type, _json(fields), (config, layer))


def _index(media_type: str, children: Sequence[Image], annotations: dict[str, str]) -> Image:
    entries = [
        {
            **_descriptor(child.media_type, child.content),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for child, architecture in zip(children, _PLATFORMS, strict=False)
    ]
    fields: dict[str, object] = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    if annotations:
        fields["annotations"] = annotations
    return Image(media_type, _json(fields), (), tuple(children))


@functools.cache
def _layer() -> tuple[bytes, str]:
    """Return a small layer, and the SHA-256 of its tar. All images share it, so that pushing many of them is fast."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("hello")
        content = b"bulkrm\n"
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    tar = buffer.getvalue()
    return gzip.compress(tar, mtime=0), hashlib.sha256(tar).hexdigest()


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": str(Digest.of(content))}


def _json(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, indent=2).encode()
