"""Refusals: one table of what a registry answers to what the user reads."""

import html
import json
import unicodedata
from urllib.parse import quote

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.families.family import traits_of
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.protocol import message
from bulkrm.protocol.explanation import clean, error_entries, is_registry_answer, masked
from bulkrm.protocol.message import Answer, NoAnswer, Request
from bulkrm.protocol.refusal import no_answer, refusal

APP = Repository("registry.example", "team/app")
DELETE = message.delete_manifest(APP, Digest.of(b""))
DELETE_TAG = message.delete_manifest(APP, "1.0")
PUT = message.put_manifest(APP, "1.0", Manifest(Digest.of(b"{}"), OCI_MANIFEST, b"{}"))
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
        ("r", DELETE, 400, errors("UNSUPPORTED"), FailureCode.DELETION_DISABLED, HOST, "storage.delete.enabled"),
        ("r", DELETE_TAG, 400, errors("UNSUPPORTED"), FailureCode.REFUSED, IMAGE, "message"),
        # Gitea
        ("r", PUT, 404, errors("BLOB_UNKNOWN"), FailureCode.BLOBS_MISSING, IMAGE, "push the image again"),
        ("r", PUT, 404, errors("MANIFEST_BLOB_UNKNOWN"), FailureCode.BLOBS_MISSING, IMAGE, "push the image again"),
        ("r", PUT, 404, errors("NAME_UNKNOWN"), FailureCode.BLOBS_MISSING, IMAGE, "push the image again"),
        ("r", PUT, 400, errors("BLOB_UNKNOWN"), FailureCode.BLOBS_MISSING, IMAGE, "push the image again"),
        ("r", PUT, 404, errors("NAME_UNKNOWN", "DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "push"),
        ("r", PUT, 404, PAGE, FailureCode.NOT_A_REGISTRY, IMAGE, "is r an OCI"),
        ("r", GET, 404, errors("BLOB_UNKNOWN"), FailureCode.NOT_A_REGISTRY, IMAGE, "is r an OCI"),
        ("r", GET, 405, errors("UNSUPPORTED"), FailureCode.REFUSED, IMAGE, "message"),
        ("r", GET, 401, errors("UNAUTHORIZED"), FailureCode.NOT_PERMITTED, REPOSITORY, "registry.example/team/app"),
        ("r", DELETE, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "push is not enough"),
        ("r", DELETE, 403, PAGE, FailureCode.NOT_PERMITTED, REPOSITORY, "login page answers in the registry's place"),
        ("r", DELETE, 403, PAGE, FailureCode.NOT_PERMITTED, REPOSITORY, "delete on registry.example/team/app"),
        ("r", GET, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "needs pull on"),
        ("r", PUT, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "needs push on registry.example/team"),
        ("r", PUT, 400, errors("MANIFEST_BLOB_UNKNOWN"), FailureCode.BLOBS_MISSING, IMAGE, "push the image again"),
        ("r", PUT, 405, PLAIN, FailureCode.READ_ONLY, HOST, "read-only"),
        ("r", PUT, 409, errors("TAG_EXISTS"), FailureCode.REFUSED, IMAGE, "message"),
        ("r", GET, 407, PAGE, FailureCode.UNREACHABLE, HOST, "the proxy wants a user and password"),
        ("r", GET, 408, b"", FailureCode.TIMEOUT, IMAGE, "--timeout"),
        ("r", CATALOG, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "registry:catalog:*"),
        ("r", CATALOG, 404, PAGE, FailureCode.NOT_A_REGISTRY, IMAGE, "is r an OCI"),
        ("r", CATALOG, 500, PAGE, FailureCode.SERVER_ERROR, IMAGE, "log"),
        ("r", CATALOG, 401, errors("UNAUTHORIZED"), FailureCode.NOT_PERMITTED, REPOSITORY, "registry:catalog:*"),
        ("r", GET, 404, PAGE, FailureCode.NOT_A_REGISTRY, IMAGE, "is r an OCI"),
        ("r", GET, 429, errors("TOOMANYREQUESTS"), FailureCode.RATE_LIMITED, IMAGE, "--rate"),
        ("r", GET, 500, errors("UNKNOWN"), FailureCode.SERVER_ERROR, IMAGE, "log"),
        ("r", DELETE, 503, PAGE, FailureCode.SERVER_ERROR, IMAGE, "log"),
        ("r", DELETE, 303, b"", FailureCode.REDIRECTED, IMAGE, "not followed"),
        ("r", GET, 301, PAGE, FailureCode.REDIRECTED, IMAGE, "host that serves"),
        ("r", GET, 204, b"", FailureCode.UNEXPECTED_ANSWER, IMAGE, "is r an OCI"),
        ("r", DELETE, 409, errors("OTHER"), FailureCode.REFUSED, IMAGE, "message"),
        # zot: the child of an index, and two tags on one digest
        ("r", DELETE, 405, errors("DENIED"), FailureCode.REFUSED, IMAGE, "index first"),
        ("r", DELETE, 409, errors("MANIFEST_INVALID"), FailureCode.REFUSED, IMAGE, "the tags that it knew"),
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
        ("docker.io", DELETE, 403, PAGE, FailureCode.NOT_PERMITTED, REPOSITORY, "firewall"),
        ("docker.io", DELETE, 405, errors("UNSUPPORTED"), FailureCode.NOT_SUPPORTED, HOST, "hub.docker.com"),
        ("docker.io", GET, 403, errors("DENIED"), FailureCode.NOT_PERMITTED, REPOSITORY, "pull"),
    ],
)
def test_refusals(  # noqa: PLR0913, PLR0917 (a table)
    host: str, request_: Request, status: int, body: bytes, code: FailureCode, reach: Reach, word: str
) -> None:
    """Each refusal has a code, says how far its cause reaches, and what to do next."""
    failure = refusal(Answer(status, body=body), host, request_, traits_of(host))

    assert (failure.code, failure.reach, failure.status) == (code, reach, status)
    assert word in str(failure.hint)
    assert failure.message.startswith(f"HTTP {status}")


def test_the_message_quotes_the_registry() -> None:
    """Codes and texts of the registry stand in the message, one after the other."""
    failure = refusal(Answer(400, body=errors("A", "B", text="no\nway")), "r", DELETE)

    assert failure.message == "HTTP 400: A no way; B no way"


def answered(status: int, body: bytes, content_type: str = "") -> Answer:
    """An answer with a content type."""
    fields = [("Content-Type", content_type)] if content_type else []
    return Answer(status, CIMultiDictProxy(CIMultiDict(fields)), body)


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b'{"errors": [{"status": 409, "message": "in use"}]}', "", "in use"),
        (b'{"errors": [{"code": 409, "message": "in use"}, "and locked"]}', "", "in use; and locked"),
        (b'{"errors": [{"code": "A", "message": 5}, {"message": "why"}]}', "", "A; why"),
        (b'{"errors": [], "message": "why"}', "", "why"),
        (b'{"error": "in use"}', "text/plain", "in use"),
        (b'{"error": {"code": 3, "message": "in use"}}', "", "in use"),
        (b'{"error": "invalid_grant", "error_description": "expired"}', "", "expired"),
        (b'{"message": "in use"}', "", "in use"),
        (b'{"details": "incorrect username or password"}', "", "incorrect username or password"),
        (b'{"title": "Locked", "status": 423}', "application/problem+json", "Locked"),
        (b'{"error": {"error": {"error": "x"}}}', "", ""),
        (b'{"errors": [{}, 5, null]}', "", ""),
        (b"Access denied by policy 7\nid: 5\n", "text/plain; charset=utf-8", "Access denied by policy 7"),
        (b"\x1b[31m\xff denied", "text/plain", "[31m\ufffd denied"),
        (b"x" * 500, "text/plain", "x" * 119 + "\u2026"),
        (b"\n", "text/plain", ""),
        (b"unlabelled", "", ""),
        (PAGE, "", "a web page came"),
        (b"<!DOCTYPE html><title lang=en>Sign in &amp; go\n on</title>", "", "a web page came: Sign in & go on"),
        (b"\n<HTML><head><TITLE>403</TITLE>", "", "a web page came: 403"),
        (b"nothing of the kind", "text/html", "a web page came"),
        (b'"text"', "application/json", ""),
        (b"", "", ""),
    ],
)
def test_what_a_body_says(body: bytes, content_type: str, said: str) -> None:
    """Whatever form its message has, it stands in the failure's, as one short line."""
    failure = refusal(answered(409, body, content_type), "r", DELETE)

    assert failure.message == (f"HTTP 409: {said}" if said else "HTTP 409")


@pytest.mark.parametrize("fields", [{}, {"Docker-Distribution-Api-Version": "registry/2.0"}])
def test_deletion_disabled_elsewhere(fields: dict[str, str]) -> None:
    """Only a registry that speaks like distribution is told distribution's setting without an if."""
    failure = refusal(Answer(405, CIMultiDictProxy(CIMultiDict(fields)), errors("UNSUPPORTED")), "r", DELETE)

    assert ("If it is a distribution registry" in str(failure.hint)) == (not fields)


@pytest.mark.parametrize("request_", [GET, DELETE, PUT, CATALOG])
@pytest.mark.parametrize("status", [401, 403])
def test_docker_auth_is_named_only_where_it_fits(request_: Request, status: int) -> None:
    """A refusal of the registry itself is none of a token server's."""
    failure = refusal(answered(status, errors("DENIED")), "r", request_)

    assert "docker_auth" not in str(failure.hint)
    assert request_ is CATALOG or "registry.example/team/app" in str(failure.hint)


def test_a_404_without_a_code_is_not_a_registrys() -> None:
    """A message without a code proves nothing: an image is not absent because a web application says so."""
    assert not is_registry_answer(answered(404, b'{"errors": [{"status": 404, "message": "Not Found"}]}'))


@pytest.mark.parametrize(
    "body",
    [
        '{{"errors": [{{"code": "X", "message": "no {0}"}}]}}',
        "<html><title>{0}</title>",
        "denied: {0}",
    ],
)
@pytest.mark.parametrize("secret", ["s3cr3t-Zebra", "a/b+c=d e", 'qu"ote', "p\u00e4ss&<"])
def test_a_secret_that_is_repeated(body: str, secret: str) -> None:
    """An answer that repeats what it was sent does not show it, in whatever form."""
    forms = (secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, safe=""))
    for form in forms:
        answer = masked(answered(403, body.format(form).encode(), "text/plain"), [secret, "x"])

        assert form not in refusal(answer, "r", DELETE).message
        assert "***" in answer.body.decode()


def test_a_secret_in_a_header() -> None:
    """Headers are looked through too, and an answer without secrets stays as it is."""
    answer = Answer(401, CIMultiDictProxy(CIMultiDict([("X", "a s3cr3t b")])))

    assert masked(answer, ["s3cr3t"]).headers["X"] == "a *** b"
    assert masked(answer, ["other"]) is answer


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


@pytest.mark.parametrize("body", [b"404 page not found\n", b"{}", PAGE])
def test_a_path_that_a_registry_does_not_have(body: bytes) -> None:
    """A registry sends its version header also for a path that it does not have, so a body without a code proves nothing."""
    version = CIMultiDictProxy(CIMultiDict({"docker-distribution-api-version": "registry/2.0"}))

    assert not is_registry_answer(Answer(404, version, body))


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (
            "https://registry.example.com/v2/team/app/tags/list?token=secret",
            ": a redirect to https://registry.example.com",
        ),
        ("http://user:secret@[2001:db8::1]:5000/v2/", ": a redirect to http://[2001:db8::1]:5000"),
        ("/v2/secret", ""),
        ("//registry.example.com/secret", ""),
        ("https://registry.example.com:secret/", ""),
        ("https://[secret/", ""),
        ("https://registry.example.com\x1b[31m/secret", ""),
        ("javascript:secret", ""),
        ("", ""),
    ],
)
def test_where_a_redirect_leads(location: str, shown: str) -> None:
    """The host that a redirect leads to is named, so that it can be written instead; nothing else of the URL is."""
    failure = refusal(Answer(302, CIMultiDictProxy(CIMultiDict({"Location": location}))), "r", GET)

    assert failure.message == f"HTTP 302{shown}"
    assert "leave out --plain-http" in str(failure.hint)


@pytest.mark.parametrize("coding", ["gzip", "br", " GZIP, identity"])
def test_a_compressed_body(coding: str) -> None:
    """A body that cannot be read because it is compressed is said to be that."""
    fields = CIMultiDictProxy(CIMultiDict({"Content-Encoding": coding, "Content-Type": "text/html"}))

    failure = refusal(Answer(409, fields, b"\x1f\x8b\x08"), "r", DELETE)

    assert f"the body is compressed ({coding.strip().lower()})" in failure.message


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
    failure = no_answer(NoAnswer(kind, "why\x1b"))

    assert (failure.code, failure.reach, failure.status, failure.message) == (code, reach, None, "why")
    assert word in str(failure.hint)
