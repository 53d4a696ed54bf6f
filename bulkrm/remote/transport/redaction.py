"""Removes credentials from the answers of servers.

A registry or token server may repeat the credentials of a request: in the message of an error, in a header, or in bytes
that are not HTTP and become the text of an error. From there they would reach a terminal, a report and the record of a run.

But a short password may also occur in an answer by chance, for instance "token" in the URL of a realm, and a change there
would break the program. So manifests and lists are not changed, and only long secrets are removed from most headers.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import replace
from typing import AnyStr
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.http_status import MULTIPLE_CHOICES
from bulkrm.protocol.message import Answer, NoAnswer

_MASK = "***"
_SHORTEST = 8  # characters; shorter passwords occur in many texts by chance
_NO_WORD = 16  # characters; longer secrets do not occur in a header by chance
_QUOTED = "Content-Type"  # the header that is quoted in messages
_DATA = "application/"  # manifests, lists and tokens: their bytes count
# The only parts of a query that a log may show (as go-containerregistry's redact does).
_LOGGED = frozenset({"scope", "service", "n", "last", "digest"})


class Redaction:
    """Removes all passwords that were sent from all later answers, and a token from the answer to its own request."""

    def __init__(self) -> None:
        """Know no passwords at first; short ones are never removed."""
        self._passwords: frozenset[str] = frozenset()

    def apply(self, answer: Answer | NoAnswer, authorization: str | None) -> Answer | NoAnswer:
        """Return the answer without the credentials of this request's `Authorization`, and without known passwords."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme == "Basic" and secret not in self._passwords:
            self._passwords |= {text for text in (secret, *_password(secret)) if len(text) >= _SHORTEST}
        known = self._passwords if len(secret) < _SHORTEST else (secret, *self._passwords)
        if isinstance(answer, NoAnswer):
            return replace(answer, message=_masked(answer.message, known, _MASK))
        return _without(answer, known) if _may_repeat(answer, known) else answer


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


def _may_repeat(answer: Answer, secrets: Iterable[str]) -> bool:
    """Tell whether an answer has any of these secrets in it; hardly one has, and all answers come by here."""
    told = "\n".join(answer.headers.values())
    body = b"" if _is_data(answer) else answer.body
    for secret in secrets:  # noqa: SIM110 (`any` makes a generator for each answer)
        if secret in told or (body and secret.encode() in body):
            return True
    return False


def _is_data(answer: Answer) -> bool:
    return answer.status < MULTIPLE_CHOICES and answer.headers.get(_QUOTED, _DATA).startswith(_DATA)


def _without(answer: Answer, secrets: Iterable[str]) -> Answer:
    long = [secret for secret in secrets if len(secret) > _NO_WORD]
    headers = CIMultiDict(
        (name, _masked(value, secrets if name.title() == _QUOTED else long, _MASK))
        for name, value in answer.headers.items()
    )
    body = answer.body if _is_data(answer) else _masked(answer.body, map(str.encode, secrets), _MASK.encode())
    return replace(answer, headers=CIMultiDictProxy(headers), body=body)


def _masked(text: AnyStr, secrets: Iterable[AnyStr], mask: AnyStr) -> AnyStr:
    """Return a text without these secrets, the longest first: one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, mask)
    return text
