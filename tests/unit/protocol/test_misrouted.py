"""Which answers cannot be that to the request."""

from collections.abc import Mapping

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import DOCKER_SCHEMA1_SIGNED, OCI_MANIFEST
from bulkrm.model.reference import Repository
from bulkrm.protocol import message
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.misrouted import is_misrouted, is_same_answer

APP = Repository("registry.example", "team/app")
BODY = b'{"schemaVersion": 2}'
OURS, OTHER = Digest.of(BODY), Digest.of(b"other")
LONG = Digest.of(BODY, "sha512")


def given(
    status: int = 200, body: bytes = BODY, digest: str | None = None, media_type: str = OCI_MANIFEST, **more: str
) -> Answer:
    """What came back."""
    stated = {} if digest is None else {"Docker-Content-Digest": digest}
    headers: Mapping[str, str] = {"Content-Type": media_type, **stated, **more}
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body)


GET, HEAD, DELETE = (
    message.get_manifest(APP, OURS),
    message.head_manifest(APP, OURS),
    message.delete_manifest(APP, OURS),
)
BY_TAG, LIST = message.get_manifest(APP, "1"), message.list_tags(APP)


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        (GET, given(digest=OURS), False),
        (GET, given(), False),
        (GET, given(digest=OTHER), True),
        (GET, given(body=b"other"), True),
        (GET, given(body=b"other", digest=OURS), True),
        (GET, given(digest=LONG), False),
        (GET, given(digest="junk"), False),
        (GET, given(404, b"", media_type="application/json"), False),
        (GET, given(404, b"", OTHER), True),
        (HEAD, given(body=b"", digest=OURS), False),
        (HEAD, given(body=b"", digest=OTHER), True),
        (HEAD, given(body=b""), False),
        (DELETE, given(202, b""), False),
        (DELETE, given(202, b"", OURS), False),
        (DELETE, given(200, b"", OTHER), True),
        (BY_TAG, given(digest=OURS), False),
        (BY_TAG, given(digest=OTHER), True),
        (BY_TAG, given(digest=OTHER, media_type=DOCKER_SCHEMA1_SIGNED), False),
        (BY_TAG, given(body=b"<html>", media_type="text/html"), False),
        (LIST, given(body=b'{"name": "team/app", "tags": []}', media_type="application/json"), False),
        (LIST, given(body=b'{"name": "app", "tags": []}', media_type="application/json"), False),
        (LIST, given(body=b'{"name":"team/other","tags":[]}', media_type="application/json"), True),
        (LIST, given(body=b'{"tags": []}', media_type="application/json"), False),
        (message.list_repositories(), given(body=b'{"name": "x"}', media_type="application/json"), False),
    ],
)
def test_what_cannot_be_the_answer(request_: Request, answer: Answer, expected: bool) -> None:  # noqa: FBT001
    """Another digest of the same algorithm, other bytes, or another repository's list give an answer away."""
    assert is_misrouted(request_, answer) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (given(200, b"{}", media_type="application/json"), True),
        (given(200, b"{}", media_type="text/plain"), True),
        (given(200, b'{"tags": []}', media_type="application/json"), False),
        (given(200, b"{}", OURS), False),
        (given(401, b"{}"), False),
    ],
)
def test_an_answer_to_a_ping(answer: Answer, expected: bool) -> None:  # noqa: FBT001
    """An answer is like the first answer to a ping if it says the same."""
    assert is_same_answer(answer, given(200, b"{}", media_type="application/json")) is expected


def test_a_refused_ping() -> None:
    """Of a refusal the challenge counts: a challenge that names a scope does not answer a ping."""
    first = given(401, b"a", **{"WWW-Authenticate": "Bearer realm=r"})

    assert is_same_answer(given(401, b"b", **{"WWW-Authenticate": "Bearer realm=r"}), first)
    assert not is_same_answer(given(401, b"a", **{"WWW-Authenticate": "Bearer realm=r,scope=x"}), first)
