"""Every request becomes an event, without what may be secret in its URL."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from bulkrm.model.events import EventListener, RequestAnswered
from bulkrm.remote.transport.sessions import Trace

# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


def tracing(tell: EventListener) -> Trace:
    """Return what the transport calls after each request, so that the listener hears of it."""

    def trace(method: str, url: str, result: str) -> None:
        tell(RequestAnswered(method, public(url), result))

    return trace


def public(url: str) -> str:
    """Return a URL without what may be secret in its query."""
    if "?" not in url and "#" not in url:
        return url
    parts = urlsplit(url)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in _LOGGED], safe=":/,")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")
