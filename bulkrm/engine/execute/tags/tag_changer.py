"""The requests that read and change single tags; `tag_change` has the theory and decides."""

from collections.abc import Collection

from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.tag_change import Change, none_if_damaged, settled_by_reading, unconfirmed
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.pauses import Pauses
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest, Resolved
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, NotAttempted, outcome_of_failure
from bulkrm.planning.tag_state import Changed, FailedChange, NotSent, Pushed, moved
from bulkrm.remote.clock import Clock, Moment
from bulkrm.remote.sending import ALWAYS, Permission, Withdrawn

_FRESH = 5.0  # seconds after which what was read of a tag is too old to change it
_TRIES = 8  # times that a tag is read: a token may end, or the host pause, while a request waits for its turn


class TagChanger:
    """Reads, lists and changes tags."""

    def __init__(self, gateway: Gateway, in_flight: RequestsInFlight, clock: Clock) -> None:
        """`in_flight` has every change while it may be taking effect."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._clock = clock

    def with_fresh_memory(self) -> "TagChanger":
        """Return a changer that remembers no failure yet, for tags that have to be read or put back in any case.

        Use one for all such tags: it remembers their failures, so a dead host is not asked again for each of them.
        """
        return TagChanger(self._gateway.with_fresh_memory(), self._in_flight, self._clock)

    async def read(self, repository: Repository, tag: str) -> Digest | Failure | None:
        """Return the digest that a tag, or a digest, leads to; None: it is not there."""
        found = await self._gateway.repository(repository).head(tag)
        return found.digest if isinstance(found, Resolved) else found

    async def read_until_changed(
        self, repository: Repository, tag: str, digest: Digest, stop: Stop
    ) -> Digest | Failure | None:
        """Read a tag until it holds `digest` no more, or no more `Pauses` are left; return what it holds."""
        held = await self.read(repository, tag)
        pauses = Pauses(self._clock, stop)
        while held == digest and await pauses.take():
            held = await self.read(repository, tag)
        return held

    async def read_damaged(self, repository: Repository, tag: str) -> Digest | Failure | None:
        """Return the digest that a tag holds, whatever type its manifest has; None also where the registry cannot read it.

        One answer that shows damage is enough; any other failure is asked for again, as usual.
        """
        found = await self._gateway.repository(repository).possibly_damaged(tag)
        return none_if_damaged(found.digest if isinstance(found, Manifest) else found)

    async def listed(self, repository: Repository) -> Collection[str] | Failure:
        """List the tags of a repository; one that the registry does not know any more has none."""
        found = await self._gateway.repository(repository).tags()
        return found if isinstance(found, Failure) else frozenset(found or ())

    async def whole(self, repository: Repository, digest: Digest) -> Manifest | Failure | None:
        """GET a manifest, so that it can be put back; None: it is not there."""
        return await self._gateway.repository(repository).manifest(digest)

    async def without_manifest(self, item: Item, tag: str) -> Gone | Kept | Failed | NotAttempted:
        """Say what a tag is that was to leave a manifest which nothing has any more by its digest.

        That is no word on the tag: some registries keep what a tag serves apart (`bulkrm.model.result.effect`). With
        nothing at hand to put back, it is not changed.
        """
        held = await self.read(item.repository, tag)
        if held is None:
            return Gone()
        if isinstance(held, Failure):
            return outcome_of_failure(held)
        return Failed(_served_without(item, tag)) if held == item.digest else moved(item.repository, tag, held)

    async def put_back(
        self, repository: Repository, tag: str, over: Digest | None, archived: Manifest
    ) -> Digest | Failure | None:
        """Push a manifest under its tag again, if the tag holds `over`; return what the tag holds then.

        Remembered failures do not count here. A 201 does not prove that the manifest is back (distribution with a warm cache
        answers so after a garbage collection); the HEAD does.
        """
        changer = self.with_fresh_memory()
        await changer.put(Change(repository, tag, over, archived.digest, ALWAYS), archived)
        return await changer.read(repository, tag)

    async def delete(self, change: Change) -> Changed:
        """Make the change by DELETE of the tag."""
        return await self._make(change, None)

    async def put(self, change: Change, manifest: Manifest) -> Changed:
        """Make the change by PUT of a manifest under the tag."""
        return await self._make(change, manifest)

    async def _make(self, change: Change, manifest: Manifest | None) -> Changed:
        sending, failure = change.sending, None
        for _ in range(_TRIES):
            settled = settled_by_reading(change, await self._held(change))
            if settled is not None:
                return settled
            sending.permission = _WhileRead(self._clock, change.permission)
            try:
                with self._in_flight.of(sending):
                    result = await self._send(change, manifest)
            except Withdrawn as taken_back:
                failure = taken_back.failure
                if sending.is_open and not change.shows:
                    return FailedChange(failure or unconfirmed(None), change.effect)
            else:
                return FailedChange(result, change.effect) if isinstance(result, Failure) else result
        failure = failure or _RESTLESS
        return FailedChange(failure, change.effect) if sending.may_have_acted else NotSent(failure)

    async def _send(self, change: Change, manifest: Manifest | None) -> Removal | Pushed | Failure:
        """Send the change once: a PUT of the manifest, or a DELETE if there is none."""
        gateway = self._gateway.repository(change.repository)
        if manifest is None:
            return await gateway.delete_tag(change.tag, change.sending)
        return await gateway.put(change.tag, manifest, change.sending) or Pushed()

    async def _held(self, change: Change) -> Digest | Failure | None:
        read = self.read_damaged if change.damaged else self.read
        return await read(change.repository, change.tag)


class _WhileRead:
    """A permission that holds as long as a tag was read a short time ago, and the permission of its change does."""

    def __init__(self, clock: Clock, permission: Permission) -> None:
        self._clock = clock
        self._permission = permission
        self._read = Moment.now(clock)

    def holds(self) -> bool:
        """Tell whether the change may be sent."""
        return self._read.until(Moment.now(self._clock)) <= _FRESH and self._permission.holds()


def _served_without(item: Item, tag: str) -> Failure:
    what = f"{item.repository}:{tag} still serves {item.digest}, which the registry says that it does not have"
    return Failure(FailureCode.TAGS_REMAIN, what, None, "delete the tag with the registry's own tool or web page")


_RESTLESS = Failure(
    FailureCode.TIMEOUT,
    "the tag was read several times, and the registry was never ready to change it in time",
    hint="run again when the registry is less busy",
)
