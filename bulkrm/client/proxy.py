"""Proxies from the environment, taken by hand: aiohttp's `trust_env` would read `.netrc` as well."""

import urllib.request
from functools import lru_cache
from urllib.parse import urlsplit

from bulkrm.protocol.realm import is_loopback


@lru_cache(maxsize=1)
def _proxies() -> dict[str, str]:
    return urllib.request.getproxies_environment()


def proxy_for(url: str) -> str | None:
    """Return the proxy for a URL: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` in either case, but not where `NO_PROXY` says.

    Never for loopback: a proxy elsewhere would reach its own.
    """
    proxies = _proxies()
    if not proxies:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or _bypass(parts.netloc, proxies):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _bypass(netloc: str, proxies: dict[str, str]) -> bool:
    # In the standard library since 2.6 and documented by its use in `urllib`, but missing from typeshed's stubs.
    return bool(urllib.request.proxy_bypass_environment(netloc, proxies))  # type: ignore[attr-defined]
