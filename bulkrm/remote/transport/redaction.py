"""Removes credentials from the answers of servers.

A registry or token server may repeat the credentials of a request: in the message of an error, in a header, or in bytes
that are not HTTP and become the text of an error. From there they would reach a terminal, a report and the record of a run.

But a short password may also occur in an answer by chance, for instance "token" in the URL of a realm, and a change there
would break the program. So manifests and lists are not changed, and only long secrets are removed from most headers.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.protocol.message import Answer, NoAnswer

_MASK = "***"
_SHORTEST = 8  # characters; shorter passwords occur in many texts by chance
_NO_WORD = 16  # characters; longer secrets do not occur in a header by chance
_QUOTED = "Content-Type"  # the header that is quoted in messages
_DATA = "application/"  # manifests, lists and tokens: their bytes count
_SUCCESS = 300
# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


class Redaction:
    """Removes all passwords that were sent from all later answers, and a token from the answer to its own request."""

    def __init__(self) -> None:
        """Know no passwords at first."""
        self._passwords: frozenset[str] = frozenset()

    def apply(self, answer: Answer | NoAnswer, authorization: str | None) -> Answer | NoAnswer:
        """Return the answer without the credentials of this request's `Authorization`, and without known passwords."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme == "Basic" and secret not in self._passwords:
            self._passwords |= {secret, *_password(secret)}
        known = {text for text in {secret, *self._passwords} if len(text) >= _SHORTEST}
        return _without(answer, sorted(known, key=len, reverse=True)) if known else answer


def public(url: str) -> str:
    """Return a URL without the parts of its query that may be secret."""
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


def _without(answer: Answer | NoAnswer, secrets: Sequence[str]) -> Answer | NoAnswer:
    if isinstance(answer, NoAnswer):
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
