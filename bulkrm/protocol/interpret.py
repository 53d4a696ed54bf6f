"""Turns final answers into results: a manifest, a digest, an accepted deletion. Raises RequestFailed for other answers."""

from enum import Enum

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, RequestFailed
from bulkrm.model.http_status import FORBIDDEN, INTERNAL_SERVER_ERROR, NOT_FOUND, OK, UNAUTHORIZED
from bulkrm.model.manifests.manifest import MEDIA_TYPES, SCHEMA1_TYPES, Manifest, Resolved, is_readable
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.explanation import clean, explained, is_registry_answer
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.refusal import refusal
from bulkrm.protocol.traits import Traits


@valueclass
class AnswerContext:
    """The request and the host of an answer, for messages and hints, and the host's traits."""

    host: str
    request: Request
    traits: Traits

    def fail(self, answer: Answer) -> RequestFailed:
        """Return the error for an unsuccessful final answer."""
        return RequestFailed(refusal(answer, self.host, self.request, self.traits))


def manifest(
    context: AnswerContext, answer: Answer, asked: Digest | None, *, of_any_type: bool = False
) -> Manifest | None:
    """Interpret the answer to GET manifest; None: the registry itself answers that there is no such manifest.

    The digest is computed from the bytes and compared with the header `Docker-Content-Digest`, and with `asked` if the GET
    was by digest. `of_any_type`: accept unknown media types too, if the header names the digest, which a proxy's web page
    does not. Such a manifest is never deleted, but it may be kept and need other manifests. Raises RequestFailed.
    """
    if answer.status == NOT_FOUND and is_registry_answer(answer):
        return None
    if answer.status != OK:
        raise context.fail(answer)
    media_type = _media_type(answer)
    if media_type not in MEDIA_TYPES and not (of_any_type and header_digest(answer) is not None):
        message = (
            f"the answer's type is {clean(media_type, 80) or 'missing'}, which is no manifest's{explained(answer)}"
        )
        hint = f"is {context.host} an OCI / Docker v2 registry?"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, message, answer.status, hint))
    digest = _verified_digest(answer, media_type, asked)
    if not is_readable(media_type, answer.body):
        hint = "look at it with another tool; what it needs cannot be told"
        raise RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, "the index cannot be read", answer.status, hint))
    return Manifest(digest, media_type, answer.body)


_SHARED_NAMES = {name: name for name in MEDIA_TYPES}  # hundreds of thousands of manifests share one str


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
        # The digest of a signed schema 1 manifest does not cover its signatures, so it differs from that of the bytes
        # (distribution v2.8.2 manifest/schema1); only the header has it.
        computed = stated or expected
    else:
        computed = answer.digest(expected.algorithm if expected else "sha256")
    for other in (asked, stated):
        if other is not None and other.algorithm == computed.algorithm and other != computed:
            message = f"the registry promised {other.short} and sent {computed.short}"
            hint = "nothing was deleted; something between here and the registry, or its storage, changes the bytes"
            raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, message, answer.status, hint))
    return asked or stated or computed


def header_digest(answer: Answer) -> Digest | None:
    """Parse `Docker-Content-Digest`; None: it is missing (a SHOULD in distribution-spec 1.1) or malformed."""
    try:
        return Digest(answer.headers.get("Docker-Content-Digest", "").strip())
    except InputError:
        return None


class HeadAnswer(Enum):
    """The results of HEAD manifest other than a digest."""

    ABSENT = "absent"
    UNCLEAR = "unclear"  # a GET is needed: the answer to HEAD has no body that could explain an error


def head(answer: Answer, asked: Digest | None = None) -> Resolved | HeadAnswer:
    """Interpret the answer to HEAD manifest. `asked`: the digest that the request names; another in the header is `UNCLEAR`."""
    if answer.status == OK:
        digest = header_digest(answer)
        if asked is not None and digest is not None and digest != asked:
            return HeadAnswer.UNCLEAR
        length = answer.headers.get("Content-Length", "")
        size = int(length[:12]) if length.isascii() and length.isdigit() else 0
        media_type = _media_type(answer)
        # A manifest of unknown type could be an index, whose children must be kept: it has to be read by GET.
        known = digest is not None and media_type in MEDIA_TYPES
        return Resolved(digest, media_type, size) if digest is not None and known else HeadAnswer.UNCLEAR
    # A text is the answer of a server without that path, such as distribution's "404 page not found".
    text = _media_type(answer).startswith("text/")
    proven = answer.status == NOT_FOUND and "Docker-Distribution-Api-Version" in answer.headers and not text
    return HeadAnswer.ABSENT if proven else HeadAnswer.UNCLEAR


class DeleteAnswer(Enum):
    """The results of DELETE manifest that are not failures."""

    ACCEPTED = "accepted"
    UNPROVEN = "unproven"  # only a HEAD shows whether the manifest is gone


def deletion(context: AnswerContext, answer: Answer) -> DeleteAnswer:
    """Interpret the answer to DELETE manifest. Only a 202 with an empty body is `ACCEPTED`. Raises RequestFailed.

    These are `UNPROVEN`: 200 and 204, which some registries send, but proxies with web pages too; 404, which may mean that
    the path has no route; 5xx, which may follow a deletion (a lost race on distribution 3, Docker Hub finishing in the
    background); 202 with an error in its body, which means that untagging stopped half-way (distribution 3).
    """
    if answer.status == 202 and not answer.body.strip():  # noqa: PLR2004
        return DeleteAnswer.ACCEPTED
    if answer.status in (200, 202, 204, NOT_FOUND) or answer.status >= INTERNAL_SERVER_ERROR:
        return DeleteAnswer.UNPROVEN
    raise context.fail(answer)


_CREATED = 201


def pushed(context: AnswerContext, answer: Answer, digest: Digest) -> bool:
    """Interpret the answer to PUT manifest. Raises RequestFailed.

    True: the registry stored it (201); False: another success, so only a HEAD shows whether the manifest is there.
    """
    stated = header_digest(answer)
    if answer.status == _CREATED and stated is not None and stated != digest:
        message = f"the registry stored {stated.short} instead of {digest.short}"
        hint = "something between here and the registry changes the bytes"
        raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, message, answer.status, hint))
    if answer.status in (_CREATED, 200, 202, 204):
        return answer.status == _CREATED
    raise context.fail(answer)


def deletes_tags(context: AnswerContext, answer: Answer) -> bool:
    """Interpret the answer to DELETE of a tag that does not exist: the registry's own 404 means that it deletes tags.

    Raises RequestFailed after 401, 403 and 5xx.
    """
    if answer.status == NOT_FOUND:
        return is_registry_answer(answer)
    if answer.status in (UNAUTHORIZED, FORBIDDEN) or answer.status >= INTERNAL_SERVER_ERROR:
        raise context.fail(answer)
    return False


def deletes_digests(context: AnswerContext, answer: Answer) -> None:
    """Check the answer to DELETE of a digest that does not exist. Raises RequestFailed where deletion is refused."""
    missing = answer.status == NOT_FOUND and is_registry_answer(answer)
    if not missing and answer.status not in (200, 202, 204):
        raise context.fail(answer)
