"""Turns final answers to requests for a listing into pages. Raises RequestFailed for other answers."""

from urllib.parse import unquote

from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.http_status import BAD_REQUEST, MULTIPLE_CHOICES, NOT_FOUND, OK
from bulkrm.model.manifests.manifest import INDEX_TYPES, children, is_readable
from bulkrm.model.reference import Repository, is_path, is_tag
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.explanation import clean, error_entries, explained, is_registry_answer
from bulkrm.protocol.interpret import AnswerContext
from bulkrm.protocol.listing.link import next_target, same_repository
from bulkrm.protocol.message import Answer

_NO_API = frozenset({400, 404, 405, 406, 410, 501})
# A page that is too large: distribution 2.8 answers 400 PAGINATION_NUMBER_INVALID (registry/handlers/catalog.go).
_TOO_MANY = frozenset({400, 413, 422})
_NOT_THE_SIZE = frozenset({"NAME_INVALID", "NAME_UNKNOWN", "UNAUTHORIZED", "DENIED", "UNSUPPORTED"})
_AGAIN = "run again; if it stays so, the registry's listing cannot be relied on"


@valueclass
class Page:
    """One page of a listing.

    `names`: the valid names. `next`: the target of the request for the next page, by the Link; None: there is no Link.
    `entries`: the number of entries that the registry sent; `last`: the last of them, valid or not.
    """

    names: tuple[str, ...]
    next: str | None = None
    entries: int = 0
    last: str | None = None


def tag_page(context: AnswerContext, answer: Answer) -> Page | None:
    """Interpret a page of tags; None: the registry answers that it does not know the repository. Raises RequestFailed.

    `"tags": null` is an empty list (distribution 2.8.2, when every tag is gone). Entries that are not tags are dropped:
    digests (Artifactory), null (Nexus; see containers/image).
    """
    return _page(context, answer, "tags")


def repository_page(context: AnswerContext, answer: Answer) -> Page | None:
    """Interpret a page of the catalog; None: there is no catalog. Entries that are not repository names are dropped.

    Raises RequestFailed.
    """
    return _page(context, answer, "repositories")


def referrers_page(context: AnswerContext, answer: Answer) -> Page | None:
    """Interpret a page of referrers; None: the registry does not have the API. Raises RequestFailed.

    Without the API the answer should be 404 (distribution-spec 1.1). In practice registries that do not know the path send
    many other answers, also redirects and web pages (oras-go falls back to the tag schema for all of them).
    """
    if answer.status in _NO_API or MULTIPLE_CHOICES <= answer.status < BAD_REQUEST:
        return None
    if answer.status != OK:
        raise context.fail(answer)
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in INDEX_TYPES or not is_readable(media_type, answer.body):
        return None
    named = children(media_type, answer.body).manifests
    return Page(named, _next(context, answer), len(named))


def refuses_page_size(answer: Answer) -> bool:
    """Tell whether an answer may mean that the requested page is too large."""
    return answer.status in _TOO_MANY and _NOT_THE_SIZE.isdisjoint(entry.code for entry in error_entries(answer))


def broken_listing(what: str, status: int | None = None) -> RequestFailed:
    """Return the error for a listing that cannot be read to its end. No part of it is used: unlisted tags must be known."""
    return RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, what, status, _AGAIN, Reach.REPOSITORY))


def _page(context: AnswerContext, answer: Answer, key: str) -> Page | None:
    if answer.status == NOT_FOUND and is_registry_answer(answer):
        return None
    if answer.status != OK:
        raise context.fail(answer)
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get(key, ""), list | None):
        message = f"the listing is no JSON object with {key!r}{explained(answer)}"
        hint = f"is {context.host} an OCI / Docker v2 registry?"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint))
    _check_owner(body.get("name"), context.request.repository)
    texts = [entry for entry in body[key] or () if entry is not None]
    if not all(isinstance(text, str) for text in texts):
        # A number may be a name without its quotes: the tag 1.10 would have become 1.1.
        raise broken_listing("the listing holds something else than names", answer.status)
    valid = is_tag if key == "tags" else is_path
    names = tuple(text for text in texts if valid(text))
    return Page(names, _next(context, answer), len(body[key] or ()), texts[-1] if texts else None)


def _check_owner(name: object, repository: Repository | None) -> None:
    """Raise RequestFailed for the listing of another repository, which a proxy that mixes up answers may send.

    Leading components may be missing or added: Nexus and Artifactory use some for routing.
    """
    if repository is None or not isinstance(name, str) or not name:
        return
    if not same_repository(unquote(name), repository.path):
        raise broken_listing(f"the answer is the listing of another repository, {clean(name, 80)}", OK)


def _next(context: AnswerContext, answer: Answer) -> str | None:
    try:
        return next_target(answer.headers.getall("Link", []), context.request.target)
    except ProtocolError as error:
        raise broken_listing(f"the listing goes on, but {error}", answer.status) from error
