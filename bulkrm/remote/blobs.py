"""Reads small blobs, such as configurations, which many registries keep in a separate object store."""

from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, NOT_FOUND, OK, TOO_MANY_REQUESTS
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.protocol import message
from bulkrm.protocol.explanation import is_registry_answer
from bulkrm.protocol.message import Answer, NoAnswer
from bulkrm.protocol.pacing.pace import backoff
from bulkrm.protocol.redirect import MAX_REDIRECTS, STATUSES, next_url, too_many
from bulkrm.protocol.refusal import no_answer, refusal
from bulkrm.remote.host import Host

_TRIES = 3  # each begins at the registry: the signed URL of the store may have expired


async def read_blob(host: Host, repository: Repository, digest: Digest) -> bytes | None:
    """GET a blob of at most 4 MiB, its digest checked; None: the registry answers that it does not have the blob.

    Raises RequestFailed.
    """
    request = message.get_blob(repository, digest)
    for number in range(1, _TRIES + 1):
        answer = await host.exchange(request)
        if answer.status == NOT_FOUND and is_registry_answer(answer):
            return None
        if answer.status not in STATUSES:
            if answer.status != OK:
                raise RequestFailed(refusal(answer, host.name, request, host.authorizer.traits))
            return _checked(answer.body, digest)
        found = await _followed(host, request.target, answer)
        if isinstance(found, Answer) and found.status == OK:
            return _checked(found.body, digest)
        if number == _TRIES or not _may_pass(found):
            raise _of_the_store(found)
        await host.clock.sleep(backoff(number))
    raise AssertionError  # the last try returns or raises


def _may_pass(found: Answer | NoAnswer) -> bool:
    if isinstance(found, NoAnswer):
        return found.kind not in (message.TOO_LARGE, message.CERTIFICATE, message.NOT_TLS, message.PROXY)
    return found.status >= INTERNAL_SERVER_ERROR or found.status == TOO_MANY_REQUESTS


def _of_the_store(found: Answer | NoAnswer) -> RequestFailed:
    """Return the error for an answer of the store. It affects one image only: it tells nothing about the registry."""
    if isinstance(found, NoAnswer):
        failure = replace(no_answer(found), reach=Reach.IMAGE)
        return RequestFailed(replace(failure, message=f"where the registry keeps its blobs: {failure.message}"))
    what = f"HTTP {found.status} from where the registry keeps its blobs"
    return RequestFailed(Failure(FailureCode.UNEXPECTED_ANSWER, what, found.status, "run again"))


async def _followed(host: Host, target: str, answer: Answer) -> Answer | NoAnswer:
    """Follow redirects, without credentials and cookies of the registry. Raises RequestFailed for a forbidden redirect."""
    url = host.base + target
    for _ in range(MAX_REDIRECTS):
        if answer.status not in STATUSES:
            return answer
        url = next_url(answer, url, registry=host.address, plain_http=host.plain_http)
        found = await host.fetch(url, message.MAX_CONFIG)
        if isinstance(found, NoAnswer):
            return found
        answer = found
    if answer.status in STATUSES:
        raise too_many(answer)
    return answer


def _checked(content: bytes, digest: Digest) -> bytes:
    if Digest.of(content, digest.algorithm) != digest:
        what = f"the registry promised the blob {digest.short} and sent another one"
        raise RequestFailed(Failure(FailureCode.DIGEST_MISMATCH, what, OK, "its storage may be damaged"))
    return content
