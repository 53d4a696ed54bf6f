"""The referrers API of distribution-spec 1.1 ("Listing Referrers"); distribution itself has none."""

import json
from http import HTTPStatus

from bulkrm.model.digest import is_digest
from bulkrm.model.manifests.manifest import OCI_INDEX
from bulkrm.sandbox.registry.listing import paged
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import Refused, ServerRequest, ServerResponse, method_not_allowed

_FILTER = "artifactType"


def answer_referrers(
    store: Store, settings: SandboxSettings, repository: str, digest: str, request: ServerRequest
) -> ServerResponse:
    """Answer `/v2/<repository>/referrers/<digest>`, with an empty index for an unknown digest. Raises Refused."""
    if request.method != "GET":
        return method_not_allowed("GET")
    if not is_digest(digest):
        raise Refused("DIGEST_INVALID")
    found = {
        manifest.digest: describe(manifest.digest, manifest.media_type, manifest.content)
        for manifest in store.referrers(repository, digest)
    }
    wanted = request.parameter(_FILTER)
    named = {name: entry for name, entry in found.items() if not wanted or wanted == entry.get(_FILTER)}
    page, link = paged(list(named), settings, request)
    headers = {"Content-Type": OCI_INDEX, **link, **({"OCI-Filters-Applied": _FILTER} if wanted else {})}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named[name] for name in page]}
    return ServerResponse(HTTPStatus.OK, headers, json.dumps(index).encode())


def describe(digest: str, media_type: str, content: bytes) -> dict[str, object]:
    """Return the descriptor of a manifest in a list of referrers, with its annotations and artifact type."""
    fields = json.loads(content.decode(errors="replace"))
    config = fields.get("config") or {}
    kind = fields.get(_FILTER) or config.get("mediaType")
    annotations = fields.get("annotations")
    return {
        "mediaType": media_type,
        "size": len(content),
        "digest": digest,
        **({_FILTER: kind} if kind else {}),
        **({"annotations": annotations} if annotations else {}),
    }
