"""The requests that change a registry. Every method raises RequestFailed with the final failure."""

from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

from bulkrm.model.digest import Digest
from bulkrm.model.errors import BulkrmError, RequestFailed
from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, NOT_FOUND
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal, removal_of
from bulkrm.model.result.failure import FIND_OUT, Failure, FailureCode, Reach, TagsOnly
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol import interpret, message
from bulkrm.protocol.interpret import AnswerContext, DeleteAnswer
from bulkrm.protocol.message import Answer
from bulkrm.protocol.refusal import TAGS_ONLY, refusal
from bulkrm.remote.reader import Reader
from bulkrm.remote.sending import Sending

# No manifest has this digest: no content with this SHA-256 is known.
_NOBODYS = Digest("sha256:" + "0" * 64)


def absent_tag() -> str:
    """Return a tag that does not exist, whose DELETE shows whether a registry deletes tags."""
    return f"bulkrm-probe-{uuid4().hex}"


class _AlreadyGone(BulkrmError):  # noqa: N818 (it reads as what was found)
    """An earlier send of this DELETE took effect."""


class Registry(Reader):
    """One registry, to read and to change."""

    def delete(self, repository: Repository, digest: Digest, sending: Sending) -> Coroutine[Any, Any, Removal]:
        """DELETE a manifest by digest. Returns what that came to (`Removal`).

        `ACCEPTED` proves that the registry took the request, and no more: the caller has to find out whether this place keeps
        its word. With the others a HEAD has found that the manifest is gone. The failure is TagsOnly if the registry deletes
        tags, but no manifests.

        The caller must have read the digest as a manifest of this repository in this run: distribution 2.8 accepts DELETE of
        a blob's digest, which breaks every image that uses the blob (distribution/distribution#2370).
        """
        return self._delete(repository, digest, sending)

    def delete_tag(self, repository: Repository, tag: str, sending: Sending) -> Coroutine[Any, Any, Removal]:
        """DELETE a tag. Returns what that came to, as `delete` does. Whether other tags are gone too is not checked."""
        return self._delete(repository, tag, sending)

    async def _delete(self, repository: Repository, reference: str | Digest, sending: Sending) -> Removal:
        request = message.delete_manifest(repository, reference)
        deletion = _DeleteRequest(self, repository, reference, self._context(request), sending)
        try:
            answer = await self.host.exchange(request, sending, deletion)
            if interpret.deletion(deletion.context, answer) is DeleteAnswer.ACCEPTED:
                return Removal.ACCEPTED
        except _AlreadyGone:
            return Removal.FOUND_GONE
        except RequestFailed as error:
            return await self._after_failure(deletion, error)
        try:
            return await deletion.found(answer)
        except RequestFailed as error:
            raise await self._explained(deletion, error) from error

    async def _after_failure(self, deletion: "_DeleteRequest", error: RequestFailed) -> Removal:
        """Find out by HEAD whether a failed DELETE took effect nevertheless. Raises RequestFailed if not."""
        in_doubt = deletion.sending.may_have_acted and error.failure.code is not FailureCode.UNCONFIRMED
        try:
            if in_doubt and await deletion.is_gone(error.failure):
                return Removal.FOUND_GONE
        except RequestFailed as unknown:
            raise await self._explained(deletion, unknown) from error
        raise await self._explained(deletion, error) from error

    async def put(self, repository: Repository, reference: str, manifest: Manifest, sending: Sending) -> None:
        """PUT a manifest under a tag or its digest. Returns only if it is proved that the reference leads to it."""
        request = message.put_manifest(repository, reference, manifest)
        answer = await self.host.exchange(request, sending)
        stored = interpret.pushed(self._context(request), answer, manifest.digest)
        if not stored:
            found = await self.head(repository, reference)
            if found is None or found.digest != manifest.digest:
                raise _not_stored(answer)

    async def restore(self, repository: Repository, manifest: Manifest, sending: Sending) -> None:
        """Push a deleted manifest again, by its digest. Returns only if it is proved to exist."""
        await self.put(repository, manifest.digest, manifest, sending)

    async def deletes_tags(self, repository: Repository, absent: str) -> bool:
        """Tell whether the registry deletes tags, by DELETE of a tag that does not exist, so that nothing can be lost.

        `absent`: that tag. Only the registry's own 404 means that it does. 400 and 405 mean that it does not
        (distribution-spec 1.1, "Deleting tags"); 405 may also mean that nothing is deleted at all, which `deletes_digests`
        finds out.
        """
        request = message.delete_manifest(repository, absent)
        answer = await self.host.exchange(request)
        return interpret.deletes_tags(self._context(request), answer)

    async def _explained(self, deletion: "_DeleteRequest", error: RequestFailed) -> RequestFailed:
        """Return the error of a deletion; as `TagsOnly` if it was that of a manifest, and the registry deletes tags only."""
        if not isinstance(deletion.reference, Digest):
            return error
        return await self._tags_only(deletion.repository, error)

    async def _tags_only(self, repository: Repository, error: RequestFailed) -> RequestFailed:
        """Return a refusal to delete a digest as `TagsOnly` if the registry deletes tags; its answer is the same otherwise.

        That costs one request for each host.
        """
        off = error.failure.code in (FailureCode.DELETION_DISABLED, FailureCode.READ_ONLY)
        if not off or self.host.traits.deletes_manifests:
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
        """Raise RequestFailed if the registry does not delete manifests, by DELETE of a digest that does not exist.

        distribution answers 405 if deletion is disabled or the registry is read-only, before it looks for the manifest
        (registry/handlers/manifests.go), and 404 otherwise.
        """
        request = message.delete_manifest(repository, _NOBODYS)
        answer = await self.host.exchange(request)
        try:
            interpret.deletes_digests(self._context(request), answer)
        except RequestFailed as error:
            raise await self._tags_only(repository, error) from error


@valueclass
class _DeleteRequest:
    """One DELETE of a manifest or a tag, and the HEAD that finds out whether it took effect."""

    reader: Reader
    repository: Repository
    reference: str | Digest
    context: AnswerContext
    sending: Sending

    async def look(self, last_failure: Failure) -> None:
        """Raise _AlreadyGone if the DELETE took effect. Then it must not be sent again: somebody may push the manifest anew."""
        if await self.is_gone(last_failure):
            raise _AlreadyGone

    async def is_gone(self, doubt: Failure) -> bool:
        """Tell by HEAD whether the target of the DELETE is gone. `doubt`: the failure of its last send.

        Raises RequestFailed if the HEAD fails too: `unconfirmed`, unless no send of the DELETE can have taken effect.
        """
        try:
            return await self.reader.head(self.repository, self.reference) is None
        except RequestFailed as error:
            if not self.sending.may_have_acted:
                raise
            what = f"{doubt.message}; whether the deletion took effect is not known: {error.failure.message}"
            raise RequestFailed(Failure(FailureCode.UNCONFIRMED, what, doubt.status, FIND_OUT)) from error

    async def found(self, answer: Answer) -> Removal:
        """Return the removal by a DELETE whose answer proves nothing, after a HEAD. Raises RequestFailed if nothing is gone."""
        doubt = _still_there(self.context, answer)
        if not await self.is_gone(doubt.failure):
            raise doubt
        return removal_of(answer.status, earlier=self.sending.may_have_acted)


def _still_there(context: AnswerContext, answer: Answer) -> RequestFailed:
    if answer.status == NOT_FOUND:
        what = "HTTP 404 to DELETE, but it is there: this registry does not delete over this protocol"
        hint = "delete with the registry's own tool or web page"
        # Only for this repository: in others the reason may be a missing right, for which some registries answer 404.
        return RequestFailed(Failure(FailureCode.NOT_SUPPORTED, what, NOT_FOUND, hint, Reach.REPOSITORY))
    if answer.status >= INTERNAL_SERVER_ERROR:
        return context.fail(answer)
    what = f"HTTP {answer.status} to DELETE, but it is still there"
    return RequestFailed(
        Failure(FailureCode.UNEXPECTED_ANSWER, what, answer.status, refusal(answer, context.host, context.request).hint)
    )


def _not_stored(answer: Answer) -> RequestFailed:
    what = f"HTTP {answer.status} to PUT, but the manifest is not there"
    return RequestFailed(Failure(FailureCode.UNCONFIRMED, what, answer.status, "run again"))
