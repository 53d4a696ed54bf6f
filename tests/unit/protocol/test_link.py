"""The Link header of a listing: the next page of this very listing, none, or an error."""

import pytest

from bulkrm.model.errors import ProtocolError
from bulkrm.protocol.listing.link import cursor, next_target, parse_links, same_repository

TAGS = "/v2/team/app/tags/list?n=1000"
NEXT = "/v2/team/app/tags/list?last=b&n=2"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "line",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>;rel=next",
        f"<{NEXT}>; rel='next'",
        f'<{NEXT}>; rel="prev next"',
        f'<{NEXT}>; rel=" NEXT "',
        f'<{NEXT}> ; REL = "Next"',
        f'  <{NEXT}>\t;\trel="next"  ',
        f'<{NEXT}>; title="a, b"; rel="next"',
        f'<{NEXT}>; title="a; rel=prev, <x>"; rel="next"',
        f'<{NEXT}>; title="a \\" b"; rel="next"',
        f"<{NEXT}>; title*=UTF-8''a%20b; rel=next",
        f'<{NEXT}>; rel="next"; rel="prev"',
        f'<{NEXT}>; rel="next";',
        f'<{NEXT}>; crossorigin; rel="next"',
        f'</v2/team/app/tags/list?n=2>; rel="first", <{NEXT}>; rel="next"',
        f'<{NEXT}>; rel="next", </v2/team/app/tags/list?n=2>; rel="first"',
        f',, <{NEXT}>; rel="next" ,',
        f"{NEXT}; rel=next",
        f'{NEXT}; rel="next"',
        f'<{NEXT}>; rel="next", <{NEXT}>; rel="next"',
    ],
)
def test_ways_to_write_it(line: str) -> None:
    """A next page is found in whatever way the header may write it."""
    assert next_target([line], TAGS) == NEXT


def test_two_lines() -> None:
    """The next page may stand in the second of two Link lines."""
    assert next_target(['</v2/x?a=1>; rel="first"', f'<{NEXT}>; rel="next"'], TAGS) == NEXT


@pytest.mark.parametrize(
    "line", ["", " , ,", '</v2/x?a=1>; rel="first"', '<https://x/>; rel="nextish"', "</a>; rel=prev"]
)
def test_the_last_page(line: str) -> None:
    """Links to something else than a next page, or none at all, are those of a last page."""
    assert next_target([line], TAGS) is None
    assert next_target([], TAGS) is None


@pytest.mark.parametrize(
    "line",
    [
        "junk",
        f"<{NEXT}>",
        f'<{NEXT}>; title="x"',
        f'<{NEXT}; rel="next"',
        f'{NEXT}>; rel="next"',
        f'<{NEXT}>; rel="next',
        f'<{NEXT}>; rel="next" junk',
        f'<{NEXT}> rel="next"',
        f'rel="next"; <{NEXT}>',
        f'<{NEXT}>; rel="next"; anchor="https://elsewhere.example/"',
        f'<{NEXT}>; rel="next", <{NEXT}x>; rel="next"',
        f'<{NEXT}>; rel="prev", junk',
    ],
)
def test_what_cannot_be_read(line: str) -> None:
    """A header that is there and cannot be understood is an error, and never the end of the listing."""
    with pytest.raises(ProtocolError):
        next_target([line], TAGS)


@pytest.mark.parametrize(
    "target",
    [
        "/v2/team/app/tags/list?last=b",
        "https://registry.example/v2/team/app/tags/list?last=b",
        "http://internal:8081/v2/team/app/tags/list?last=b",
        "//other.example/v2/team/app/tags/list?last=b",
        "https://user@evil.example/v2/team/app/tags/list?last=b",
        "https://nexus.example/repository/docker/v2/team/app/tags/list?last=b",
        "/artifactory/api/docker/key/v2/team/app/tags/list?last=b",
        "/v2/key/team/app/tags/list?last=b",
        "/v2/app/tags/list?last=b",
        "/v2/team%2Fapp/tags%2flist?last=b",
        "/v2/Team/App/tags/list?last=b",
        "?last=b",
        "list?last=b",
        "../tags/list?last=b",
        "./list?last=b",
        "/v2/x/../team/app/tags/list?last=b",
        "/v2/team/app/tags/list?last=b#fragment",
    ],
)
def test_our_own_path_is_asked(target: str) -> None:
    """Scheme, host and what stands before the repository do not matter: our own path is asked with the Link's query."""
    assert next_target([f'<{target}>; rel="next"'], TAGS) == "/v2/team/app/tags/list?last=b"


@pytest.mark.parametrize(
    "target",
    [
        "/v2/team/other/tags/list?last=b",
        "/v2/other/tags/list?last=b",
        "/v2/other/app/tags/list?last=b",
        "/v2/team/app-2/tags/list?last=b",
        "/v2/team/xapp/tags/list?last=b",
        "/v2/team/app/manifests/list?last=b",
        "/v2/team/app/tags/list/?last=b",
        "/v2/team/app/referrers/list?last=b",
        "/v2/tags/list?last=b",
        "/v2/_catalog?last=b",
        "/team/app/tags/list?last=b",
        "/v2/team/app/tags/list",
        "/v2/team/app/tags/list?",
        "/v2/team/app/tags/list#?last=b",
        "/v2/team/app/%2e%2e/app/tags/list?last=b",
        "/v2/evil/tags/list?x=/v2/team/app/tags/list",
        "/v2/team/app/tags/list?last=b c",
        "/v2/team/app/tags/list?last=\u00e9",
        '/v2/team/app/tags/list?last="b"',
        "https://[x/v2/team/app/tags/list?last=b",
    ],
)
def test_something_else(target: str) -> None:
    """A next page of something else than this listing, or one without a page in it, is an error."""
    with pytest.raises(ProtocolError):
        next_target([f'<{target}>; rel="next"'], TAGS)


@pytest.mark.parametrize(
    "query", ["last=a%2Fb%20c%3D", "next_page=gAAA%3D%3D", "last=5&n=100", "n=0&last=", "last=a+b", "a[]=1&b={x}|~"]
)
def test_a_query_to_the_letter(query: str) -> None:
    """A cursor goes back as it came, whatever it looks like."""
    assert next_target([f'<{TAGS.partition("?")[0]}?{query}>; rel="next"'], TAGS) == f"/v2/team/app/tags/list?{query}"


@pytest.mark.parametrize(
    ("asked", "link", "expected"),
    [
        ("/v2/_catalog?n=1000", "/v2/_catalog?last=b", "/v2/_catalog?last=b"),
        ("/v2/_catalog?n=1000", "http://x/repository/docker/v2/_catalog?last=b", "/v2/_catalog?last=b"),
        ("/v2/_catalog?n=1000", "/v2/team/app/tags/list?last=b", None),
        (f"/v2/a/b/referrers/{DIGEST}", f"/v2/a/b/referrers/{DIGEST}?p=2", f"/v2/a/b/referrers/{DIGEST}?p=2"),
        (
            f"/v2/a/b/referrers/{DIGEST}",
            f"/v2/a/b/referrers/sha256%3A{'a' * 64}?p=2",
            f"/v2/a/b/referrers/{DIGEST}?p=2",
        ),
        (f"/v2/a/b/referrers/{DIGEST}", f"/v2/a/b/referrers/sha256:{'b' * 64}?p=2", None),
        (f"/v2/a/b/referrers/{DIGEST}", f"/v2/a/c/referrers/{DIGEST}?p=2", None),
        ("/v2/team/v2/app/tags/list", "/v2/team/v2/app/tags/list?last=b", "/v2/team/v2/app/tags/list?last=b"),
        ("/v2/team/v2/app/tags/list", "/v2/x/v2/team/v2/app/tags/list?last=b", "/v2/team/v2/app/tags/list?last=b"),
        ("/v2/referrers/tags/list", "/v2/referrers/tags/list?last=b", "/v2/referrers/tags/list?last=b"),
    ],
)
def test_other_listings(asked: str, link: str, expected: str | None) -> None:
    """The catalog and referrers are listings too, and a repository may be called almost anything."""
    if expected is None:
        with pytest.raises(ProtocolError):
            next_target([f'<{link}>; rel="next"'], asked)
    else:
        assert next_target([f'<{link}>; rel="next"'], asked) == expected


def test_parameters() -> None:
    """Names of parameters have no case, quotes and escapes are taken off, and the first of two counts."""
    (link,) = parse_links([r'<a>; A="x\"y"; b=c; a=d; e'])

    assert [link.parameter(name) for name in "abef"] == ['x"y', "c", "", None]


def test_a_cursor() -> None:
    """Two requests for the same page are the same in any order, and different bytes are different pages."""
    assert cursor("/x?n=2&last=a") == cursor("/y?last=a&n=2")
    assert cursor("/x?last=%FF") != cursor("/x?last=%FE")


@pytest.mark.parametrize(
    ("named", "path", "expected"),
    [
        ("team/app", "team/app", True),
        ("Team/App", "team/app", True),
        ("app", "team/app", True),
        ("key/team/app", "team/app", True),
        ("other", "team/app", False),
        ("pp", "team/app", False),
        ("team/app/x", "team/app", False),
        ("", "team/app", False),
    ],
)
def test_a_name_with_or_without_its_beginning(named: str, path: str, expected: bool) -> None:  # noqa: FBT001
    """A repository may be written without its first components, or with more of them."""
    assert same_repository(named, path) is expected
