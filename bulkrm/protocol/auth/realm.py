"""The realm of a challenge, which is the URL of the token server: it is checked before credentials are sent there."""

import ipaddress
import re
from typing import Self
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from bulkrm.model.errors import ProtocolError
from bulkrm.model.valueclass import valueclass

# Headers may hold any bytes; a URL is printable ASCII (RFC 3986 section 2), or it breaks requests and terminals.
_VISIBLE = re.compile(r"[!-~]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CLIENT = "bulkrm"  # `client_id`, by which a token server may tell clients apart


@valueclass
class Realm:
    """The absolute URL of a token server's endpoint, its query included."""

    url: str

    @classmethod
    def parse(cls, text: str, request_url: str) -> Self:
        """Parse the realm of a challenge; a relative one is resolved against the URL of the request (as regctl does).

        Raises ProtocolError if it is not an http(s) URL with a host, or has credentials.
        """
        text = text.strip()
        parts = _split(request_url, text)
        if (
            not _VISIBLE.fullmatch(text)
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or "@" in parts.netloc
        ):
            raise ProtocolError("the realm of the challenge is no http or https URL")
        return cls(parts._replace(fragment="").geturl())

    @property
    def parts(self) -> SplitResult:
        """The components of the URL."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """Host and port as the URL has them, in lower case. Each such host has a limiter of its own."""
        return self.parts.netloc.lower()

    def with_query(self, service: str | None, scope: str | None) -> str:
        """Return the URL of a GET token request (distribution docs/spec/auth/token.md). None: the parameter is omitted.

        The query of the realm is kept. There is no parameter `account`: docker_auth answers 400 unless it equals the user.
        """
        wanted = {"service": service, "scope": scope, "client_id": _CLIENT}
        query = urlencode({name: value for name, value in wanted.items() if value}, safe=":/,*", errors="replace")
        kept = self.parts.query
        return self.parts._replace(query=f"{kept}&{query}" if kept else query).geturl()

    def form(self, service: str | None, scope: str | None, identity: str) -> bytes:
        """Return the body of a POST token request with an identity token (distribution docs/spec/auth/oauth.md)."""
        wanted = {
            "grant_type": "refresh_token",
            "service": service,
            "client_id": _CLIENT,
            "scope": scope,
            "refresh_token": identity,
        }
        return urlencode({name: value for name, value in wanted.items() if value}, errors="replace").encode()


def _split(base: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(urljoin(base, text))
        parts.port  # noqa: B018 (raises ValueError for a malformed port)
    except ValueError as error:
        raise ProtocolError("the realm of the challenge is no URL") from error
    return parts


def is_inward(host: str) -> bool:
    """Tell whether a host name is localhost, or an address literal of this machine or a private network; no DNS is asked."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return not address.is_global or address.is_multicast


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address literal is that of this machine's loopback interface."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost":  # many systems resolve `*.localhost` by DNS, so it may lead anywhere
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refuse_realm(realm: Realm, *, registry_scheme: str, registry_inward: bool, plain_http: bool) -> str | None:
    """Return why no credentials may be sent to a realm; None: they may.

    Over plain HTTP they are sent only to loopback, or where the user allowed it. If the registry is public, they are never
    sent into a private network: such a request could attack a service there (go-containerregistry `validateRealmURL`).
    """
    name = realm.parts.hostname or ""
    if realm.parts.scheme == "http":
        if registry_scheme == "https":
            return "the registry speaks HTTPS, but its token server is announced with plain HTTP"
        if not plain_http and not is_loopback(name):
            return "the token server is announced with plain HTTP"
    if is_inward(name) and not registry_inward:
        return "the registry is on a public address, but announces a token server on a private one"
    return None
