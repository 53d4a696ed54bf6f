"""Final answers turned into manifests, digests, pages and deletions."""

from collections.abc import Mapping, Sequence

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.manifests.manifest import (
    DOCKER_SCHEMA1_SIGNED,
    MEDIA_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    Resolved,
)
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.protocol import interpret as judge
from bulkrm.protocol import message
from bulkrm.protocol.interpret import AnswerContext, DeleteAnswer, HeadAnswer
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.traits import STANDARD

APP = Repository("registry.example", "team/app")
BODY = b'{"schemaVersion": 2}'
DIGEST = Digest.of(BODY)
LONG = Digest.of(BODY, "sha512")
OTHER = Digest.of(b"other")
BASE = "https://registry.example"
ERRORS = b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def context(request: Request | None = None) -> AnswerContext:
    """An answer of registry.example."""
    return AnswerContext(APP.host, request or message.get_manifest(APP, "1.0"), STANDARD)


def answer(
    status: int = 200, body: bytes = BODY, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
) -> Answer:
    """What came back."""
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body)


def manifest_answer(digest: str | None = None, media_type: str = OCI_MANIFEST, body: bytes = BODY) -> Answer:
    """A 200 with a manifest."""
    stated = {} if digest is None else {"Docker-Content-Digest": digest}
    return answer(200, body, {"Content-Type": media_type, **stated})


def failure(call: Sequence[object]) -> Failure:
    """What `judge` raises: a function with its arguments."""
    function, *arguments = call
    assert callable(function)
    with pytest.raises(RequestFailed) as caught:
        function(*arguments)
    return caught.value.failure


# Manifests


@pytest.mark.parametrize(
    ("stated", "asked", "expected"),
    [
        (None, None, DIGEST),
        (None, DIGEST, DIGEST),
        (DIGEST, None, DIGEST),
        (DIGEST, DIGEST, DIGEST),
        (LONG, None, LONG),
        (None, LONG, LONG),
        (LONG, LONG, LONG),
        (DIGEST, LONG, LONG),
        (LONG, DIGEST, DIGEST),
        ("", None, DIGEST),
        ("sha256:junk", None, DIGEST),
        (DIGEST.upper(), None, DIGEST),
        (f" {DIGEST} ", None, DIGEST),
    ],
)
def test_a_good_manifest(stated: str | None, asked: Digest | None, expected: Digest) -> None:
    """The digest is computed over the bytes, in the algorithm that was asked for or stated."""
    assert judge.manifest(context(), manifest_answer(stated), asked) == Manifest(expected, OCI_MANIFEST, BODY)


@pytest.mark.parametrize(
    ("stated", "asked"),
    [
        (OTHER, None),
        (None, OTHER),
        (OTHER, DIGEST),
        (DIGEST, OTHER),
        (Digest.of(b"other", "sha512"), None),
        (DIGEST, Digest.of(b"other", "sha512")),
    ],
)
def test_a_digest_that_does_not_fit(stated: Digest | None, asked: Digest | None) -> None:
    """Bytes that have not the digest that was asked for or promised are a failure, and nothing is to be deleted."""
    wrong = failure((judge.manifest, context(), manifest_answer(stated), asked))

    assert wrong.code is FailureCode.DIGEST_MISMATCH
    assert "nothing was deleted" in str(wrong.hint)


def test_schema1() -> None:
    """The digest of a signed schema 1 manifest is not that of its bytes: what the registry states counts."""
    given = manifest_answer(OTHER, DOCKER_SCHEMA1_SIGNED)

    assert judge.manifest(context(), given, None) == Manifest(OTHER, DOCKER_SCHEMA1_SIGNED, BODY)
    assert judge.manifest(context(), given, OTHER) == Manifest(OTHER, DOCKER_SCHEMA1_SIGNED, BODY)
    silent = manifest_answer(None, DOCKER_SCHEMA1_SIGNED)
    assert judge.manifest(context(), silent, OTHER) == Manifest(OTHER, DOCKER_SCHEMA1_SIGNED, BODY)


def test_schema1_without_its_digest() -> None:
    """A signed schema 1 manifest read by tag needs the header: its bytes do not give the digest."""
    with pytest.raises(RequestFailed) as caught:
        judge.manifest(context(), manifest_answer(None, DOCKER_SCHEMA1_SIGNED), None)

    assert caught.value.failure.code is FailureCode.UNEXPECTED_ANSWER


def test_schema1_that_does_not_fit() -> None:
    """A schema 1 manifest under another digest than the one that was asked for is a failure."""
    given = manifest_answer(OTHER, DOCKER_SCHEMA1_SIGNED)

    assert failure((judge.manifest, context(), given, DIGEST)).code is FailureCode.DIGEST_MISMATCH


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_media_types(media_type: str) -> None:
    """Every manifest type is read, in any case and with parameters."""
    body = b'{"manifests": []}'
    headers = {"Docker-Content-Digest": Digest.of(body), "Content-Type": f"{media_type.upper()} ; charset=utf-8"}

    found = judge.manifest(context(), answer(200, body, headers), None)

    assert found is not None
    assert found.media_type == media_type


@pytest.mark.parametrize("body", [b"null", b"[]", b"not JSON", b'{"manifests": {}}', b"[" * 10_000])
def test_an_index_that_cannot_be_read(body: bytes) -> None:
    """An index whose children cannot be told is a failure: what it needs would not be guarded."""
    headers = {"Docker-Content-Digest": Digest.of(body), "Content-Type": OCI_INDEX}

    with pytest.raises(RequestFailed) as caught:
        judge.manifest(context(), answer(200, body, headers), None)

    assert caught.value.failure.code is FailureCode.UNEXPECTED_ANSWER


@pytest.mark.parametrize("media_type", ["", "text/html", "application/json", "application/octet-stream", "\x1b[31m"])
def test_no_manifest(media_type: str) -> None:
    """A 200 with another type, say a login page, is no manifest, and what it is gets shown safely."""
    wrong = failure((judge.manifest, context(), manifest_answer(DIGEST, media_type), None))

    assert wrong.code is FailureCode.UNEXPECTED_ANSWER
    assert "\x1b" not in wrong.message


@pytest.mark.parametrize("given", [answer(404, ERRORS), answer(404, b"", VERSION)])
def test_the_registry_says_there_is_none(given: Answer) -> None:
    """A 404 of the registry itself means that there is none."""
    assert judge.manifest(context(), given, None) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(404, b"<html>"), FailureCode.NOT_A_REGISTRY),
        (answer(404, b""), FailureCode.NOT_A_REGISTRY),
        (answer(404, b'{"errors": [{"code": "DENIED"}]}', VERSION), FailureCode.NOT_PERMITTED),
        (answer(403, ERRORS), FailureCode.NOT_PERMITTED),
        (answer(500, b""), FailureCode.SERVER_ERROR),
        (answer(304, b""), FailureCode.REDIRECTED),
        (answer(206, BODY, {"Content-Type": OCI_MANIFEST}), FailureCode.UNEXPECTED_ANSWER),
    ],
)
def test_no_manifest_and_no_proof(given: Answer, code: FailureCode) -> None:
    """Anything else is a failure and never "there is none"."""
    assert failure((judge.manifest, context(), given, None)).code is code


# HEAD


def test_head() -> None:
    """HEAD gives digest, type and size."""
    headers = {"Docker-Content-Digest": DIGEST, "Content-Type": f"{OCI_INDEX}; x=y", "Content-Length": "123"}

    assert judge.head(answer(200, b"", headers)) == Resolved(DIGEST, OCI_INDEX, 123)


@pytest.mark.parametrize("length", ["", "-1", "x", "1.5", "\u0661", "\u00b2"])
def test_head_with_an_odd_length(length: str) -> None:
    """A length that is no number counts as none."""
    headers = {"Docker-Content-Digest": DIGEST, "Content-Length": length, "Content-Type": OCI_INDEX}

    assert judge.head(answer(200, b"", headers)) == Resolved(DIGEST, OCI_INDEX, 0)


@pytest.mark.parametrize("media_type", ["", "application/json", "text/html"])
def test_head_without_a_type(media_type: str) -> None:
    """A HEAD that does not say that it is a manifest leaves a doubt: it could be an index, which needs others."""
    headers = {"Docker-Content-Digest": DIGEST, "Content-Length": "2", "Content-Type": media_type}

    assert judge.head(answer(200, b"", headers)) is HeadAnswer.UNCLEAR


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(404, b"", VERSION), HeadAnswer.ABSENT),
        (answer(404, b""), HeadAnswer.UNCLEAR),
        (answer(404, b"", {**VERSION, "Content-Type": "text/plain; charset=utf-8"}), HeadAnswer.UNCLEAR),
        (answer(200, b""), HeadAnswer.UNCLEAR),
        (answer(200, b"", {"Docker-Content-Digest": "sha256:junk"}), HeadAnswer.UNCLEAR),
        (answer(401, b"", VERSION), HeadAnswer.UNCLEAR),
        (answer(403, b"", VERSION), HeadAnswer.UNCLEAR),
        (answer(405, b"", VERSION), HeadAnswer.UNCLEAR),
        (answer(500, b"", VERSION), HeadAnswer.UNCLEAR),
        (answer(302, b"", {**VERSION, "Docker-Content-Digest": DIGEST}), HeadAnswer.UNCLEAR),
    ],
)
def test_head_that_tells_little(given: Answer, expected: HeadAnswer) -> None:
    """Only a 404 with the registry's own header proves absence; all else wants a GET."""
    assert judge.head(given) is expected


def test_head_of_another_digest() -> None:
    """A HEAD by digest whose answer speaks of another one tells nothing."""
    headers = {"Docker-Content-Digest": OTHER, "Content-Type": OCI_MANIFEST}

    assert judge.head(answer(200, b"", headers), DIGEST) is HeadAnswer.UNCLEAR
    assert judge.head(answer(200, b"", headers), OTHER) == Resolved(OTHER, OCI_MANIFEST, 0)


# Deletion


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, b"", DeleteAnswer.ACCEPTED),
        (202, b" \n", DeleteAnswer.ACCEPTED),
        (202, ERRORS, DeleteAnswer.UNPROVEN),
        (200, b"", DeleteAnswer.UNPROVEN),
        (204, b"", DeleteAnswer.UNPROVEN),
        (404, ERRORS, DeleteAnswer.UNPROVEN),
        (500, b"", DeleteAnswer.UNPROVEN),
        (503, b"", DeleteAnswer.UNPROVEN),
    ],
)
def test_deletion(status: int, body: bytes, expected: DeleteAnswer) -> None:
    """Only a 202 without a complaint is a deletion by itself; the rest is to be proved."""
    assert judge.deletion(context(message.delete_manifest(APP, DIGEST)), answer(status, body)) is expected


@pytest.mark.parametrize("status", [201, 206, 301, 303, 307, 400, 401, 403, 405, 408, 409, 412, 429])
def test_no_deletion(status: int) -> None:
    """Everything else is a failure."""
    wrong = failure((judge.deletion, context(message.delete_manifest(APP, DIGEST)), answer(status, b"")))

    assert wrong.status == status
