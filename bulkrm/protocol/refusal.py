"""A final answer that is no success, turned into a failure with its code and hint."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.reference import Repository
from bulkrm.protocol.manners import STANDARD, Manners
from bulkrm.protocol.message import (
    CERTIFICATE,
    LOST,
    NOT_TLS,
    PROXY,
    TIMEOUT,
    TOO_LARGE,
    UNREACHABLE,
    Answer,
    Broken,
    Request,
)

_MAX_MESSAGE = 300
_MAX_ERRORS = 20
_MAX_PLAIN = 120


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of the body's `errors` list (distribution-spec, "Error Codes")."""

    code: str
    message: str


def clean(text: str, limit: int = _MAX_MESSAGE) -> str:
    """Make a registry's text fit for a terminal: one line, no control or bidirectional characters, not endless."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c for c in text[: limit * 4])
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def error_entries(answer: Answer) -> tuple[ErrorEntry, ...]:
    """Read the `errors` list of a body; empty where there is none, whatever else the body is."""
    body = answer.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    return tuple(_entries(errors)) if isinstance(errors, list) else ()


def _entries(errors: list[object]) -> Iterator[ErrorEntry]:
    for error in errors[:_MAX_ERRORS]:
        if isinstance(error, dict) and isinstance(error.get("code"), str):
            message = error.get("message")
            yield ErrorEntry(clean(error["code"], 80), clean(message) if isinstance(message, str) else "")


def missing_blobs(answer: Answer) -> tuple[str, ...]:
    """Read which blobs or manifests a pushed manifest names and the registry does not have.

    distribution answers one MANIFEST_BLOB_UNKNOWN for each, with its digest in `detail` (registry/handlers/manifests.go).
    """
    body = answer.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    found = []
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and error.get("code") == "MANIFEST_BLOB_UNKNOWN":
            detail = error.get("detail")
            digest = detail.get("digest") if isinstance(detail, dict) else detail
            found.append(clean(digest, 80) if isinstance(digest, str) else "one that it does not name")
    return tuple(dict.fromkeys(found))


_DENIALS = frozenset({"DENIED", "UNAUTHORIZED", "FORBIDDEN"})


def is_registry_answer(answer: Answer) -> bool:
    """Tell a registry's own "not found" from that of a proxy, a web site or a wrong path, and from a refusal."""
    entries = error_entries(answer)
    if _DENIALS.intersection(entry.code for entry in entries):
        return False  # who may not see it is told that it is not there
    return bool(entries) or "Docker-Distribution-Api-Version" in answer.headers


DISABLED = (
    "set REGISTRY_STORAGE_DELETE_ENABLED=true for the registry, or storage.delete.enabled: true in its configuration, "
    "and restart it; a pull-through cache never deletes"
)
READ_ONLY = (
    "the registry is in read-only mode (storage.maintenance.readonly), or a proxy before it does not let DELETE through; "
    "run again when that is changed"
)
_MAX_NAMED = 3
_COLLECTED = "garbage collection has removed it; push the image again from where it was built"
LIMITED = "run again later, or with a lower --rate or --concurrency"


def no_permission(repository: Repository | None, what: str = "pull and delete") -> str:
    """Say which permission is missing."""
    if repository is None:
        return "listing repositories needs the scope registry:catalog:*; list the repositories by name instead"
    if "push" in what:
        return f"the user needs {what} on {repository}: --allow-decoy and putting something back push"
    return (
        f"the user needs {what} on {repository} (push is not enough); "
        'with docker_auth an ACL with actions ["pull", "delete"] or ["*"]'
    )


def refusal(answer: Answer, host: str, request: Request, manners: Manners = STANDARD) -> Failure:
    """Say what a final answer means that is neither a success nor a proven "not there"."""
    entries = error_entries(answer)
    codes = {entry.code for entry in entries}
    detail = "; ".join(f"{entry.code} {entry.message}".strip() for entry in entries) or _plain_text(answer)
    message = f"HTTP {answer.status}" + (f": {clean(detail)}" if detail else "")
    for known in manners.refusals:
        if known.means(request.method, answer.status, codes):
            return Failure(known.code, message, answer.status, known.hint, known.reach)
    if request.method == "PUT" and (missing := missing_blobs(answer)):
        named = ", ".join(missing[:_MAX_NAMED]) + (
            f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
        )
        what = f"HTTP {answer.status}: the registry no longer has {named}"
        return Failure(FailureCode.BLOBS_MISSING, what, answer.status, _COLLECTED)
    if answer.status in (401, 403) or (answer.status == 404 and _DENIALS & codes):  # noqa: PLR2004
        needed = "pull and push" if request.method == "PUT" else "pull and delete"
        hint = no_permission(request.repository, needed)
        return Failure(FailureCode.NOT_PERMITTED, message, answer.status, hint, Reach.REPOSITORY)
    changing = request.method in ("DELETE", "PUT")
    code, hint, reach = (
        _not_allowed(codes, request.method)
        if changing and answer.status == _METHOD_NOT_ALLOWED
        else _meaning(answer.status)
    )
    return Failure(code, message, answer.status, hint.format(host=host), reach)


def _plain_text(answer: Answer) -> str:
    """Return the beginning of a body that is plain text: proxies and servers before the registry explain themselves so."""
    if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "text/plain":
        return ""
    return clean(answer.body[:_MAX_MESSAGE].decode(errors="replace"), _MAX_PLAIN)


_Meaning = tuple[FailureCode, str, Reach]
_METHOD_NOT_ALLOWED = 405
_REFUSED: _Meaning = (FailureCode.REFUSED, "the registry refuses this; its message says why", Reach.IMAGE)
_STRANGE: _Meaning = (FailureCode.UNEXPECTED_ANSWER, "is {host} an OCI / Docker v2 registry?", Reach.IMAGE)
_BY_STATUS: dict[int, _Meaning] = {
    404: (FailureCode.NOT_A_REGISTRY, "is {host} an OCI / Docker v2 registry, and is the path right?", Reach.IMAGE),
    429: (FailureCode.RATE_LIMITED, LIMITED, Reach.IMAGE),
}
_BY_CLASS: dict[int, _Meaning] = {
    3: (FailureCode.REDIRECTED, "redirects are not followed; write the host that serves these images", Reach.IMAGE),
    4: _REFUSED,
    5: (FailureCode.SERVER_ERROR, "look into the registry's log; then run again", Reach.IMAGE),
}


def _meaning(status: int) -> _Meaning:
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _STRANGE)


def _not_allowed(codes: set[str], method: str) -> _Meaning:
    """Tell the meanings of 405 apart.

    distribution answers UNSUPPORTED as JSON where deletion is disabled (registry/handlers/manifests.go), and plain text
    "Method not allowed" in its read-only mode (registry/handlers/app.go); others have codes of their own for one image.
    """
    if "UNSUPPORTED" in codes and method == "DELETE":
        return FailureCode.DELETION_DISABLED, DISABLED, Reach.HOST
    return _REFUSED if codes else (FailureCode.READ_ONLY, READ_ONLY, Reach.HOST)


_BROKEN = {
    UNREACHABLE: (
        FailureCode.UNREACHABLE,
        "check the host name, the port, the network and HTTPS_PROXY / NO_PROXY",
        Reach.HOST,
    ),
    CERTIFICATE: (
        FailureCode.CERTIFICATE,
        "give the registry's CA with --ca-file, or accept any certificate with --insecure",
        Reach.HOST,
    ),
    NOT_TLS: (FailureCode.UNREACHABLE, "the server does not speak TLS; --plain-http if that is meant", Reach.HOST),
    PROXY: (
        FailureCode.UNREACHABLE,
        "set it to the http:// or https:// address of a proxy, or put the host into NO_PROXY",
        Reach.HOST,
    ),
    TIMEOUT: (FailureCode.TIMEOUT, "raise --timeout, or look at the registry's load", Reach.IMAGE),
    LOST: (FailureCode.CONNECTION_LOST, "run again; the registry or a proxy before it drops connections", Reach.IMAGE),
    TOO_LARGE: (FailureCode.UNEXPECTED_ANSWER, "the answer is larger than any registry should send", Reach.IMAGE),
}


def no_answer(broken: Broken) -> Failure:
    """Say what it means that no answer came."""
    code, hint, reach = _BROKEN[broken.kind]
    return Failure(code, clean(broken.message), None, hint, reach)
