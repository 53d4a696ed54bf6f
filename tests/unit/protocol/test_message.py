"""Requests and answers as values."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES
from bulkrm.model.reference import Repository
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.protocol import message
from bulkrm.protocol.message import Answer, Request

APP = Repository("registry.example", "team/app")
DIGEST = Digest.of(b"{}")


@pytest.mark.parametrize(
    ("request_", "line", "scope", "accept"),
    [
        (message.PING, "GET /v2/", None, None),
        (message.get_manifest(APP, "1.0"), "GET /v2/team/app/manifests/1.0", "pull", "manifests"),
        (message.head_manifest(APP, DIGEST), f"HEAD /v2/team/app/manifests/{DIGEST}", "pull", "manifests"),
        (message.head_blob(APP, DIGEST), f"HEAD /v2/team/app/blobs/{DIGEST}", "pull", None),
        (message.delete_manifest(APP, DIGEST), f"DELETE /v2/team/app/manifests/{DIGEST}", "delete", None),
        (message.list_tags(APP), "GET /v2/team/app/tags/list?n=1000", "pull", "application/json"),
        (message.list_tags(APP, "/v2/x?last=a%2Fb"), "GET /v2/x?last=a%2Fb", "pull", "application/json"),
    ],
)
def test_requests(request_: Request, line: str, scope: str | None, accept: str | None) -> None:
    """Each request has its path, the scope of the specification's table, and its Accept header."""
    assert f"{request_.method} {request_.target}" == line
    assert request_.scope == (Scope.repository("team/app", scope) if scope else None)
    assert request_.accept == (", ".join(MEDIA_TYPES) if accept == "manifests" else accept)


def test_the_catalog() -> None:
    """The list of repositories has a scope of its own."""
    assert message.list_repositories().scope == CATALOG
    assert message.list_repositories().target == "/v2/_catalog?n=1000"
    assert message.list_repositories("/v2/_catalog?last=x").target == "/v2/_catalog?last=x"


def test_every_media_type_is_accepted() -> None:
    """The Accept header has all seven types, so that no registry converts or resolves to a child."""
    assert message.ACCEPT_MANIFESTS.count("application/vnd.") == 7
    assert "*" not in message.ACCEPT_MANIFESTS


def test_the_body_limits() -> None:
    """A manifest may have 4 MiB, a list 32, all else 64 KiB."""
    assert message.get_manifest(APP, "a").max_body == 4 * 2**20
    assert message.list_tags(APP).max_body == message.list_repositories().max_body == 32 * 2**20
    assert message.delete_manifest(APP, DIGEST).max_body == message.PING.max_body == 64 * 2**10


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", None),
        (b"<html>", None),
        (b"\xff", None),
        (b"[" * 200_000, None),
        (b"9" * 5000, None),
    ],
)
def test_json(body: bytes, expected: object) -> None:
    """A body is JSON or nothing, whatever it is."""
    assert Answer(200, body=body).json() == expected


def test_headers_have_no_case() -> None:
    """An answer made without headers has none."""
    assert Answer(200).headers.get("Link") is None
