"""Final answers turned into results: a manifest, a digest, a deletion. Raises RequestFailed otherwise."""

from dataclasses import dataclass
from enum import Enum

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, RequestFailed
from bulkrm.model.manifest import MEDIA_TYPES, SCHEMA1_TYPES, Manifest, Resolved, is_readable
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.protocol.explanation import said
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.refusal import clean, is_registry_answer, refusal
from bulkrm.protocol.traits import Traits

_OK = 200
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """Whose answer it is: for messages, hints and the manners of the host."""

    host: str
    request: Request
    traits: Traits

    def fail(self, answer: Answer) -> RequestFailed:
        """Turn a final answer that is no success into an error."""
        return RequestFailed(refusal(answer, self.host, self.request, self.traits))


def manifest(
    context: AnswerContext, answer: Answer, asked: Digest | None, *, of_any_type: bool = False
) -> Manifest | None:
    """Read the answer to GET manifest; None where the registry itself says that there is none.

    The digest is computed over the bytes and compared with the header, and with `asked` if the GET was by digest.
    `of_any_type`: types that are not known are taken as well, where the registry names the digest, by which it is seen
    that this is no page of a proxy. Nothing like that is ever deleted, but it may be kept, and need something.
    """
    if answer.status == _NOT_FOUND and is_registry_answer(answer):
        return None
    if answer.status != _OK:
        raise context.fail(answer)
    media_type = _media_type(answer)
    if media_type not in MEDIA_TYPES and not (of_any_type and header_digest(answer) is not None):
        message = f"the answer's type is {clean(media_type, 80) or 'missing'}, which is no manifest's{said(answer)}"
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


def head(answer: Answer, asked: Digest | None = None) -> Resolved | Head:
    """Read the answer to HEAD manifest. One that speaks of another digest than was `asked` for is none."""
    if answer.status == _OK:
        digest = header_digest(answer)
        if asked is not None and digest is not None and digest != asked:
            return Head.UNCLEAR
        length = answer.headers.get("Content-Length", "")
        size = int(length[:12]) if length.isascii() and length.isdigit() else 0
        media_type = _media_type(answer)
        # A HEAD that does not say what it is could hide an index, and an index what it needs.
        known = digest is not None and media_type in MEDIA_TYPES
        return Resolved(digest, media_type, size) if digest is not None and known else Head.UNCLEAR
    proven = answer.status == _NOT_FOUND and "Docker-Distribution-Api-Version" in answer.headers
    return Head.ABSENT if proven else Head.UNCLEAR


class DeleteAnswer(Enum):
    """What the answer to a DELETE says by itself."""

    DONE = "done"
    ASK = "ask"  # find out by HEAD whether it is gone


def deletion(context: AnswerContext, answer: Answer) -> DeleteAnswer:
    """Read the answer to DELETE manifest. Only 202 with no complaint in its body is a deletion by itself.

    200 and 204 occur (some vendors), but also come from a proxy's page; 404 may mean that the path is not routed; 5xx
    that it was done all the same (a lost race on distribution 3, Docker Hub finishing in the background); and a 202
    with an error in its body that untagging failed half-way (distribution 3). All those are proved by a HEAD.
    """
    if answer.status == 202 and not answer.body.strip():  # noqa: PLR2004
        return DeleteAnswer.DONE
    if answer.status in (200, 202, 204, _NOT_FOUND) or answer.status >= 500:  # noqa: PLR2004
        return DeleteAnswer.ASK
    raise context.fail(answer)


_CREATED = 201


def pushed(context: AnswerContext, answer: Answer, digest: Digest) -> bool:
    """Read the answer to PUT manifest; False: find out by HEAD whether it is there."""
    stated = header_digest(answer)
    if answer.status == _CREATED and stated is not None and stated != digest:
        message = f"the registry stored {stated.short} instead of {digest.short}"
        hint = "something between here and the registry changes the bytes"
        raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, message, answer.status, hint))
    if answer.status in (_CREATED, 200, 202, 204):
        return answer.status == _CREATED
    raise context.fail(answer)


def deletes_tags(context: AnswerContext, answer: Answer) -> bool:
    """Read the answer to DELETE of a tag that does not exist: only the registry's own 404 says that tags are deleted."""
    if answer.status == _NOT_FOUND:
        return is_registry_answer(answer)
    if answer.status in (401, 403) or answer.status >= 500:  # noqa: PLR2004
        raise context.fail(answer)
    return False


def deletes_digests(context: AnswerContext, answer: Answer) -> None:
    """Read the answer to DELETE of a digest that does not exist. Raises where the registry does not delete."""
    missing = answer.status == _NOT_FOUND and is_registry_answer(answer)
    if not missing and answer.status not in (200, 202, 204):
        raise context.fail(answer)
