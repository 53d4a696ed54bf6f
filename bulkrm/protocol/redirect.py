"""Redirects: of blobs to an object store, checked before they are followed; of all else, where they lead is only named.

Registries in front of object stores answer 307 to GET of a blob (distribution-spec 1.1, "Pulling blobs"; distribution
registry/handlers/blob.go with `redirect`). The store gets no token and no cookie of the registry.
"""

import re
from urllib.parse import urljoin, urlsplit

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.protocol.auth.realm import is_inward
from bulkrm.protocol.message import Answer

MAX_REDIRECTS = 5
STATUSES = frozenset({301, 302, 303, 307, 308})
_LONGEST_NAME = 253  # RFC 1035 section 2.3.4
_VISIBLE = re.compile(r"[!-~]+")


def next_url(answer: Answer, url: str, *, registry: str, plain_http: bool) -> str:
    """Return the URL that a redirect of GET `url` leads to. `registry`: the name of the registry's host, without a port.

    Raises RequestFailed where bulkrm must not follow: to plain HTTP (unless `plain_http`), or from a public registry
    into a private network, where the request could attack a service.
    """
    location = answer.headers.get("Location", "").strip()
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(answer, "to something that is no URL") from None
    if not location or not _VISIBLE.fullmatch(location) or not name or "@" in parts.netloc:
        raise _refused(answer, "to something that is no URL, or to a URL with credentials")
    if parts.scheme != "https" and not (parts.scheme == "http" and plain_http):
        raise _refused(answer, "to an address that is not HTTPS")
    if is_inward(name) and not is_inward(registry):
        raise _refused(answer, "from a public address to a private one")
    return parts._replace(fragment="").geturl()


def destination(answer: Answer) -> str:
    """Return the scheme and host that an answer redirects to, to be shown; "" for a relative URL, and for none."""
    location = answer.headers.get("Location", "").strip()
    try:
        parts = urlsplit(location)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not _VISIBLE.fullmatch(location) or parts.scheme not in ("http", "https") or not name:
        return ""
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name[:_LONGEST_NAME]}" + (f":{port}" if port is not None else "")


def too_many(answer: Answer) -> RequestFailed:
    """Return the error for more than `MAX_REDIRECTS` redirects."""
    return _refused(answer, f"more than {MAX_REDIRECTS} times")


def _refused(answer: Answer, where: str) -> RequestFailed:
    what = f"HTTP {answer.status}: the registry redirects the blob {where}"
    hint = "bulkrm does not follow such redirects, so it cannot tell whether the conditions of the list keep this image"
    return RequestFailed(Failure(FailureCode.REDIRECTED, what, answer.status, hint))
