"""Turns unsuccessful final answers into failures, each with a code, a hint and a reach."""

from bulkrm.model.http_status import BAD_REQUEST, FORBIDDEN, METHOD_NOT_ALLOWED, NOT_FOUND, UNAUTHORIZED
from bulkrm.model.limits import RAISE_LIMIT
from bulkrm.model.result.failure import Failure, FailureCode, Reach, StillTagged
from bulkrm.model.text.layout import MOST_IN_A_ROW, listed
from bulkrm.protocol.auth.rights import missing_right, not_permitted, permission_hint
from bulkrm.protocol.explanation import (
    clean,
    denies,
    error_entries,
    explanation,
    is_web_page,
    missing_blobs,
)
from bulkrm.protocol.message import (
    CERTIFICATE,
    EXHAUSTED,
    LOST,
    NOT_TLS,
    PROXY,
    TIMEOUT,
    TOO_LARGE,
    UNREACHABLE,
    Answer,
    NoAnswer,
    Request,
)
from bulkrm.protocol.redirect import destination
from bulkrm.protocol.traits import STANDARD, Traits

TAGS_ONLY = (
    "`--strategy tags-first` removes the tags, and the manifests stay until the registry collects them; or delete with "
    "the registry's own tool or web page"
)
DISABLED = (
    "set REGISTRY_STORAGE_DELETE_ENABLED=true for the registry, or storage.delete.enabled: true in its configuration, "
    "and restart it; a pull-through cache never deletes"
)
_NO_DELETION = (
    "the registry does not delete over this protocol. If it is a distribution registry (registry:2, registry:3): "
)
READ_ONLY = (
    "the registry is in read-only mode (storage.maintenance.readonly), or a proxy before it does not let DELETE through; "
    "run again when that is changed"
)
_REDIRECT = (
    "redirects are not followed; write the host that serves these images, and where that is the same one over HTTPS, leave "
    "out --plain-http"
)
_COLLECTED = "garbage collection, or a deletion, has removed it; push the image again from where it was built"
_REDIRECTION = 3  # the class of 301, 302, 303, 307 and 308
LIMITED = "run again later, or with a lower --rate or --concurrency"


def refusal(answer: Answer, host: str, request: Request, traits: Traits = STANDARD) -> Failure:
    """Return the failure for a final answer that is neither a success nor a registry's own 404."""
    codes = {entry.code for entry in error_entries(answer)}
    where = destination(answer) if answer.status // 100 == _REDIRECTION else ""
    detail = f"a redirect to {where}" if where else explanation(answer)
    message = f"HTTP {answer.status}" + (f": {detail}" if detail else "")
    # A web page with 403 comes from a proxy, not from the registry: the refusals of its family do not apply.
    foreign = answer.status == FORBIDDEN and is_web_page(answer)
    for known in traits.refusals:
        if not foreign and known.matches(request.method, answer.status, codes):
            kind = StillTagged if known.tagged else Failure
            return kind(known.code, message, answer.status, known.hint, known.reach)
    if request.method == "PUT" and (what := _missing_parts(answer, codes)):
        return Failure(FailureCode.BLOBS_MISSING, f"HTTP {answer.status}: {what}", answer.status, _COLLECTED)
    if answer.status in (UNAUTHORIZED, FORBIDDEN) or (answer.status == NOT_FOUND and denies(answer)):
        return not_permitted(message, answer.status, _missing_right_hint(answer, request))
    changing = request.method in ("DELETE", "PUT")
    # The specification allows 400 and 405 where deletion is not allowed ("Deleting Manifests"). After DELETE of a tag
    # they only mean that the registry does not delete tags, which a probe finds out.
    unsupported = answer.status == BAD_REQUEST and "UNSUPPORTED" in codes and _names_digest(request)
    code, hint, reach = (
        _not_allowed(answer, codes, request.method)
        if changing and (answer.status == METHOD_NOT_ALLOWED or unsupported)
        else _meaning(answer.status)
    )
    return Failure(code, message, answer.status, hint.format(host=host), reach)


# Gitea answers 404 NAME_UNKNOWN to a PUT where the last version took the package with it
# (go-gitea/gitea routers/api/packages/container/errors.go).
_GONE = frozenset({"NAME_UNKNOWN", "MANIFEST_UNKNOWN"})


def _missing_parts(answer: Answer, codes: set[str]) -> str | None:
    """Return a message about missing blobs of a pushed manifest; None: the registry refused the push for another reason."""
    missing = missing_blobs(answer)
    if missing:
        return f"the registry no longer has {listed(missing, MOST_IN_A_ROW)}"
    if answer.status == NOT_FOUND and _GONE & codes and not denies(answer):
        return "the registry no longer has the repository, nor the blobs of the image"
    return None


def _missing_right_hint(answer: Answer, request: Request) -> str:
    """Return the hint for a 401 or 403; with a web page as its body it may come from a proxy."""
    hint = permission_hint(request.repository, missing_right(request, None))
    if not is_web_page(answer):
        return hint
    return f"a proxy, a firewall or a login page answers in the registry's place; if it is the registry, {hint}"


def _names_digest(request: Request) -> bool:
    return request.method == "DELETE" and ":" in request.target.rpartition("/")[2]


_Meaning = tuple[FailureCode, str, Reach]
_REFUSED: _Meaning = (FailureCode.REFUSED, "the registry refuses this; its message says why", Reach.IMAGE)
_STRANGE: _Meaning = (FailureCode.UNEXPECTED_ANSWER, "is {host} an OCI / Docker v2 registry?", Reach.IMAGE)
_BY_STATUS: dict[int, _Meaning] = {
    404: (FailureCode.NOT_A_REGISTRY, "is {host} an OCI / Docker v2 registry, and is the path right?", Reach.IMAGE),
    407: (
        FailureCode.UNREACHABLE,
        "the proxy wants a user and password: HTTPS_PROXY=http://USER:PASSWORD@PROXY",
        Reach.HOST,
    ),
    408: (FailureCode.TIMEOUT, "raise --timeout, or look at the registry's load", Reach.IMAGE),
    429: (FailureCode.RATE_LIMITED, LIMITED, Reach.IMAGE),
}
_BY_CLASS: dict[int, _Meaning] = {
    _REDIRECTION: (FailureCode.REDIRECTED, _REDIRECT, Reach.IMAGE),
    4: _REFUSED,
    5: (FailureCode.SERVER_ERROR, "look into the registry's log; then run again", Reach.IMAGE),
}


def _meaning(status: int) -> _Meaning:
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _STRANGE)


def _not_allowed(answer: Answer, codes: set[str], method: str) -> _Meaning:
    """Return what a 405, or a 400 UNSUPPORTED, means.

    distribution answers UNSUPPORTED as JSON where deletion is disabled (registry/handlers/manifests.go), and plain text
    "Method not allowed" in its read-only mode (registry/handlers/app.go); others have codes of their own for one image.
    """
    if "UNSUPPORTED" in codes and method == "DELETE":
        # Only distribution and registries like it send this header; the remedy is known only for them.
        known = "Docker-Distribution-Api-Version" in answer.headers
        return FailureCode.DELETION_DISABLED, DISABLED if known else f"{_NO_DELETION}{DISABLED}", Reach.HOST
    return _REFUSED if codes else (FailureCode.READ_ONLY, READ_ONLY, Reach.HOST)


_NO_ANSWER = {
    UNREACHABLE: (
        FailureCode.UNREACHABLE,
        "check the host name, the port, the network and HTTPS_PROXY / NO_PROXY",
        Reach.HOST,
    ),
    EXHAUSTED: (FailureCode.UNREACHABLE, RAISE_LIMIT, Reach.IMAGE),
    CERTIFICATE: (
        FailureCode.CERTIFICATE,
        "give the registry's CA with --ca-file, or accept any certificate with --insecure",
        Reach.HOST,
    ),
    NOT_TLS: (FailureCode.UNREACHABLE, "the server does not speak TLS; to allow plain HTTP: --plain-http", Reach.HOST),
    PROXY: (
        FailureCode.UNREACHABLE,
        "set it to the http:// or https:// address of a proxy, or put the host into NO_PROXY",
        Reach.HOST,
    ),
    TIMEOUT: (FailureCode.TIMEOUT, "raise --timeout, or look at the registry's load", Reach.IMAGE),
    LOST: (FailureCode.CONNECTION_LOST, "run again; the registry or a proxy before it drops connections", Reach.IMAGE),
    TOO_LARGE: (FailureCode.UNEXPECTED_ANSWER, "the answer is larger than any registry should send", Reach.IMAGE),
}


def no_answer(failed: NoAnswer) -> Failure:
    """Return the failure for a request that got no answer."""
    code, hint, reach = _NO_ANSWER[failed.kind]
    return Failure(code, clean(failed.message), None, hint, reach)
