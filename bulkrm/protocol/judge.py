"""Final answers turned into results: a manifest, a digest, a page of tags, a deletion. Raises RequestFailed otherwise."""

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urljoin, urlsplit

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, RequestFailed
from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.manifest import INDEX_TYPES, MEDIA_TYPES, SCHEMA1_TYPES, Manifest, Resolved, children, is_readable
from bulkrm.model.reference import is_path, is_tag
from bulkrm.protocol.manners import Manners
from bulkrm.protocol.message import PAGE, Answer, Request
from bulkrm.protocol.refusal import clean, is_registry_answer, refusal

_OK = 200
_NOT_FOUND = 404
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel\s*=\s*"?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """Whose answer it is: for messages, hints and the manners of the host."""

    host: str
    request: Request
    manners: Manners

    def fail(self, answer: Answer) -> RequestFailed:
        """Turn a final answer that is no success into an error."""
        return RequestFailed(refusal(answer, self.host, self.request, self.manners))


def manifest(context: Context, answer: Answer, asked: Digest | None) -> Manifest | None:
    """Read the answer to GET manifest; None where the registry itself says that there is none.

    The digest is computed over the bytes and compared with the header, and with `asked` if the GET was by digest.
    """
    if answer.status == _NOT_FOUND and is_registry_answer(answer):
        return None
    if answer.status != _OK:
        raise context.fail(answer)
    media_type = _media_type(answer)
    if media_type not in MEDIA_TYPES:
        message = f"the answer's type is {clean(media_type) or 'missing'}, which is no manifest's"
        hint = f"is {context.host} an OCI / Docker v2 registry?"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint))
    digest = _verified_digest(answer, media_type, asked)
    if not is_readable(media_type, answer.body):
        hint = "look at it with another tool; what it needs cannot be told"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, "the index cannot be read", answer.status, hint))
    return Manifest(digest, media_type, answer.body)


_SHARED_NAMES = {name: name for name in MEDIA_TYPES}  # one text for hundreds of thousands of manifests


def _media_type(answer: Answer) -> str:
    name = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return _SHARED_NAMES.get(name, name)


def _verified_digest(answer: Answer, media_type: str, asked: Digest | None) -> Digest:
    stated = header_digest(answer)
    expected = asked or stated
    if media_type in SCHEMA1_TYPES and expected is None:
        hint = "read it by its digest, or delete it with the registry's own tool"
        what = "a schema 1 manifest came without its digest, which its bytes do not tell"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, what, answer.status, hint))
    if media_type in SCHEMA1_TYPES and expected is not None:
        # The digest of a signed schema 1 manifest leaves its signatures out, so it is not that of the bytes
        # (distribution v2.8.2 manifest/schema1); the header is all there is.
        computed = stated or expected
    else:
        computed = Digest.of(answer.body, expected.algorithm if expected else "sha256")
    for other in (asked, stated):
        if other is not None and other.algorithm == computed.algorithm and other != computed:
            message = f"the registry promised {other.short} and sent {computed.short}"
            hint = "nothing was deleted; something between here and the registry, or its storage, changes the bytes"
            raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, message, answer.status, hint))
    return asked or stated or computed


def header_digest(answer: Answer) -> Digest | None:
    """Read `Docker-Content-Digest`; None where it is missing or malformed (only SHOULD in distribution-spec 1.1)."""
    try:
        return Digest(answer.headers.get("Docker-Content-Digest", "").strip())
    except InputError:
        return None


class Head(Enum):
    """What HEAD of a manifest can tell beside a digest."""

    ABSENT = "absent"
    UNCLEAR = "unclear"  # HEAD errors have no body: only a GET says why


def head(answer: Answer) -> Resolved | Head:
    """Read the answer to HEAD manifest."""
    if answer.status == _OK:
        digest = header_digest(answer)
        length = answer.headers.get("Content-Length", "")
        size = int(length[:12]) if length.isascii() and length.isdigit() else 0
        media_type = _media_type(answer)
        # A HEAD that does not say what it is could hide an index, and an index what it needs.
        known = digest is not None and media_type in MEDIA_TYPES
        return Resolved(digest, media_type, size) if digest is not None and known else Head.UNCLEAR
    proven = answer.status == _NOT_FOUND and "Docker-Distribution-Api-Version" in answer.headers
    return Head.ABSENT if proven else Head.UNCLEAR


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `next` is the target of the next page's request; `guessed`: without a Link that said so."""

    names: tuple[str, ...]
    next: str | None
    guessed: bool = False


def tag_page(context: Context, answer: Answer, base: str) -> Page | None:
    """Read a page of tags; `base` is scheme and host. None where the registry says it does not know the repository.

    null is an empty list (distribution 2.8.2, when every tag is gone); entries that are no tags are dropped.
    """
    return _page(context, answer, base, "tags")


def repository_page(context: Context, answer: Answer, base: str) -> Page | None:
    """Read a page of the catalog; entries that are no repository names are dropped."""
    return _page(context, answer, base, "repositories")


def _page(context: Context, answer: Answer, base: str, key: str) -> Page | None:
    if answer.status == _NOT_FOUND and is_registry_answer(answer):
        return None
    if answer.status != _OK:
        raise context.fail(answer)
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get(key, ""), list | None):
        message = f"the listing is no JSON object with {key!r}"
        hint = f"is {context.host} an OCI / Docker v2 registry?"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint))
    valid = is_tag if key == "tags" else is_path
    good = tuple(name for name in body[key] or () if isinstance(name, str) and valid(name))
    following = _next_target(answer, base + context.request.target, context.host)
    if following is None and len(body[key] or ()) == PAGE and good:
        # A full page without a Link: at the end, or a registry that sends none (sonatype/nexus-public#209). Ask.
        path = context.request.target.partition("?")[0]
        return Page(good, f"{path}?n={PAGE}&last={quote(good[-1], safe='')}", guessed=True)
    return Page(good, following)


def _next_target(answer: Answer, url: str, host: str) -> str | None:
    """Follow `Link: <...>; rel="next"` only on the same scheme and host, and pass its path and query on as they are."""
    match = next((found for line in answer.headers.getall("Link", []) if (found := _NEXT.search(line))), None)
    if match is None:
        return None
    here = urlsplit(url)
    try:
        there = urlsplit(urljoin(url, str(match[1])))
    except ValueError:
        there = urlsplit("")
    if (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
        message = f"the listing of {host} continues elsewhere, at {clean(there.netloc, 80) or 'what is no URL'}"
        hint = "bulkrm does not follow it; a proxy before the registry may need X-Forwarded-Host and -Proto"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint, Reach.REPOSITORY))
    return there.path + (f"?{there.query}" if there.query else "")


class Deletion(Enum):
    """What the answer to a DELETE says by itself."""

    DONE = "done"
    ASK = "ask"  # find out by HEAD whether it is gone


def deletion(context: Context, answer: Answer) -> Deletion:
    """Read the answer to DELETE manifest. Only 202 with no complaint in its body is a deletion by itself.

    200 and 204 occur (some vendors), but also come from a proxy's page; 404 may mean that the path is not routed; 5xx
    that it was done all the same (a lost race on distribution 3, Docker Hub finishing in the background); and a 202
    with an error in its body that untagging failed half-way (distribution 3). All those are proved by a HEAD.
    """
    if answer.status == 202 and not answer.body.strip():  # noqa: PLR2004
        return Deletion.DONE
    if answer.status in (200, 202, 204, _NOT_FOUND) or answer.status >= 500:  # noqa: PLR2004
        return Deletion.ASK
    raise context.fail(answer)


_CREATED = 201
_NO_API = frozenset({400, 404, 405, 406, 410, 501})


def pushed(context: Context, answer: Answer, digest: Digest) -> bool:
    """Read the answer to PUT manifest; False: find out by HEAD whether it is there."""
    stated = header_digest(answer)
    if answer.status == _CREATED and stated is not None and stated != digest:
        message = f"the registry stored {stated.short} instead of {digest.short}"
        hint = "something between here and the registry changes the bytes"
        raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, message, answer.status, hint))
    if answer.status in (_CREATED, 200, 202, 204):
        return answer.status == _CREATED
    raise context.fail(answer)


def deletes_tags(context: Context, answer: Answer) -> bool:
    """Read the answer to DELETE of a tag that does not exist: only the registry's own 404 says that tags are deleted."""
    if answer.status == _NOT_FOUND:
        return is_registry_answer(answer)
    if answer.status in (401, 403) or answer.status >= 500:  # noqa: PLR2004
        raise context.fail(answer)
    return False


def deletes_digests(context: Context, answer: Answer) -> None:
    """Read the answer to DELETE of a digest that does not exist. Raises where the registry does not delete."""
    missing = answer.status == _NOT_FOUND and is_registry_answer(answer)
    if not missing and answer.status not in (200, 202, 204):
        raise context.fail(answer)


def referrers_page(context: Context, answer: Answer, base: str) -> Page | None:
    """Read a page of referrers; None where the registry has no such API.

    The specification has 404 for that; registries that know nothing of the path answer whatever they answer to such,
    redirects and web pages too (oras-go falls back for all of them).
    """
    if answer.status in _NO_API or 300 <= answer.status < 400:  # noqa: PLR2004
        return None
    if answer.status != _OK:
        raise context.fail(answer)
    if _media_type(answer) not in INDEX_TYPES or not is_readable(_media_type(answer), answer.body):
        return None
    named = children(_media_type(answer), answer.body)
    return Page(named.manifests, _next_target(answer, base + context.request.target, context.host))
