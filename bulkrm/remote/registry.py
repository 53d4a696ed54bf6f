"""What a run asks of a registry: to read, and to delete. Every method raises RequestFailed with the final failure."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from bulkrm.model.digest import Digest
from bulkrm.model.errors import BulkrmError, RequestFailed
from bulkrm.model.manifest import Manifest
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal, removal_of
from bulkrm.model.result.failure import Failure, FailureCode, Reach, TagsOnly
from bulkrm.protocol import interpret as judge
from bulkrm.protocol import message
from bulkrm.protocol.interpret import AnswerContext, DeleteAnswer
from bulkrm.protocol.message import Answer
from bulkrm.protocol.refusal import TAGS_ONLY, refusal
from bulkrm.remote.host import Footprint
from bulkrm.remote.reader import Reader
from bulkrm.remote.send_loop import Final

_NOT_FOUND = 404
_SERVER_ERROR = 500
_AGAIN = "run again: what is gone by then is reported as absent"
# Nothing has this digest: no content is known whose SHA-256 it is.
_NOBODYS = Digest("sha256:" + "0" * 64)


def made_up_tag() -> str:
    """Return a tag that nobody ever made, to ask a registry by its DELETE whether it deletes tags."""
    return f"bulkrm-probe-{uuid4().hex}"


class _Gone(BulkrmError):  # noqa: N818 (it reads as what was found)
    """What was to be deleted is gone by an earlier send."""


class Registry(Reader):
    """One registry, to read and to change."""

    async def delete(self, repository: Repository, digest: Digest, footprint: Footprint) -> Removal:
        """DELETE a manifest by digest. Returns only when the deletion, or that it was gone, is proved.

        Its failure is TagsOnly where the registry does not delete manifests, but tags.

        Whoever calls this has read the digest as a manifest of this repository in this run: on distribution 2.8 a
        DELETE of a blob's digest is accepted and breaks every image that uses it (distribution/distribution#2370).
        """
        try:
            return await self._delete(repository, digest, footprint)
        except RequestFailed as error:
            raise await self._explained(repository, error) from error

    async def delete_tag(self, repository: Repository, tag: str, footprint: Footprint) -> Removal:
        """DELETE a tag. Returns only when it is proved that the tag is gone; what else went with it is not looked at."""
        return await self._delete(repository, tag, footprint)

    async def put(self, repository: Repository, reference: str, manifest: Manifest, footprint: Footprint) -> None:
        """PUT a manifest under a tag or its digest. Returns only when the reference is proved to lead to it."""
        request = message.put_manifest(repository, reference, manifest)
        final = await self._host.exchange(request, footprint)
        stored = judge.pushed(self._context(request), final.answer, manifest.digest)
        if not stored:
            found = await self.head(repository, reference)
            if found is None or found.digest != manifest.digest:
                raise _not_stored(final.answer)

    async def restore(self, repository: Repository, manifest: Manifest, footprint: Footprint) -> None:
        """Bring a deleted manifest back under its digest. Returns only when it is proved to be there."""
        await self.put(repository, manifest.digest, manifest, footprint)

    async def deletes_tags(self, repository: Repository, made_up: str) -> bool:
        """Ask whether the registry deletes tags, by DELETE of a tag that somebody made up: nothing can go.

        Only a 404 of the registry's own says so. 400 and 405 are what the specification has for registries that do not;
        405 also means that nothing is deleted at all, which `deletes_digests` tells apart.
        """
        request = message.delete_manifest(repository, made_up)
        final = await self._host.exchange(request)
        return judge.deletes_tags(self._context(request), final.answer)

    async def _explained(self, repository: Repository, error: RequestFailed) -> RequestFailed:
        """Tell a registry that deletes tags only from one that deletes nothing: the same refusal of a digest.

        One request, once for a host: what it says holds for all of it.
        """
        off = error.failure.code in (FailureCode.DELETION_DISABLED, FailureCode.READ_ONLY)
        if not off or self._host.traits.deletes_manifests:
            return error
        try:
            only = await self.deletes_tags(repository, made_up_tag())
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
        final = await self._host.exchange(request)
        try:
            judge.deletes_digests(self._context(request), final.answer)
        except RequestFailed as error:
            raise await self._explained(repository, error) from error

    async def _delete(self, repository: Repository, reference: str | Digest, footprint: Footprint) -> Removal:
        request = message.delete_manifest(repository, reference)
        context = self._context(request)

        async def is_gone(doubt: Failure) -> bool:
            return await self._is_gone(repository, reference, doubt, footprint)

        final = await self._send_delete(context, footprint, is_gone)
        if final is None:
            return Removal.FOUND_GONE
        proved = judge.deletion(context, final.answer) is DeleteAnswer.ACCEPTED
        if not proved:
            doubt = _still_there(context, final.answer)
            if not await is_gone(doubt.failure):
                raise doubt
        return removal_of(final.answer.status, proved=proved, earlier=final.uncertain)

    async def _send_delete(
        self, context: AnswerContext, footprint: Footprint, is_gone: Callable[[Failure], Awaitable[bool]]
    ) -> Final | None:
        """Send a DELETE; return the final answer, or None where none came and a look found that it is gone."""

        async def look(doubt: Failure) -> None:
            # What is gone need not be asked for again; and if somebody pushed it anew meanwhile, it must not.
            if await is_gone(doubt):
                raise _Gone

        try:
            final = await self._host.exchange(context.request, footprint, look)
            judge.deletion(context, final.answer)  # raises what is a refusal
        except _Gone:
            return None
        except RequestFailed as error:
            sent = footprint.doubtful and error.failure.code is not FailureCode.UNCONFIRMED
            if sent and await is_gone(error.failure):
                return None
            raise
        return final

    async def _is_gone(
        self, repository: Repository, reference: str | Digest, doubt: Failure, footprint: Footprint
    ) -> bool:
        """Find out by HEAD what a DELETE came to. Raises RequestFailed where that fails as well.

        It is `unconfirmed` then, unless no send of the DELETE can have taken effect.
        """
        try:
            return await self.head(repository, reference) is None
        except RequestFailed as error:
            if not footprint.doubtful:
                raise
            what = f"{doubt.message}; whether the deletion took effect is not known: {error.failure.message}"
            failure = Failure(FailureCode.UNCONFIRMED, what, doubt.status, _AGAIN)
            raise RequestFailed(failure) from error


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
