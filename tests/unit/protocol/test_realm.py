"""The realm of a challenge: its URL, and whether credentials may go there."""

import pytest

from bulkrm.model.errors import ProtocolError
from bulkrm.protocol.auth.realm import Realm, is_inward, is_loopback, refuse_realm

ASKED = "https://registry.example:5000/v2/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://auth.example/token", "https://auth.example/token"),
        (" https://auth.example/token ", "https://auth.example/token"),
        ("https://auth.example/token?a=b&c", "https://auth.example/token?a=b&c"),
        ("https://auth.example/token#part", "https://auth.example/token"),
        ("/token", "https://registry.example:5000/token"),
        ("token", "https://registry.example:5000/v2/token"),
        ("//auth.example/token", "https://auth.example/token"),
        ("HTTP://auth.example/token", "http://auth.example/token"),
    ],
)
def test_parse(text: str, expected: str) -> None:
    """A realm is an absolute URL, or resolved against the request."""
    assert Realm.parse(text, ASKED).url == expected


@pytest.mark.parametrize(
    "text",
    [
        "ftp://auth.example/token",
        "javascript:alert(1)",
        "",
        " ",
        "https://auth.example/to ken",
        "https://auth.example/\udcff",
        "https://evil\u202e.example/token",
        "https://user:pw@auth.example/token",
        "https://user@auth.example/token",
        "https://auth.example:port/token",
        "https://auth.example:99999/token",
        "https://[::1/token",
        "https://[not-an-address]/token",
    ],
)
def test_no_realm(text: str) -> None:
    """What is no http(s) URL with a host, or carries credentials, is refused."""
    with pytest.raises(ProtocolError):
        Realm.parse(text, ASKED)


def test_host() -> None:
    """A limiter is kept for host and port in lower case."""
    assert Realm("https://Auth.Example:8443/token").host == "auth.example:8443"


@pytest.mark.parametrize(
    ("url", "service", "scope", "expected"),
    [
        ("https://a/t", None, None, "https://a/t?client_id=bulkrm"),
        ("https://a/t", "", "", "https://a/t?client_id=bulkrm"),
        (
            "https://a/t",
            "my registry",
            "repository:team/app:delete,pull",
            "https://a/t?service=my+registry&scope=repository:team/app:delete,pull&client_id=bulkrm",
        ),
        ("https://a/t?x=1", "s", None, "https://a/t?x=1&service=s&client_id=bulkrm"),
        ("https://a/t", "a&b=c#d", None, "https://a/t?service=a%26b%3Dc%23d&client_id=bulkrm"),
        ("https://a/t", "\udcff", None, "https://a/t?service=%3F&client_id=bulkrm"),
        ("https://a/t", None, "registry:catalog:*", "https://a/t?scope=registry:catalog:*&client_id=bulkrm"),
    ],
)
def test_with_query(url: str, service: str | None, scope: str | None, expected: str) -> None:
    """Service, scope and client go into the query, and a query that the realm brought is kept."""
    assert Realm(url).with_query(service, scope) == expected


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "app.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",  # noqa: S104 (an address to refuse)
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "[::1]",
        "::",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "[::ffff:a9fe:a9fe]",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
    ],
)
def test_inward(host: str) -> None:
    """Loopback, private, shared, link-local and multicast addresses lead inward, however they are wrapped."""
    assert is_inward(host)


@pytest.mark.parametrize(
    "host",
    [
        "auth.example",
        "localhost.example",
        "notlocalhost",
        "8.8.8.8",
        "2606:4700::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "",
    ],
)
def test_outward(host: str) -> None:
    """A name or public address does not, nor does a public address in an IPv6 one."""
    assert not is_inward(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("x.LocalHost", False),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("registry.example", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:  # noqa: FBT001 (a table)
    """Only this machine itself is loopback."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("realm", "scheme", "inward", "plain", "word"),
    [
        ("https://auth.example/t", "https", False, False, None),
        ("https://auth.example/t", "http", True, True, None),
        ("https://10.0.0.9/t", "https", True, False, None),
        ("https://10.0.0.9/t", "https", False, False, "private"),
        ("https://169.254.169.254/t", "https", False, False, "private"),
        ("https://localhost/t", "https", False, False, "private"),
        ("https://[::ffff:10.0.0.9]/t", "https", False, False, "private"),
        ("http://auth.example/t", "https", False, False, "speaks HTTPS"),
        ("http://auth.example/t", "https", False, True, "speaks HTTPS"),
        ("http://127.0.0.1/t", "https", True, False, "speaks HTTPS"),
        ("http://auth.example/t", "http", True, False, "plain HTTP"),
        ("http://10.0.0.9/t", "http", True, False, "plain HTTP"),
        ("http://10.0.0.9/t", "http", True, True, None),
        ("http://127.0.0.1:5001/t", "http", True, False, None),
        ("http://127.0.0.1:5001/t", "http", False, True, "private"),
    ],
)
def test_refuse_realm(realm: str, scheme: str, inward: bool, plain: bool, word: str | None) -> None:  # noqa: FBT001 (a table)
    """Credentials go over HTTP only where that was said or is loopback, and from public never to private."""
    why = refuse_realm(Realm(realm), registry_scheme=scheme, registry_inward=inward, plain_http=plain)

    assert (why is None) == (word is None)
    assert word is None or word in str(why)
