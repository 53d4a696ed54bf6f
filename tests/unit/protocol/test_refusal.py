"""Refusals: one table of what a registry answers to what the user reads."""

import json
import unicodedata

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.failure import FailureCode, Reach
from bulkrm.model.reference import Repository
from bulkrm.protocol import message
from bulkrm.protocol.message import Answer, Broken, Request
from bulkrm.protocol.refusal import clean, error_entries, is_registry_answer, no_answer, no_permission, refusal
from bulkrm.quirks.quirk import manners_of

APP = Repository("registry.example", "team/app")
DELETE = message.delete_manifest(APP, Digest.of(b""))
GET = message.get_manifest(APP, "1.0")
CATALOG = message.list_repositories()
IMAGE, REPOSITORY, HOST = Reach.IMAGE, Reach.REPOSITORY, Reach.HOST


def errors(*codes: str, text: str = "because") -> bytes:
    """A body as the specification wants it."""
    return json.dumps({"errors": [{"code": code, "message": text, "detail": {}} for code in codes]}).encode()


PLAIN = b"Method not allowed\n"
PAGE = b"<html><body>502 Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("host", "request_", "status", "body", "code", "reach", "word"),
    [
        # distribution 2.8 and 3
        (
            "r",
            DELETE,
            405,
            errors("UNSUPPORTED"),
            FailureCode.DELETION_DISABLED,
            HOST,
            "REGISTRY_STORAGE_DELETE_ENABLED",
        ),
        ("r", DELETE, 405, errors("UNSUPPORTED"), FailureCode.DELETION_DISABLED, HOST, "storage.delete.enabled"),
        ("r", DELETE, 405, PLAIN, FailureCode.READ_ONLY, HOST, "read-only"),
        ("r", DELETE, 405, PAGE, FailureCode.READ_ONLY, HOST, "proxy"),
        ("r", DELETE, 400, errors("DIGEST_INVALID"), FailureCode.REFUSED, IMAGE, "message"),
        ("r", GET, 405, errors("UNSUPPORTED"), FailureCode.REFUSED, IMAGE, "message"),
        ("r", GET, 401, errors("UNAUTHORIZED"), FailureCode.NOT_PERMITTED, REPOSITORY, "registry.example/team/app"),
        ("r", DELETE, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "push is not enough"),
        ("r", DELETE, 403, PAGE, FailureCode.NOT_PERMITTED, REPOSITORY, "docker_auth"),
        ("r", CATALOG, 401, errors("UNAUTHORIZED"), FailureCode.NOT_PERMITTED, REPOSITORY, "registry:catalog:*"),
        ("r", GET, 404, PAGE, FailureCode.NOT_A_REGISTRY, IMAGE, "is r an OCI"),
        ("r", GET, 429, errors("TOOMANYREQUESTS"), FailureCode.RATE_LIMITED, IMAGE, "--rate"),
        ("r", GET, 500, errors("UNKNOWN"), FailureCode.SERVER_ERROR, IMAGE, "log"),
        ("r", DELETE, 503, PAGE, FailureCode.SERVER_ERROR, IMAGE, "log"),
        ("r", DELETE, 303, b"", FailureCode.REDIRECTED, IMAGE, "not followed"),
        ("r", GET, 301, PAGE, FailureCode.REDIRECTED, IMAGE, "host that serves"),
        ("r", GET, 204, b"", FailureCode.UNEXPECTED_ANSWER, IMAGE, "is r an OCI"),
        ("r", DELETE, 409, errors("MANIFEST_INVALID"), FailureCode.REFUSED, IMAGE, "message"),
        # zot: the child of an index
        ("r", DELETE, 405, errors("DENIED"), FailureCode.REFUSED, IMAGE, "message"),
        # Harbor
        ("r", DELETE, 412, errors("PRECONDITION"), FailureCode.REFUSED, IMAGE, "immutability"),
        ("r", DELETE, 412, errors("VIOLATE_FOREIGN_KEY_CONSTRAINT"), FailureCode.REFUSED, IMAGE, "index first"),
        ("r", DELETE, 412, errors("OTHER"), FailureCode.REFUSED, IMAGE, "message"),
        # Google
        ("r", DELETE, 400, errors("GOOGLE_MANIFEST_DANGLING_TAG"), FailureCode.REFUSED, IMAGE, "gcloud"),
        ("r", DELETE, 400, errors("GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"), FailureCode.REFUSED, IMAGE, "index first"),
        # Azure
        ("r", DELETE, 405, errors("REGISTRY_DISALLOWED_OPERATION"), FailureCode.REFUSED, IMAGE, "locked"),
        # GHCR and Docker Hub, by name
        ("ghcr.io", DELETE, 405, errors("UNSUPPORTED"), FailureCode.NOT_SUPPORTED, HOST, "gh api"),
        ("docker.io", DELETE, 403, errors("DENIED"), FailureCode.REFUSED, IMAGE, "delete the tags"),
        ("docker.io", DELETE, 405, errors("UNSUPPORTED"), FailureCode.NOT_SUPPORTED, HOST, "hub.docker.com"),
        ("docker.io", GET, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "pull"),
    ],
)
def test_refusals(  # noqa: PLR0913, PLR0917 (a table)
    host: str, request_: Request, status: int, body: bytes, code: FailureCode, reach: Reach, word: str
) -> None:
    """Each refusal has a code, says how far its cause reaches, and what to do next."""
    failure = refusal(Answer(status, body=body), host, request_, manners_of(host))

    assert (failure.code, failure.reach, failure.status) == (code, reach, status)
    assert word in str(failure.hint)
    assert failure.message.startswith(f"HTTP {status}")


def test_the_message_quotes_the_registry() -> None:
    """Codes and texts of the registry stand in the message, one after the other."""
    failure = refusal(Answer(400, body=errors("A", "B", text="no\nway")), "r", DELETE)

    assert failure.message == "HTTP 400: A no way; B no way"


def test_a_page_is_not_quoted() -> None:
    """A body that is no list of errors is not shown."""
    assert refusal(Answer(502, body=PAGE), "r", GET).message == "HTTP 502"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  two \r\n\t lines\u2028three\u2029four ", "two lines three four"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("bell\x07 nul\x00 del\x7f c1\x9b2J", "bell nul del c1 2J"),
        ("user\u202egpj.exe\u2066x\u200f", "user gpj.exe x"),
        ("zero\u200bwidth\ufeff", "zero width"),
        ("half\ud800", "half"),
        ("a" * 300, "a" * 300),
        ("a" * 301, "a" * 299 + "\u2026"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    """Registry text becomes one short line without control, format and bidirectional characters."""
    assert clean(text) == expected


def test_hostile_text() -> None:
    """A huge message full of escapes makes a short line that is fit for a terminal."""
    text = "\x1b]0;pwned\x07\u202e" * 100_000

    failure = refusal(Answer(400, body=errors(text, text=text)), "r", DELETE)

    assert len(failure.message) < 400
    assert {unicodedata.category(character) for character in failure.message}.isdisjoint({"Cc", "Cf", "Zl", "Zp", "Cs"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        PAGE,
        b"[]",
        b"null",
        b'{"errors": null}',
        b'{"errors": {}}',
        b'{"errors": "no"}',
        b'{"errors": [1, null, "x", [], {}, {"code": 5}, {"message": "m"}]}',
        b"[" * 65_536,
    ],
)
def test_no_entries(body: bytes) -> None:
    """What is no list of coded errors gives none, and a 404 with it is not a registry's."""
    assert error_entries(Answer(404, body=body)) == ()
    assert not is_registry_answer(Answer(404, body=body))


def test_entries() -> None:
    """Of the entries code and message count, and only the first twenty."""
    body = json.dumps({"errors": [{"code": "A\n", "message": 5}, *({"code": str(n)} for n in range(100))]}).encode()

    entries = error_entries(Answer(404, body=body))

    assert (entries[0].code, entries[0].message) == ("A", "")
    assert len(entries) == 20


def test_a_registry_answers() -> None:
    """A 404 is a registry's own with an error code or with its version header."""
    version = CIMultiDictProxy(CIMultiDict({"docker-distribution-api-version": "registry/2.0"}))

    assert is_registry_answer(Answer(404, body=errors("MANIFEST_UNKNOWN")))
    assert is_registry_answer(Answer(404, version))


@pytest.mark.parametrize(
    ("kind", "code", "reach", "word"),
    [
        (message.UNREACHABLE, FailureCode.UNREACHABLE, HOST, "NO_PROXY"),
        (message.CERTIFICATE, FailureCode.CERTIFICATE, HOST, "--ca-file"),
        (message.CERTIFICATE, FailureCode.CERTIFICATE, HOST, "--insecure"),
        (message.NOT_TLS, FailureCode.UNREACHABLE, HOST, "--plain-http"),
        (message.TIMEOUT, FailureCode.TIMEOUT, IMAGE, "--timeout"),
        (message.LOST, FailureCode.CONNECTION_LOST, IMAGE, "run again"),
        (message.TOO_LARGE, FailureCode.UNEXPECTED_ANSWER, IMAGE, "larger"),
    ],
)
def test_no_answer(kind: str, code: FailureCode, reach: Reach, word: str) -> None:
    """No answer has a code for each way it can fail to come, and a hint."""
    failure = no_answer(Broken(kind, "why\x1b"))

    assert (failure.code, failure.reach, failure.status, failure.message) == (code, reach, None, "why")
    assert word in str(failure.hint)


def test_no_permission() -> None:
    """The hint names the repository and the action."""
    assert "delete on registry.example/team/app" in no_permission(APP, "delete")
