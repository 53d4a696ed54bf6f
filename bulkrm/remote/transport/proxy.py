"""Which proxy a request goes through.

The proxies are a value: by the scheme of a URL, `all` for every scheme, and `no` for what goes past them, as
`urllib.request.getproxies_environment` reads them. aiohttp's `trust_env` would read `.netrc` as well.
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
    """The environment names a proxy that nothing can be sent through. Its text holds no part of the proxy's address."""

    def __init__(self, variable: str, what: str) -> None:
        """Say which variable is wrong, and why."""
        super().__init__(f"{variable} {what}")
        self.variable = variable
        self.what = what


def proxy_for(url: str, proxies: Mapping[str, str]) -> str | None:
    """Return the proxy for a URL: that of its scheme, else the one for all, but not where `no` says.

    Never for loopback: a proxy elsewhere would reach its own. Raises UnusableProxy.
    """
    if not proxies:
        return None
    parts = urlsplit(url)
    if is_loopback(parts.hostname or "") or _goes_past(parts, proxies.get("no", "")):
        return None
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind)
    return _checked(proxy, f"{kind.upper()}_PROXY") if proxy else None


def refuse_unusable(urls: Iterable[str], proxies: Mapping[str, str]) -> None:
    """Raise InputError where one of these URLs would go through a proxy that cannot be used."""
    for url in urls:
        try:
            proxy_for(url, proxies)
        except UnusableProxy as error:
            host = urlsplit(url).hostname
            remedy = f"set it to the http:// or https:// address of a proxy, or put {host} into NO_PROXY"
            raise InputError(Problem(error.variable, error.what, remedy)) from error


def _checked(proxy: str, variable: str) -> str:
    """Return the proxy as a URL; `proxy:3128` means an HTTP proxy, as it does for curl."""
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
    """Tell whether `NO_PROXY` names a host: by its name or a domain of it, an address or a network, or by `*`.

    An entry with a port holds for that port only. A domain includes itself, with or without a dot before (as curl).
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
