"""GET, HEAD, PUT and DELETE of manifests, as in distribution v2.8.2 registry/handlers/manifests.go."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA1_SIGNED,
    OCI_INDEX,
    OCI_MANIFEST,
)
from bulkrm.sandbox.listen import DIGEST_HEADER
from bulkrm.sandbox.registry.store import Store, StoredManifest, as_text, blobs_of, children_of, subject_of
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import Refused, ServerRequest, ServerResponse, coded_answer, method_not_allowed, refusal

_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_OCI_NAMES = {OCI_MANIFEST: ("manifest", "manifests"), OCI_INDEX: ("index", "indexes")}


def answer_manifest(
    store: Store, settings: SandboxSettings, repository: str, reference: str, request: ServerRequest
) -> ServerResponse:
    """Answer `/v2/<repository>/manifests/<reference>`. Raises Refused."""
    match request.method:
        case "GET" | "HEAD":
            return _get(store, settings, repository, reference, request.headers)
        case "PUT" if not settings.read_only:
            return _put(store, settings, repository, reference, request)
        case "DELETE" if not settings.read_only:
            return _delete(store, settings, repository, reference)
        case _:
            writing = () if settings.read_only else ("DELETE", "PUT")
            return method_not_allowed("GET", "HEAD", *writing)


def _get(
    store: Store, settings: SandboxSettings, repository: str, reference: str, headers: Mapping[str, str]
) -> ServerResponse:
    by_tag = ":" not in reference
    digest = store.digest_of(repository, reference) if by_tag else reference
    if digest is None:
        raise Refused("MANIFEST_UNKNOWN", {"Tag": reference})
    if headers.get("if-none-match", "").strip('"') == digest:
        return ServerResponse(HTTPStatus.NOT_MODIFIED)
    held = store.only_tagged(repository, digest) if by_tag else None
    manifest = held or _stored(store, settings, repository, digest)
    accepted = _accepted(headers.get("accept", ""))
    if manifest.media_type in _OCI_NAMES and manifest.media_type not in accepted:
        one, many = _OCI_NAMES[manifest.media_type]
        message = f"OCI {one} found, but accept header does not support OCI {many}"
        return refusal("MANIFEST_UNKNOWN", message=message)
    # Only the manifest of a tag is converted; a digest is answered with the manifest that it names.
    if by_tag and manifest.media_type == DOCKER_LIST and DOCKER_LIST not in accepted:
        manifest = _stored(store, settings, repository, _amd64(manifest))
    if by_tag and manifest.media_type == DOCKER_MANIFEST and DOCKER_MANIFEST not in accepted:
        manifest = _as_schema1(store, repository, reference, manifest)
    found = {"Content-Type": manifest.media_type, "Etag": f'"{manifest.digest}"'}
    if settings.digest_header:
        found[DIGEST_HEADER] = manifest.digest
    return ServerResponse(HTTPStatus.OK, found, manifest.content)


def _put(
    store: Store, settings: SandboxSettings, repository: str, reference: str, request: ServerRequest
) -> ServerResponse:
    held = store.digest_of(repository, reference)
    if settings.immutable_tags and held is not None and held != str(Digest.of(request.body)):
        return _immutable(repository, reference)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    digest = store.put_manifest(repository, reference, request.body, media_type, checks_parts=settings.checks_parts)
    location = f"{request.scheme}://{request.headers.get('host', '')}/v2/{repository}/manifests/{digest}"
    headers = {DIGEST_HEADER: digest, "Location": location}
    subject = subject_of(json.loads(as_text(request.body))) if settings.referrers else None
    if subject is not None:
        # Tells the client not to push a fallback tag (distribution-spec 1.1, "Pushing Manifests with Subject").
        headers["OCI-Subject"] = subject
    return ServerResponse(HTTPStatus.CREATED, headers)


def _immutable(repository: str, tag: str) -> ServerResponse:
    # goharbor/harbor src/server/middleware/immutable; the first component is the project there.
    name = f"{repository.partition('/')[2] or repository}:{tag}"
    message = f"Failed to process request due to '{name}' configured as immutable."
    return coded_answer(HTTPStatus.PRECONDITION_FAILED, "PRECONDITION", message)


def _delete(store: Store, settings: SandboxSettings, repository: str, reference: str) -> ServerResponse:
    # Before any lookup, as in 2.8.2: an unknown digest is 405 as well.
    if not settings.delete_enabled:
        raise Refused("UNSUPPORTED")
    if _TAG.fullmatch(reference) and settings.tag_deletes:
        return _delete_tag(store, settings, repository, reference)
    try:
        digest = str(Digest(reference))
    except InputError:
        raise Refused("DIGEST_INVALID") from None
    return _delete_digest(store, settings, repository, digest)


def _delete_tag(store: Store, settings: SandboxSettings, repository: str, tag: str) -> ServerResponse:
    digest = store.digest_of(repository, tag)
    if digest is None:
        raise Refused("MANIFEST_UNKNOWN")
    if settings.tag_delete_takes_all:
        return _delete_digest(store, settings, repository, digest)
    store.delete_tag(repository, tag)
    if settings.drops_untagged and not store.tags_on(repository, digest):
        _drop(store, repository, digest)
    return ServerResponse(HTTPStatus.ACCEPTED)


def _drop(store: Store, repository: str, digest: str) -> None:
    """Delete a manifest together with its blobs."""
    manifest = store.manifest(repository, digest)
    store.delete_manifest(repository, digest)
    for blob in blobs_of(json.loads(manifest.content)) if manifest else ():
        store.delete_blob(repository, blob)


def _still_used(store: Store, repository: str, digest: str) -> ServerResponse | None:
    # Codes and texts as quoted in GoogleCloudPlatform/gcr-cleaner#118 and genuinetools/reg#136.
    tags = sorted(store.tags_on(repository, digest))
    if tags:
        message = f"Manifest is still referenced by tag: {tags[0]}"
        return coded_answer(HTTPStatus.BAD_REQUEST, "GOOGLE_MANIFEST_DANGLING_TAG", message)
    if store.is_child(repository, digest):
        message = "Manifest is still referenced by one or more parent images."
        return coded_answer(HTTPStatus.BAD_REQUEST, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", message)
    return None


def _delete_digest(store: Store, settings: SandboxSettings, repository: str, digest: str) -> ServerResponse:
    if not settings.deletes_digests:
        raise Refused("UNSUPPORTED")
    if settings.untagged_first and (refused := _still_used(store, repository, digest)):
        return refused
    if settings.drops_untagged:
        there = store.manifest(repository, digest) is not None
        _drop(store, repository, digest)
        return ServerResponse(HTTPStatus.ACCEPTED) if there else refusal("MANIFEST_UNKNOWN")
    if settings.keeps_children and store.is_child(repository, digest):
        # project-zot/zot pkg/api/routes.go, DeleteManifest: ErrManifestReferenced
        message = "requested access to the resource is denied"
        return coded_answer(HTTPStatus.METHOD_NOT_ALLOWED, "DENIED", message, {"reference": digest})
    gone = store.delete_manifest(repository, digest, keeps_tags=settings.tags_survive_digest_delete)
    if not gone and settings.blobs_as_manifests:
        # 2.8.2 looks for a blob under the digest too and unlinks it (distribution issue 2370).
        gone = store.delete_blob(repository, digest)
    if not gone:
        raise Refused("MANIFEST_UNKNOWN")
    return ServerResponse(HTTPStatus.ACCEPTED)


def _stored(store: Store, settings: SandboxSettings, repository: str, digest: str) -> StoredManifest:
    manifest = store.manifest(repository, digest)
    if manifest is not None:
        return manifest
    # The same links as in `_delete_digest`: 2.8.2 finds the blob under the digest, and fails to read it as a manifest.
    if settings.blobs_as_manifests and store.blob(repository, digest) is not None:
        raise Refused("UNKNOWN", {})
    raise Refused("MANIFEST_UNKNOWN", {"Name": repository, "Revision": digest})


def _accepted(header: str) -> frozenset[str]:
    return frozenset(entry.partition(";")[0].strip() for entry in header.split(","))


def _amd64(manifest: StoredManifest) -> str:
    for digest, platform in children_of(json.loads(as_text(manifest.content))):
        if (platform.get("architecture"), platform.get("os")) == ("amd64", "linux"):
            return digest
    raise Refused("MANIFEST_UNKNOWN")


def _as_schema1(store: Store, repository: str, tag: str, manifest: StoredManifest) -> StoredManifest:
    """Convert a manifest to schema 1. The registry does not store the result, nor its digest."""
    config, *layers = blobs_of(json.loads(as_text(manifest.content)))
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
