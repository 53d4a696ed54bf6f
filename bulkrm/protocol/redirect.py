"""Where a blob may be read when the registry sends its client to a store: judged before anything is sent there.

Registries in front of object stores answer 307 to GET of a blob (distribution-spec 1.1, "Pulling blobs"; distribution
registry/handlers/blob.go with `redirect`). Nothing that belongs to the registry goes there, no token and no cookie.
"""

import re
from urllib.parse import urljoin, urlsplit

from bulkrm.model.errors import RequestFailed
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.protocol.auth.realm import is_inward
from bulkrm.protocol.message import Answer

MAX_REDIRECTS = 5
STATUSES = frozenset({301, 302, 303, 307, 308})
_VISIBLE = re.compile(r"[!-~]+")


def next_url(answer: Answer, url: str, *, registry: str, plain_http: bool) -> str:
    """Return where the redirect of a GET leads. `registry`: the name of its host, without a port.

    Raises RequestFailed where it must not be followed: to what is no HTTPS (unless `plain_http`), or from a public
    registry into a private network, where a request could be turned against a service there.
    """
    location = answer.headers.get("Location", "").strip()
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(answer, "to what is no URL") from None
    if not location or not _VISIBLE.fullmatch(location) or not name or "@" in parts.netloc:
        raise _refused(answer, "to what is no URL, or one with credentials")
    if parts.scheme != "https" and not (parts.scheme == "http" and plain_http):
        raise _refused(answer, "to an address that is not HTTPS")
    if is_inward(name) and not is_inward(registry):
        raise _refused(answer, "from a public address to a private one")
    return parts._replace(fragment="").geturl()


def too_many(answer: Answer) -> RequestFailed:
    """Say that the redirects do not end."""
    return _refused(answer, f"more than {MAX_REDIRECTS} times")


def _refused(answer: Answer, where: str) -> RequestFailed:
    what = f"HTTP {answer.status}: the registry redirects the blob {where}"
    hint = "bulkrm does not follow that; what the conditions of the list say of this image is not known"
    return RequestFailed(Failure(FailureCode.REDIRECTED, what, answer.status, hint))
