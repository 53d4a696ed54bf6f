"""What is shown of requests: waits that people would wonder about, and with -v every request, without its secrets."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from bulkrm.cli.options.declared import Talk
from bulkrm.cli.terminal.progress import Display
from bulkrm.remote.registries import Listening

# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


def listening_of(talk: Talk, shown: Display) -> Listening:
    """Say who hears of waits and, with -v, of every request."""

    def trace(method: str, url: str, result: str) -> None:
        shown.say(f"{method} {public(url)}: {result}")

    return Listening(shown.say, trace) if talk.verbose else Listening(shown.say)


def public(url: str) -> str:
    """Return a URL without what may be secret in its query."""
    parts = urlsplit(url)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in _LOGGED], safe=":/,")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")
