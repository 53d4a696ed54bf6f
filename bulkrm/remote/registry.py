"""The requests of a run to a registry that change something. Every method raises RequestFailed with the final failure."""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bulkrm.model.digest import Digest
from bulkrm.model.errors import BulkrmError, RequestFailed
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal, removal_of
from bulkrm.model.result.failure import Failure, FailureCode, Reach, TagsOnly
from bulkrm.protocol import interpret, message
from bulkrm.protocol.interpret import AnswerContext, DeleteAnswer
from bulkrm.protocol.message import Answer
from bulkrm.protocol.refusal import TAGS_ONLY, refusal
from bulkrm.remote.reader import Reader
from bulkrm.remote.sending import Sending

_NOT_FOUND = 404
_SERVER_ERROR = 500
_AGAIN = "run again: what is gone by then is reported as absent"
# Nothing has this digest: no content is known whose SHA-256 it is.
_NOBODYS = Digest("sha256:" + "0" * 64)


def absent_tag() -> str:
    """Return a tag that does not exist, whose DELETE shows whether a registry deletes tags."""
    return f"bulkrm-probe-{uuid4().hex}"


class _AlreadyGone(BulkrmError):  # noqa: N818 (it reads as what was found)
    """An earlier send of this DELETE took effect."""


class Registry(Reader):
    """One registry, to read and to change."""

    def delete(self, repository: Repository, digest: Digest, sending: Sending) -> Coroutine[Any, Any, Removal]:
        """DELETE a manifest by digest. Returns only when the deletion, or that it was gone, is proved.

        Its failure is TagsOnly where the registry does not delete manifests, but tags.

        Whoever calls this has read the digest as a manifest of this repository in this run: on distribution 2.8 a
        DELETE of a blob's digest is accepted and breaks every image that uses it (distribution/distribution#2370).
        """
        return self._delete(repository, digest, sending)

    def delete_tag(self, repository: Repository, tag: str, sending: Sending) -> Coroutine[Any, Any, Removal]:
        """DELETE a tag. Returns only when it is proved that the tag is gone; what else went with it is not looked at."""
        return self._delete(repository, tag, sending)

    async def _delete(self, repository: Repository, reference: str | Digest, sending: Sending) -> Removal:
        request = message.delete_manifest(repository, reference)
        deletion = _DeleteRequest(self, repository, reference, self._context(request), sending)
        try:
            answer = await self._host.exchange(request, sending, deletion)
            if interpret.deletion(deletion.context, answer) is DeleteAnswer.ACCEPTED:
                return removal_of(answer.status, proved=True, earlier=sending.may_have_acted)
        except _AlreadyGone:
            return Removal.FOUND_GONE
        except RequestFailed as error:
            return await self._after_failure(deletion, error)
        try:
            return await deletion.found(answer)
        except RequestFailed as error:
            raise await self._explained(deletion, error) from error

    async def _after_failure(self, deletion: "_DeleteRequest", error: RequestFailed) -> Removal:
        """Find out by HEAD whether a DELETE that failed took effect after all. Raises RequestFailed if not."""
        in_doubt = deletion.sending.may_have_acted and error.failure.code is not FailureCode.UNCONFIRMED
        try:
            if in_doubt and await deletion.is_gone(error.failure):
                return Removal.FOUND_GONE
        except RequestFailed as unknown:
            raise await self._explained(deletion, unknown) from error
        raise await self._explained(deletion, error) from error

    async def put(self, repository: Repository, reference: str, manifest: Manifest, sending: Sending) -> None:
        """PUT a manifest under a tag or its digest. Returns only when the reference is proved to lead to it."""
        request = message.put_manifest(repository, reference, manifest)
        answer = await self._host.exchange(request, sending)
        stored = interpret.pushed(self._context(request), answer, manifest.digest)
        if not stored:
            found = await self.head(repository, reference)
            if found is None or found.digest != manifest.digest:
                raise _not_stored(answer)

    async def restore(self, repository: Repository, manifest: Manifest, sending: Sending) -> None:
        """Bring a deleted manifest back under its digest. Returns only when it is proved to be there."""
        await self.put(repository, manifest.digest, manifest, sending)

    async def deletes_tags(self, repository: Repository, absent: str) -> bool:
        """Ask whether the registry deletes tags, by DELETE of a tag that does not exist, so that nothing can be lost.

        Only a 404 of the registry's own says so. 400 and 405 are what the specification has for registries that do not;
        405 also means that nothing is deleted at all, which `deletes_digests` tells apart.
        """
        request = message.delete_manifest(repository, absent)
        answer = await self._host.exchange(request)
        return interpret.deletes_tags(self._context(request), answer)

    async def _explained(self, deletion: "_DeleteRequest", error: RequestFailed) -> RequestFailed:
        """Tell a registry that deletes tags only from one that deletes nothing, where it refuses to delete a manifest."""
        if not isinstance(deletion.reference, Digest):
            return error
        return await self._tags_only(deletion.repository, error)

    async def _tags_only(self, repository: Repository, error: RequestFailed) -> RequestFailed:
        """Return a refusal as `TagsOnly` if the registry deletes tags nevertheless: it refuses a digest alike in both cases.

        Costs one request for each host.
        """
        off = error.failure.code in (FailureCode.DELETION_DISABLED, FailureCode.READ_ONLY)
        if not off or self._host.traits.deletes_manifests:
            return error
        try:
            only = await self.deletes_tags(repository, absent_tag())
        except RequestFailed:
            return error
        if not only:
            return error
        what = f"{error.failure.message}: the registry deletes tags, and no manifests"
        return RequestFailed(TagsOnly(FailureCode.NOT_SUPPORTED, what, error.failure.status, TAGS_ONLY, Reach.HOST))

    async def deletes_digests(self, repository: Repository) -> None:
        """Ask whether the registry deletes at all, by DELETE of a digest that nothing has. Raises if it does not.

        distribution answers 405 where deletion is disabled and in read-only mode, before it looks anything up
        (registry/handlers/manifests.go), and 404 otherwise.
        """
        request = message.delete_manifest(repository, _NOBODYS)
        answer = await self._host.exchange(request)
        try:
            interpret.deletes_digests(self._context(request), answer)
        except RequestFailed as error:
            raise await self._tags_only(repository, error) from error


@dataclass(frozen=True, slots=True)
class _DeleteRequest:
    """One DELETE of a manifest or a tag, and the HEAD that finds out whether it took effect."""

    reader: Reader
    repository: Repository
    reference: str | Digest
    context: AnswerContext
    sending: Sending

    async def look(self, met: Failure) -> None:
        """Raise _AlreadyGone if the DELETE took effect. It must not be sent again: somebody may have pushed anew."""
        if await self.is_gone(met):
            raise _AlreadyGone

    async def is_gone(self, doubt: Failure) -> bool:
        """Find out by HEAD what the DELETE came to. Raises RequestFailed where that fails as well.

        It is `unconfirmed` then, unless no send of the DELETE can have taken effect.
        """
        try:
            return await self.reader.head(self.repository, self.reference) is None
        except RequestFailed as error:
            if not self.sending.may_have_acted:
                raise
            what = f"{doubt.message}; whether the deletion took effect is not known: {error.failure.message}"
            raise RequestFailed(Failure(FailureCode.UNCONFIRMED, what, doubt.status, _AGAIN)) from error

    async def found(self, answer: Answer) -> Removal:
        """Find out by HEAD whether a DELETE took effect whose answer proves nothing. Raises RequestFailed if not."""
        doubt = _still_there(self.context, answer)
        if not await self.is_gone(doubt.failure):
            raise doubt
        return removal_of(answer.status, proved=False, earlier=self.sending.may_have_acted)


def _still_there(context: AnswerContext, answer: Answer) -> RequestFailed:
    if answer.status == _NOT_FOUND:
        what = "HTTP 404 to DELETE, but it is there: this registry does not delete over this protocol"
        hint = "delete with the registry's own tool or web page"
        # Not further: elsewhere it may be the want of a permission, which some registries hide behind a 404.
        return RequestFailed(Failure(FailureCode.NOT_SUPPORTED, what, _NOT_FOUND, hint, Reach.REPOSITORY))
    if answer.status >= _SERVER_ERROR:
        return context.fail(answer)
    what = f"HTTP {answer.status} to DELETE, but it is still there"
    return RequestFailed(
        Failure(FailureCode.UNEXPECTED_ANSWER, what, answer.status, refusal(answer, context.host, context.request).hint)
    )


def _not_stored(answer: Answer) -> RequestFailed:
    what = f"HTTP {answer.status} to PUT, but the manifest is not there"
    return RequestFailed(Failure(FailureCode.UNCONFIRMED, what, answer.status, "run again"))
