"""The listings: the tags of a repository, and the catalog of repositories."""

import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import Refused, ServerRequest, ServerResponse, json_answer, method_not_allowed

# distribution v2.8.2 registry/handlers/catalog.go, maximumReturnedEntries
_MAX_CATALOG = 1000
_DEFAULT_CATALOG = 100


def answer_tags(store: Store, settings: SandboxSettings, repository: str, request: ServerRequest) -> ServerResponse:
    """Answer `/v2/<repository>/tags/list`. 2.8.2 ignores `n` and `last` and sorts nothing. Raises Refused."""
    if request.method != "GET":
        return method_not_allowed("GET")
    tags = store.tags(repository)
    if tags is None:
        raise Refused("NAME_UNKNOWN", {"name": repository})
    page, headers = paged(tags, settings, request)
    further = {"manifest": _manifests(store, repository)} if settings.lists_manifests else {}
    return json_answer(HTTPStatus.OK, {"name": repository, "tags": page or None, **further}, headers)


def _manifests(store: Store, repository: str) -> Mapping[str, Mapping[str, object]]:
    # google/go-containerregistry v0.20 pkg/v1/google/list.go, `rawManifestInfo`
    return {
        digest: {
            "tag": sorted(store.tags_on(repository, digest)),
            "mediaType": manifest.media_type,
            "imageSizeBytes": str(len(manifest.content)),
        }
        for digest in sorted(store.digests(repository))
        if (manifest := store.manifest(repository, digest)) is not None
    }


def paged(
    names: Sequence[str], settings: SandboxSettings, request: ServerRequest
) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return the requested page and its `Link` header; without a page size all names, unsorted, and no header."""
    if settings.pages_without_links:
        return _page_without_link(sorted(names), request), {}
    if settings.page_size is None:
        return names, {}
    size = min(_wanted(settings, request), settings.page_size)
    if settings.pages_on_request and not request.parameter("n"):
        size = len(names) + 1
    origin = f"{request.scheme}://{request.headers.get('host', '')}" if settings.absolute_links else ""
    page, more = _page(sorted(names), request.parameter("last"), size)
    return page, _link(origin + request.path, page, size, request.parameter("artifactType")) if more else {}


def _page_without_link(names: Sequence[str], request: ServerRequest) -> Sequence[str]:
    # go-containerregistry v0.22.1 pkg/registry/manifest.go, handleTags: it ignores a `last` that no name follows.
    last, wanted = request.parameter("last"), request.parameter("n")
    rest = names[bisect_right(names, last) :] if last else names
    return (rest or names)[: int(wanted) if wanted else None]


def answer_catalog(store: Store, request: ServerRequest) -> ServerResponse:
    """Answer `/v2/_catalog`. Raises Refused."""
    if request.method != "GET":
        return method_not_allowed("GET")
    size = _number(request.parameter("n")) or _DEFAULT_CATALOG
    if size > _MAX_CATALOG:
        raise Refused("PAGINATION_NUMBER_INVALID", {"n": size})
    names, more = _page(store.repositories(), request.parameter("last"), size)
    return json_answer(HTTPStatus.OK, {"repositories": names}, _link(request.path, names, size) if more else {})


def _wanted(settings: SandboxSettings, request: ServerRequest) -> int:
    text = request.parameter("n")
    if settings.pages_on_request and text and not text.isdecimal():
        # distribution v3.1.1 registry/handlers/tags.go, GetTags
        raise Refused("PAGINATION_NUMBER_INVALID", {"n": 0})
    return _number(text) or sys.maxsize


def _page(names: Sequence[str], last: str | None, size: int) -> tuple[list[str], bool]:
    start = bisect_right(names, last) if last else 0
    page = list(names[start : start + size])
    # A full page has a link even if no page follows, as in 2.8.2's catalog.
    return page, len(page) == size


def _link(path: str, page: Sequence[str], size: int, artifact_type: str | None = None) -> Mapping[str, str]:
    # The link keeps the filter of the referrers API (distribution-spec 1.1, "Listing Referrers").
    kept = {"artifactType": artifact_type} if artifact_type else {}
    return {"Link": f'<{path}?{urlencode({**kept, "last": page[-1], "n": size})}>; rel="next"'}


def _number(text: str | None) -> int:
    """Return a positive number, or 0 for any other text, which 2.8.2 ignores."""
    return int(text) if text and text.isdecimal() else 0
