"""The keys of a credentials file, and the key that applies to a repository. Pure.

A key is a host, or a host and the first components of a repository's path (containers-auth.json(5):
`host/namespace/repository`, `host/namespace`, `host`). The most specific key that covers the repository applies. A key
covers whole components of the path only: `host/team-a` covers `host/team-a/app`, but not `host/team-ab`.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from bulkrm.model.errors import InputError
from bulkrm.model.reference import HTTPS_PORT, HUB, parse_host

T = TypeVar("T")
_LONGEST = 512  # a host and a path have 255 characters each at most
# The paths of Docker's old API, at any registry: a key with such a path means the whole host.
_OLD_PATHS = frozenset({"v1", "v2"})


def normal_key(text: str, default_port: int = HTTPS_PORT) -> str | None:
    """Return the normal form of a key, `host` or `host/path`; None: it is not the key of a registry.

    A key with a scheme means its host, whatever its path (containers/image pkg/docker/config `normalizeAuthFileKey`,
    docker/cli `ConvertToHostname`); Docker Hub's is the URL `https://index.docker.io/v1/`.
    """
    if len(text) > _LONGEST:
        return None
    scheme, separator, rest = text.partition("://")
    host_text, _, path = (rest if separator else scheme).partition("/")
    try:
        host = parse_host(host_text, default_port)
    except InputError:
        return None
    is_old = path.rstrip("/") in _OLD_PATHS and (path.endswith("/") or host == HUB)
    path = "" if separator or is_old else path.strip("/")
    return f"{host}/{path}" if path else host


def is_url(text: str) -> bool:
    """Tell whether a key has a scheme, as old versions of Docker wrote it."""
    return "://" in text


def covering_keys(host: str, path: str) -> Iterator[str]:
    """Yield every key in normal form that covers a repository, the most specific one first; `path` "": the host alone."""
    while path:
        yield f"{host}/{path}"
        path = path.rpartition("/")[0]
    yield host


def most_specific(entries: Mapping[str, T], host: str, path: str) -> T | None:
    """Return the entry of the most specific key that covers a repository; None: no key does."""
    return next((entries[key] for key in covering_keys(host, path) if key in entries), None)


def host_of(key: str) -> str:
    """Return the host of a key in normal form."""
    return key.partition("/")[0]
