"""Blobs and their uploads, as far as `docker push`, skopeo and crane use them (distribution v2.8.2)."""

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.sandbox.listen import DIGEST_HEADER
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import Refused, ServerRequest, ServerResponse, method_not_allowed

_OCTETS = "application/octet-stream"


# Returns the URL of a blob in a separate store; the URL needs no token.
Elsewhere = Callable[[str, str], str]


def answer_blob(
    store: Store,
    settings: SandboxSettings,
    repository: str,
    digest: str,
    request: ServerRequest,
    elsewhere: Elsewhere | None = None,
) -> ServerResponse:
    """Answer `/v2/<repository>/blobs/<digest>`. `elsewhere`: GET is redirected to its URL. Raises Refused."""
    try:
        Digest(digest)
    except InputError:
        raise Refused("DIGEST_INVALID", {}) from None
    if request.method in ("GET", "HEAD"):
        content = store.blob(repository, digest)
        if content is None:
            raise Refused("BLOB_UNKNOWN", digest)
        if request.method == "GET" and elsewhere is not None:
            return ServerResponse(HTTPStatus.TEMPORARY_REDIRECT, {"Location": elsewhere(repository, digest)})
        return ServerResponse(
            HTTPStatus.OK, {"Content-Type": _OCTETS, DIGEST_HEADER: digest, "Etag": f'"{digest}"'}, content
        )
    if request.method != "DELETE" or settings.read_only:
        return method_not_allowed("GET", "HEAD", *(() if settings.read_only else ("DELETE",)))
    if not settings.delete_enabled:
        raise Refused("UNSUPPORTED")
    if not store.delete_blob(repository, digest):
        raise Refused("BLOB_UNKNOWN")
    return ServerResponse(HTTPStatus.ACCEPTED)


class Uploads:
    """Uploads in progress."""

    def __init__(self, store: Store) -> None:
        """`store`: where finished uploads are put."""
        self._store = store
        self._parts: dict[tuple[str, str], bytearray] = {}

    def answer(self, settings: SandboxSettings, repository: str, upload: str, request: ServerRequest) -> ServerResponse:
        """Answer `/v2/<repository>/blobs/uploads/<upload>`; an empty `upload` starts one. Raises Refused."""
        if settings.read_only:
            return method_not_allowed(*(("GET", "HEAD") if upload else ()))
        if not upload:
            return self._start(repository, request) if request.method == "POST" else method_not_allowed("POST")
        if (repository, upload) not in self._parts:
            raise Refused("BLOB_UPLOAD_UNKNOWN", {})
        return self._continue(repository, upload, request)

    def _continue(self, repository: str, upload: str, request: ServerRequest) -> ServerResponse:
        match request.method:
            case "PATCH":
                self._parts[repository, upload].extend(request.body)
                return ServerResponse(HTTPStatus.ACCEPTED, self._progress(repository, upload, request))
            case "PUT":
                return self._finish(repository, upload, request)
            case "DELETE":
                del self._parts[repository, upload]
                return ServerResponse(HTTPStatus.NO_CONTENT)
            case "GET" | "HEAD":
                return ServerResponse(HTTPStatus.NO_CONTENT, self._progress(repository, upload, request))
            case _:
                return method_not_allowed("DELETE", "GET", "HEAD", "PATCH", "PUT")

    def _start(self, repository: str, request: ServerRequest) -> ServerResponse:
        mount, source = request.parameter("mount"), request.parameter("from")
        if mount and source and self._store.mount_blob(repository, mount, source):
            return _created(repository, mount, request)
        upload = str(uuid.uuid4())
        self._parts[repository, upload] = bytearray()
        return ServerResponse(HTTPStatus.ACCEPTED, self._progress(repository, upload, request))

    def _finish(self, repository: str, upload: str, request: ServerRequest) -> ServerResponse:
        content = bytes(self._parts[repository, upload]) + request.body
        digest = request.parameter("digest") or ""
        if digest != str(Digest.of(content)):
            raise Refused("DIGEST_INVALID", {"Digest": digest, "Reason": {}})
        del self._parts[repository, upload]
        self._store.put_blob(repository, content)
        return _created(repository, digest, request)

    def _progress(self, repository: str, upload: str, request: ServerRequest) -> Mapping[str, str]:
        received = len(self._parts[repository, upload])
        return {
            # A query, as the real one has (`_state`): a client must append `digest` with `&`.
            "Location": f"{_origin(request)}/v2/{repository}/blobs/uploads/{upload}?_state=sandbox",
            "Range": f"0-{max(received - 1, 0)}",
            "Docker-Upload-Uuid": upload,
        }


def _created(repository: str, digest: str, request: ServerRequest) -> ServerResponse:
    location = f"{_origin(request)}/v2/{repository}/blobs/{digest}"
    return ServerResponse(HTTPStatus.CREATED, {DIGEST_HEADER: digest, "Location": location})


def _origin(request: ServerRequest) -> str:
    return f"{request.scheme}://{request.headers.get('host', '')}"
