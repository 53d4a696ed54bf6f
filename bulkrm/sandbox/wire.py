"""The messages of the server side: a request, an answer, and the coded errors of the registry protocol."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from http import HTTPStatus
from urllib.parse import parse_qsl

from bulkrm.model.valueclass import valueclass

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


@valueclass
class ServerRequest:
    """A request. `path` is decoded, `query` is not; `headers` have lower-case names, repeated ones are joined."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"

    @property
    def target(self) -> str:
        """`path`, or `path?query`."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter; None: the query does not have it."""
        return next(iter(self.parameters(name)), None)

    def parameters(self, name: str) -> list[str]:
        """Return all values of a query parameter."""
        return [value for key, value in parse_qsl(self.query, keep_blank_values=True) if key == name]


@valueclass
class ServerResponse:
    """An answer. An answer to HEAD has its body here too; the server sends only its length."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Refused(Exception):  # noqa: N818 (it reads as what happened)
    """The registry refuses a request, with one coded error for each detail; without details, with one error."""

    def __init__(self, code: str, *details: object) -> None:
        """`code`: one of the specification (distribution-spec, "Error Codes"); `details`: `detail` of each error."""
        super().__init__(code)
        self.code = code
        self.details: Sequence[object] = details


# Codes, statuses and texts of distribution v2.8.2: registry/api/v2/errors.go and registry/api/errcode/register.go.
_CODES: Mapping[str, tuple[HTTPStatus, str]] = {
    "UNKNOWN": (HTTPStatus.INTERNAL_SERVER_ERROR, "unknown error"),
    "UNSUPPORTED": (HTTPStatus.METHOD_NOT_ALLOWED, "The operation is unsupported."),
    "UNAUTHORIZED": (HTTPStatus.UNAUTHORIZED, "authentication required"),
    "DENIED": (HTTPStatus.FORBIDDEN, "requested access to the resource is denied"),
    "TOOMANYREQUESTS": (HTTPStatus.TOO_MANY_REQUESTS, "too many requests"),
    "NAME_UNKNOWN": (HTTPStatus.NOT_FOUND, "repository name not known to registry"),
    "MANIFEST_UNKNOWN": (HTTPStatus.NOT_FOUND, "manifest unknown"),
    "MANIFEST_INVALID": (HTTPStatus.BAD_REQUEST, "manifest invalid"),
    "MANIFEST_BLOB_UNKNOWN": (HTTPStatus.BAD_REQUEST, "blob unknown to registry"),
    "BLOB_UNKNOWN": (HTTPStatus.NOT_FOUND, "blob unknown to registry"),
    "BLOB_UPLOAD_UNKNOWN": (HTTPStatus.NOT_FOUND, "blob upload unknown to registry"),
    "DIGEST_INVALID": (HTTPStatus.BAD_REQUEST, "provided digest did not match uploaded content"),
    "PAGINATION_NUMBER_INVALID": (HTTPStatus.BAD_REQUEST, "invalid number of results requested"),
}


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> ServerResponse:
    """Return an answer with JSON and a newline, as Go's encoder writes it."""
    body = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    return ServerResponse(status, {"Content-Type": JSON, **(headers or {})}, body)


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> ServerResponse:
    """Return an answer with a line of plain text."""
    return ServerResponse(status, {"Content-Type": TEXT, **(headers or {})}, text.encode() + b"\n")


def refusal(
    code: str, *details: object, message: str | None = None, headers: Mapping[str, str] | None = None
) -> ServerResponse:
    """Return an answer with the protocol's error body: one error for each detail, with distribution's status of the code."""
    status, standard = _CODES[code]
    return coded_answer(status, code, message or standard, *details, headers=headers)


def coded_answer(
    status: int, code: str, message: str, *details: object, headers: Mapping[str, str] | None = None
) -> ServerResponse:
    """Return an answer with the protocol's error body and any status, as registries other than distribution send."""
    error: dict[str, object] = {"code": code, "message": message}
    errors = [{**error, "detail": detail} for detail in details] or [error]
    return json_answer(status, {"errors": errors}, headers)


def not_found() -> ServerResponse:
    """Return the answer of Go's router where no route matches: plain text, before any authentication."""
    return text_answer(HTTPStatus.NOT_FOUND, "404 page not found")


def method_not_allowed(*allowed: str) -> ServerResponse:
    """Return the answer of Go's `handlers.MethodHandler`: plain text with `Allow`."""
    return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", {"Allow": ", ".join(sorted(allowed))})
