"""GET, HEAD, PUT and DELETE of manifests, as in distribution v2.8.2 registry/handlers/manifests.go."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA1_SIGNED,
    OCI_INDEX,
    OCI_MANIFEST,
)
from bulkrm.sandbox.listen import DIGEST_HEADER
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.store import Store, StoredManifest, blobs_of, children_of
from bulkrm.sandbox.wire import Answer, Asked, Refused, method_not_allowed, refusal

_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_OCI_NAMES = {OCI_MANIFEST: ("manifest", "manifests"), OCI_INDEX: ("index", "indexes")}


def answer_manifest(store: Store, settings: SandboxSettings, repository: str, reference: str, asked: Asked) -> Answer:
    """Answer `/v2/<repository>/manifests/<reference>`. Raises Refused."""
    match asked.method:
        case "GET" | "HEAD":
            return _get(store, settings, repository, reference, asked.headers)
        case "PUT" if not settings.read_only:
            return _put(store, repository, reference, asked)
        case "DELETE" if not settings.read_only:
            return _delete(store, settings, repository, reference)
        case _:
            writing = () if settings.read_only else ("DELETE", "PUT")
            return method_not_allowed("GET", "HEAD", *writing)


def _get(
    store: Store, settings: SandboxSettings, repository: str, reference: str, headers: Mapping[str, str]
) -> Answer:
    by_tag = ":" not in reference
    digest = store.digest_of(repository, reference) if by_tag else reference
    if digest is None:
        raise Refused("MANIFEST_UNKNOWN", {"Tag": reference})
    if headers.get("if-none-match", "").strip('"') == digest:
        return Answer(HTTPStatus.NOT_MODIFIED)
    manifest = _stored(store, repository, digest)
    accepted = _accepted(headers.get("accept", ""))
    if manifest.media_type in _OCI_NAMES and manifest.media_type not in accepted:
        one, many = _OCI_NAMES[manifest.media_type]
        message = f"OCI {one} found, but accept header does not support OCI {many}"
        return refusal("MANIFEST_UNKNOWN", message=message)
    # Only a tag is converted; under a digest the client gets what it named.
    if by_tag and manifest.media_type == DOCKER_LIST and DOCKER_LIST not in accepted:
        manifest = _stored(store, repository, _amd64(manifest))
    if by_tag and manifest.media_type == DOCKER_MANIFEST and DOCKER_MANIFEST not in accepted:
        manifest = _as_schema1(store, repository, reference, manifest)
    found = {"Content-Type": manifest.media_type, "Etag": f'"{manifest.digest}"'}
    if settings.digest_header:
        found[DIGEST_HEADER] = manifest.digest
    return Answer(HTTPStatus.OK, found, manifest.content)


def _put(store: Store, repository: str, reference: str, asked: Asked) -> Answer:
    media_type = asked.headers.get("content-type", "").partition(";")[0].strip()
    digest = store.put_manifest(repository, reference, asked.body, media_type)
    location = f"{asked.scheme}://{asked.headers.get('host', '')}/v2/{repository}/manifests/{digest}"
    return Answer(HTTPStatus.CREATED, {DIGEST_HEADER: digest, "Location": location})


def _delete(store: Store, settings: SandboxSettings, repository: str, reference: str) -> Answer:
    # Before any lookup: an unknown digest answers 405 as well, which makes it a safe probe.
    if not settings.delete_enabled:
        raise Refused("UNSUPPORTED")
    if _TAG.fullmatch(reference) and settings.tag_deletes:
        if not store.delete_tag(repository, reference):
            raise Refused("MANIFEST_UNKNOWN")
        return Answer(HTTPStatus.ACCEPTED)
    try:
        digest = str(Digest(reference))
    except InputError:
        raise Refused("DIGEST_INVALID") from None
    # 2.8.2 looks for a blob under the digest too and unlinks it (distribution issue 2370).
    if store.delete_manifest(repository, digest) or store.delete_blob(repository, digest):
        return Answer(HTTPStatus.ACCEPTED)
    raise Refused("MANIFEST_UNKNOWN")


def _stored(store: Store, repository: str, digest: str) -> StoredManifest:
    manifest = store.manifest(repository, digest)
    if manifest is not None:
        return manifest
    # The same links as in `_delete`: what is there is no manifest, and 2.8.2 fails to read it.
    if store.blob(repository, digest) is not None:
        raise Refused("UNKNOWN", {})
    raise Refused("MANIFEST_UNKNOWN", {"Name": repository, "Revision": digest})


def _accepted(header: str) -> frozenset[str]:
    return frozenset(entry.partition(";")[0].strip() for entry in header.split(","))


def _amd64(manifest: StoredManifest) -> str:
    for digest, platform in children_of(json.loads(manifest.content)):
        if (platform.get("architecture"), platform.get("os")) == ("amd64", "linux"):
            return digest
    raise Refused("MANIFEST_UNKNOWN")


def _as_schema1(store: Store, repository: str, tag: str, manifest: StoredManifest) -> StoredManifest:
    """Convert to a schema 1 manifest, whose digest is stored nowhere."""
    config, *layers = blobs_of(json.loads(manifest.content))
    if store.blob(repository, config) is None:
        raise Refused("MANIFEST_INVALID", {})
    fields = {
        "schemaVersion": 1,
        "name": repository,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer} for layer in reversed(layers)],
        "history": [{"v1Compatibility": json.dumps({"id": config.partition(":")[2]})} for _ in layers],
    }
    content = json.dumps(fields, indent=3).encode()
    return StoredManifest(str(Digest.of(content)), DOCKER_SCHEMA1_SIGNED, content)
