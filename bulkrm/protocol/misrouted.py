"""Answers that evidently belong to another request: a server or proxy may mix them up on a shared connection."""

import re

from bulkrm.model.http_status import OK
from bulkrm.model.manifests.manifest import MEDIA_TYPES, SCHEMA1_TYPES
from bulkrm.protocol.interpret import header_digest
from bulkrm.protocol.listing.link import same_repository
from bulkrm.protocol.message import Answer, Request

# Registries write the name first; a body that does not begin with it is not checked.
_NAME = re.compile(rb'\s*\{\s*"name"\s*:\s*"([!-~]*?)"')


def is_misrouted(request: Request, answer: Answer) -> bool:
    """Tell whether an answer cannot belong to the request, for one of three reasons.

    Its header names another digest of the same algorithm, its bytes do not have the digest, or it is the tag list of
    another repository.
    """
    stated = header_digest(answer)
    expected = request.digest or stated
    if stated is not None and expected is not None and stated != expected and stated.algorithm == expected.algorithm:
        return True
    if request.method != "GET" or answer.status != OK:
        return False
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type in MEDIA_TYPES and media_type not in SCHEMA1_TYPES and expected is not None:
        return answer.digest(expected.algorithm) != expected
    return request.target.startswith("/v2/") and "/tags/list" in request.target and _names_another(request, answer)


def _names_another(request: Request, answer: Answer) -> bool:
    found = _NAME.match(answer.body[:1000])
    if found is None or request.repository is None or not found[1]:
        return False
    return not same_repository(found[1].decode(), request.repository.path)


def is_same_answer(answer: Answer, other: Answer) -> bool:
    """Tell whether two answers mean the same. Of two refusals the status and challenge are compared, not the body."""
    same_kind = answer.status == other.status and header_digest(answer) == header_digest(other)
    challenges = answer.headers.getall("WWW-Authenticate", []) == other.headers.getall("WWW-Authenticate", [])
    return same_kind and challenges and (answer.status != OK or answer.body == other.body)
