"""The explanation in an unsuccessful answer: the error codes and messages of a registry, or the title of a web page."""

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import Answer

_MAX_MESSAGE = 300
_MAX_ERRORS = 20
_MAX_LINE = 120
_SHORTEST = 4  # a secret with fewer characters would be found in any text
_MASK = "***"
# The keys of the message in the bodies of other servers: Go services `message`, OAuth2 `error_description`, RFC 9457
# `detail` and `title`, Docker Hub's token server `details`.
_TEXTS = ("message", "error_description", "detail", "details", "title", "error")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,1000})", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_DENIALS = frozenset({"DENIED", "UNAUTHORIZED", "FORBIDDEN"})


@valueclass
class ErrorEntry:
    """One entry of the body's `errors` list (distribution-spec, "Error Codes"). `code` "": the entry has only a message."""

    code: str
    message: str


def clean(text: str, limit: int = _MAX_MESSAGE) -> str:
    """Return a registry's text as one line of at most `limit` characters, without control characters."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c for c in text[: limit * 4])
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def error_entries(answer: Answer) -> tuple[ErrorEntry, ...]:
    """Return the entries of a body's `errors` that have a code; () for a body of any other form."""
    return tuple(entry for entry in _entries(answer.json()) if entry.code)


def denies(answer: Answer) -> bool:
    """Tell whether the body has an error code that means a missing right, such as DENIED."""
    return not _DENIALS.isdisjoint(entry.code for entry in error_entries(answer))


def is_registry_answer(answer: Answer) -> bool:
    """Tell whether a 404 comes from a registry, and not from a proxy, a web site or a wrong path, and is not a refusal.

    An error without a code does not count: Artifactory's web pages have some (`{"errors": [{"status": 404, ...}]}`). The
    version header counts only without a body: distribution sends it with every answer, and outside its `http.prefix` that is
    "404 page not found" (registry/handlers/app.go, `ServeHTTP`).
    """
    if denies(answer):
        return False  # the 404 may mean that this user may not see the repository
    return bool(error_entries(answer)) or (
        "Docker-Distribution-Api-Version" in answer.headers and not answer.body.strip()
    )


def explanation(answer: Answer) -> str:
    """Return the message of a body as one short line; "" where it has no readable message."""
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity") and answer.body:
        return f"the body is compressed ({clean(coding, 40)}), although the request does not accept that"
    if is_web_page(answer):
        found = _TITLE.search(answer.body.decode(errors="replace"))
        title = clean(html.unescape(found[1]), _MAX_LINE) if found else ""
        return f"a web page came: {title}" if title else "a web page came"
    body = answer.json()
    entries = "; ".join(f"{entry.code} {entry.message}".strip() for entry in _entries(body))
    return clean(entries or _one_text(body) or _plain_line(answer))


def explained(answer: Answer) -> str:
    """Return `: ` and the message of a body, to end a sentence with; "" where it has no readable message."""
    text = explanation(answer)
    return f": {text}" if text else ""


def is_web_page(answer: Answer) -> bool:
    """Tell whether the body is HTML, which proxies, firewalls and login pages send, but no registry."""
    return (
        _content_type(answer) in ("text/html", "application/xhtml+xml") or _PAGE.match(_beginning(answer)) is not None
    )


def _beginning(answer: Answer) -> bytes:
    return answer.body.removeprefix(_BOM).lstrip()[:32]


def missing_blobs(answer: Answer) -> tuple[str, ...]:
    """Return the digests of blobs or manifests that a pushed manifest names and the registry does not have.

    distribution answers one MANIFEST_BLOB_UNKNOWN for each, with its digest in `detail` (registry/handlers/manifests.go),
    Gitea BLOB_UNKNOWN (routers/api/packages/container/container.go).
    """
    found = []
    for error in _error_list(answer.json()):
        if isinstance(error, dict) and error.get("code") in ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"):
            detail = error.get("detail")
            digest = detail.get("digest") if isinstance(detail, dict) else detail
            found.append(clean(digest, 80) if isinstance(digest, str) and digest else "one that it does not name")
    return tuple(dict.fromkeys(found))


def masked(answer: Answer, secrets: Collection[str]) -> Answer:
    """Return the answer with all secrets masked, in case it repeats the request: in plain, JSON, HTML and URL form."""
    forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    body = answer.body
    for form in sorted(forms, key=len, reverse=True):
        body = body.replace(form.encode(), _MASK.encode())
    fields = answer.headers
    if any(form in value for value in fields.values() for form in forms):
        fields = CIMultiDictProxy(CIMultiDict((name, _without(value, forms)) for name, value in fields.items()))
    return answer if body == answer.body and fields is answer.headers else replace(answer, body=body, headers=fields)


def _without(text: str, forms: Collection[str]) -> str:
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text


def _forms(secret: str) -> Iterator[str]:
    """Yield the forms of a text in plain text, in JSON, in HTML and in a URL."""
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (html.escape(secret), quote(secret, safe=""), quote_plus(secret))


def _error_list(body: object) -> list[object]:
    errors = body.get("errors") if isinstance(body, dict) else None
    return errors[:_MAX_ERRORS] if isinstance(errors, list) else []


def _entries(body: object) -> Iterator[ErrorEntry]:
    for error in _error_list(body):
        if isinstance(error, dict):
            code, message = error.get("code"), error.get("message")
            entry = ErrorEntry(
                clean(code, 80) if isinstance(code, str) else "",
                clean(message) if isinstance(message, str) else "",
            )
        else:
            entry = ErrorEntry("", clean(error) if isinstance(error, str) else "")
        if entry.code or entry.message:
            yield entry


def _one_text(body: object) -> str:
    """Return the message of a body such as `{"error": "..."}` or `{"error": {"message": "..."}}`; "" for other forms."""
    if not isinstance(body, Mapping):
        return ""
    inner = body.get("error")
    found = _one_text(inner) if isinstance(inner, dict) and "error" not in inner else ""
    return found or next((text for name in _TEXTS if isinstance(text := body.get(name), str) and text.strip()), "")


def _plain_line(answer: Answer) -> str:
    """Return the first line of a plain-text body, in which proxies explain their errors; "" for any other body."""
    if _content_type(answer) != "text/plain" or answer.json() is not None:
        return ""
    lines = answer.body[: _MAX_MESSAGE * 4].decode(errors="replace").strip().splitlines()
    return clean(lines[0], _MAX_LINE) if lines else ""


def _content_type(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
