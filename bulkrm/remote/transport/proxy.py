"""Chooses the proxy for a request.

The proxies are a mapping: by the scheme of a URL, `all` for every scheme, and `no` for hosts without a proxy, as
`urllib.request.getproxies_environment` returns it. aiohttp's `trust_env` would read `.netrc` as well.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

from bulkrm.model.errors import InputError, Problem
from bulkrm.protocol.auth.realm import is_loopback

_SUPPORTED = ("http", "https")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_PORTS = {"http": 80, "https": 443}


class UnusableProxy(ValueError):  # noqa: N818 (it reads as what was found)
    """A variable names a proxy that cannot be used. The text has no part of its address, which may have a password."""

    def __init__(self, variable: str, what: str) -> None:
        """`variable`: its name; `what`: the end of a sentence that begins with it."""
        super().__init__(f"{variable} {what}")
        self.variable = variable
        self.what = what


def proxy_for(url: str, proxies: Mapping[str, str]) -> str | None:
    """Return the proxy for a URL: that of its scheme, else that of `all`; None: none, or `no` names the host.

    There is no proxy for loopback, which would be that of the proxy's machine. Raises UnusableProxy.
    """
    parts = urlsplit(url)
    if is_loopback(parts.hostname or "") or _goes_past(parts, proxies.get("no", "")):
        return None
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind)
    return _checked(proxy, f"{kind.upper()}_PROXY") if proxy else None


def refuse_unusable(urls: Iterable[str], proxies: Mapping[str, str]) -> None:
    """Raise InputError if the proxy for one of these URLs cannot be used."""
    for url in urls if proxies else ():
        try:
            proxy_for(url, proxies)
        except UnusableProxy as error:
            host = urlsplit(url).hostname
            remedy = f"set it to the http:// or https:// address of a proxy, or put {host} into NO_PROXY"
            raise InputError(Problem(error.variable, error.what, remedy)) from error


def _checked(proxy: str, variable: str) -> str:
    """Return the URL of a proxy; `proxy:3128` means an HTTP proxy, as for curl. Raises UnusableProxy."""
    scheme = _SCHEME.match(proxy)
    if scheme is None:
        proxy = f"http://{proxy}"
    elif scheme[1].lower() not in _SUPPORTED:
        raise UnusableProxy(variable, f"names a {scheme[1].lower()[:20]}:// proxy, which is not supported")
    try:
        parts = urlsplit(proxy)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UnusableProxy(variable, "is no address of a proxy")
    return proxy


def _goes_past(parts: SplitResult, no_proxy: str) -> bool:
    """Tell whether `NO_PROXY` names a host: by its name or its domain, by its address or network, or by `*`.

    An entry with a port applies to that port only. A domain includes itself, with or without a leading dot (as in curl).
    """
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme)
    return any(_is_named(host, port, entry) for entry in no_proxy.lower().replace(",", " ").split())


def _is_named(host: str, port: int | None, entry: str) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, _, digits = entry.rpartition(":") if re.search(r"[^:]:\d+$|\]:\d+$", entry) else (entry, "", "")
    if digits and int(digits) != port:
        return False
    domain = name.removeprefix("*").strip("[]").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))
