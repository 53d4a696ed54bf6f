"""Takes out of what a server says what was told to it in confidence.

A registry or token server may repeat the credentials of a request: in an error's message, in a header, or in bytes that
are no HTTP and end up in the text of an error. From there they would reach a terminal, a report and the record of a run.

What a program acts on must not change with a password that happens to be in it ("token", in the URL of a realm). So
manifests and lists stay as they are, and most headers lose only what is too long to be there by chance.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.protocol.message import Answer, Broken

_MASK = "***"
_SHORTEST = 8  # characters; shorter passwords are words that stand in many texts
_NO_WORD = 16  # what is longer is no word of a registry's
_QUOTED = "Content-Type"  # the header that messages quote
_DATA = "application/"  # manifests, lists and tokens: their bytes count
_SUCCESS = 300
# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


class Redaction:
    """Remembers the passwords that were sent. A token is taken out of the answer to the request that carried it."""

    def __init__(self) -> None:
        """Begin without any."""
        self._passwords: frozenset[str] = frozenset()

    def apply(self, answer: Answer | Broken, authorization: str | None) -> Answer | Broken:
        """Return the answer without the credentials of this request's `Authorization`, and without known passwords."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme == "Basic" and secret not in self._passwords:
            self._passwords |= {secret, *_password(secret)}
        known = {text for text in {secret, *self._passwords} if len(text) >= _SHORTEST}
        return _without(answer, sorted(known, key=len, reverse=True)) if known else answer


def public(url: str) -> str:
    """Return a URL without what may be secret in its query."""
    if "?" not in url and "#" not in url:
        return url
    parts = urlsplit(url)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in _LOGGED], safe=":/,")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def _password(basic: str) -> Iterable[str]:
    """Yield the password in the credentials of Basic (RFC 7617)."""
    try:
        yield base64.b64decode(basic).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return


def _without(answer: Answer | Broken, secrets: Sequence[str]) -> Answer | Broken:
    if isinstance(answer, Broken):
        return replace(answer, message=_masked(answer.message, secrets))
    is_data = answer.status < _SUCCESS and answer.headers.get(_QUOTED, _DATA).startswith(_DATA)
    long = [secret for secret in secrets if len(secret) > _NO_WORD]
    pairs = [
        (name, _masked(value, secrets if name.title() == _QUOTED else long)) for name, value in answer.headers.items()
    ]
    if pairs != list(answer.headers.items()):
        answer = replace(answer, headers=CIMultiDictProxy(CIMultiDict(pairs)))
    if is_data:
        return answer
    body = answer.body
    for secret in secrets:
        body = body.replace(secret.encode(), _MASK.encode())
    return answer if body == answer.body else replace(answer, body=body)


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return text
