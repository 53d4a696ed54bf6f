"""Answers to requests for listings: pages of names, or failures, and never a shorter list."""

import json
from collections.abc import Sequence

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.manifests.manifest import OCI_INDEX
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.protocol import message
from bulkrm.protocol.interpret import AnswerContext
from bulkrm.protocol.listing import pages
from bulkrm.protocol.listing.pages import Page
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.traits import STANDARD

APP = Repository("registry.example", "team/app")
ERRORS = b'{"errors": [{"code": "NAME_UNKNOWN"}]}'


def context(request: Request) -> AnswerContext:
    """An answer of registry.example."""
    return AnswerContext(APP.host, request, STANDARD)


def answer(status: int, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """What came back."""
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body)


def page_of(body: object, *links: str, status: int = 200) -> Page | None:
    """Read a page of tags."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return pages.tag_page(context(message.list_tags(APP)), answer(status, raw, [("Link", link) for link in links]))


def failure_of(body: object, *links: str, status: int = 200) -> Failure:
    """What is wrong with a page of tags."""
    with pytest.raises(RequestFailed) as caught:
        page_of(body, *links, status=status)
    return caught.value.failure


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "team/app", "tags": ["b", "a"]}, Page(("b", "a"), None, 2, "a")),
        ({"name": "app", "tags": ["a"]}, Page(("a",), None, 1, "a")),
        ({"name": "key/team/app", "tags": ["a"]}, Page(("a",), None, 1, "a")),
        ({"name": "Team%2FApp", "tags": ["a"]}, Page(("a",), None, 1, "a")),
        ({"name": None, "tags": ["a"]}, Page(("a",), None, 1, "a")),
        ({"name": "", "tags": ["a"]}, Page(("a",), None, 1, "a")),
        ({"tags": None}, Page(())),
        ({"tags": []}, Page(())),
        ({"tags": ["a", "a", None]}, Page(("a", "a"), None, 3, "a")),
        ({"tags": ["ok", "", "-x", "../../etc", "a b", "a" * 129, "a/b", "x\x1b"]}, Page(("ok",), None, 8, "x\x1b")),
    ],
)
def test_a_page(body: object, expected: Page) -> None:
    """A page has its tags in order; null is an empty list, and text that is no tag is dropped."""
    assert page_of(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": "a"},
        {"tags": {}},
        {"tags": 5},
        {"tags": False},
        [],
        None,
        b"",
        b"<html>",
        b'{"tags": ["a", "b',
        {"tags": ["a", 110]},
        {"tags": ["a", {"name": "b"}]},
        {"tags": [["a"]]},
    ],
)
def test_no_page(body: object) -> None:
    """What is no listing is a failure, and not an empty or shorter list: that would guard nothing."""
    assert failure_of(body).code is FailureCode.UNEXPECTED_ANSWER


@pytest.mark.parametrize("name", ["team/other", "other", "team/app-2", "x\x1b]0;evil\x07"])
def test_the_listing_of_another_repository(name: str) -> None:
    """A listing that says whose it is, and is another repository's, is a failure."""
    wrong = failure_of({"name": name, "tags": ["a"]})

    assert (wrong.code, wrong.reach) == (FailureCode.UNEXPECTED_ANSWER, Reach.REPOSITORY)
    assert "another repository" in wrong.message
    assert wrong.message.isprintable()


def test_an_unknown_repository() -> None:
    """A 404 of the registry itself is a repository that it does not know; another 404, or a redirect, is a failure."""
    assert page_of(ERRORS, status=404) is None
    assert failure_of(b"not found", status=404).code is FailureCode.NOT_A_REGISTRY
    assert failure_of(b"", status=302).code is FailureCode.REDIRECTED


def test_the_next_page() -> None:
    """A page leads where its Link says."""
    found = page_of({"tags": []}, '</v2/x?a=1>; rel="first"', '</v2/team/app/tags/list?last=b>; rel="next"')

    assert found == Page((), "/v2/team/app/tags/list?last=b")


@pytest.mark.parametrize("link", ["junk", '</v2/team/other/tags/list?last=b>; rel="next"', "<?last=b>"])
def test_a_next_page_that_is_not_understood(link: str) -> None:
    """A Link that is there and not understood is a failure of the whole repository."""
    wrong = failure_of({"tags": ["a"]}, link)

    assert (wrong.code, wrong.reach) == (FailureCode.UNEXPECTED_ANSWER, Reach.REPOSITORY)


def test_the_catalog() -> None:
    """The catalog is read the same way, with repository names."""
    body = b'{"repositories": ["ok/app", "Upper", "../x", "a//b", null]}'

    found = pages.repository_page(context(message.list_repositories()), answer(200, body))

    assert found == Page(("ok/app",), None, 5, "a//b")


def test_referrers() -> None:
    """Referrers are read from the index that lists them; whatever else comes, there is no such API."""
    digest, other = Digest.of(b"a"), Digest.of(b"b")
    request = context(message.list_referrers(APP, digest))
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": other, "size": 1}
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    link = ("Link", f'</v2/team/app/referrers/{digest}?p=2>; rel="next"')

    found = pages.referrers_page(request, answer(200, body, [("Content-Type", OCI_INDEX), link]))

    assert found == Page((other,), f"/v2/team/app/referrers/{digest}?p=2", 1)
    for status, raw in ((404, b""), (302, b""), (200, b"<html>")):
        assert pages.referrers_page(request, answer(status, raw)) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}', True),
        (400, b"", True),
        (413, b"<html>", True),
        (422, b"{}", True),
        (400, b'{"errors": [{"code": "NAME_INVALID"}]}', False),
        (401, b"", False),
        (403, b"", False),
        (404, b"", False),
        (429, b"", False),
        (200, b"", False),
    ],
)
def test_a_refused_page_size(status: int, body: bytes, expected: bool) -> None:  # noqa: FBT001
    """A refusal that may be about the size of the page is told from others."""
    assert pages.refuses_page_size(answer(status, body)) is expected
