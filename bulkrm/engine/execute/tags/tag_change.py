"""One tag is changed on a registry: read right before, and never blindly a second time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, Outcome, Untagged
from bulkrm.model.target import Target
from bulkrm.remote.clock import Clock, Moment
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn

_FRESH = 5.0  # seconds after which what was read of a tag is too old to change it
_TRIES = 8


def _nothing() -> None:
    """Do nothing."""


def withdrawn_when_old(clock: Clock, wanted: Callable[[], bool]) -> Callable[[], bool]:
    """Return what takes a change back that rests on a tag which was read just now: it is too old, or nobody wants it."""
    read = Moment.now(clock)
    return lambda: read.until(Moment.now(clock)) > _FRESH or not wanted()


@dataclass(frozen=True, slots=True)
class Change:
    """What a tag is to hold afterwards (None: nothing), if it holds `before` until then (None: nothing).

    `wanted` is asked right before it is sent: nobody may want it any more. `cut_off` is called where the run ends while
    it may be taking effect.
    """

    repository: Repository
    tag: str
    before: Digest | None
    after: Digest | None
    wanted: Callable[[], bool]
    cut_off: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class Moved:
    """The tag holds something else by now (None: nothing) and was left alone."""

    now: Digest | None


@dataclass(frozen=True, slots=True)
class Done:
    """The tag holds what it was to hold; `by_us`: not because somebody else did the same.

    `clean`: a success without complaint says so, and not only what the tag holds: a registry that stopped half-way may
    list a tag that answers 404.
    """

    by_us: bool = True
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Unwanted:
    """It was not sent."""


@dataclass(frozen=True, slots=True)
class Doubt(Failure):
    """The change may have taken effect."""


Changed = Done | Moved | Unwanted | Failure
# Sends the change, once.
_Send = Callable[[Registry, Sending], Awaitable[Done]]
_Ask = Callable[[Repository, Callable[[Registry], Awaitable[Done]]], Awaitable[Done | Failure]]


class Tags:
    """Reads and changes single tags."""

    def __init__(self, gateway: Gateway, in_flight: RequestsInFlight, clock: Clock) -> None:
        """`flights` has every change while it may be taking effect."""
        self._gateway = gateway
        self._in_flight = in_flight
        self._clock = clock

    def anew(self) -> "Tags":
        """Return one that knows of no failures, for what has to be looked at and put back in any case.

        One for all tags at hand: that nobody answers is found out a few times, and not once for each of them.
        """
        return Tags(self._gateway.anew(), self._in_flight, self._clock)

    async def read(self, repository: Repository, tag: str) -> Digest | Failure | None:
        """Return what a tag holds; None where there is none."""

        async def head(registry: Registry) -> Digest | None:
            found = await registry.head(repository, tag)
            return found.digest if found else None

        return await self._gateway.call(repository, head)

    async def whole(self, item: Item) -> Manifest | Failure | None:
        """GET the manifest of an item, so that it can be put back; None where there is none."""
        return await self._gateway.call(
            item.repository, lambda registry: registry.manifest(item.repository, item.digest)
        )

    async def put_back(
        self, repository: Repository, tag: str, over: Digest | None, archived: Manifest
    ) -> Digest | Failure | None:
        """Let a tag hold its manifest again, if it holds `over`; return what it holds then.

        What is known of failures does not count here. A 201 is no proof that it is back (distribution with a warm cache
        after a garbage collection answers so): the HEAD is.
        """
        anew = self.anew()
        await anew.put(Change(repository, tag, over, archived.digest, wanted=lambda: True), archived)
        return await anew.read(repository, tag)

    async def delete(self, change: Change) -> Changed:
        """Make the change by DELETE of the tag."""

        async def send(registry: Registry, sending: Sending) -> Done:
            removal = await registry.delete_tag(change.repository, change.tag, sending)
            return Done(by_us=removal is not Removal.WAS_GONE, clean=removal is Removal.DELETED)

        return await self._make(change, send, self._gateway.untag)

    async def put(self, change: Change, manifest: Manifest) -> Changed:
        """Make the change by PUT of a manifest under the tag."""

        async def send(registry: Registry, sending: Sending) -> Done:
            await registry.put(change.repository, change.tag, manifest, sending)
            return Done()

        return await self._make(change, send, self._gateway.push)

    async def _make(self, change: Change, send: _Send, ask: _Ask) -> Changed:
        sent = False
        failure: Failure | None = None
        for _ in range(_TRIES):
            sending = Sending()
            try:
                held = await self.read(change.repository, change.tag)
                settled = _settled(change, held, sent=sent)
                if settled is not None:
                    return settled
                sending = self._sending(change)
                with self._in_flight.of(sending):
                    result = await ask(change.repository, lambda registry: send(registry, sending))  # noqa: B023
                if isinstance(result, Failure):
                    return _doubt(result) if sent or sending.may_have_acted else result
                return Done(clean=False) if sent and not result.by_us else result
            except Withdrawn as taken_back:
                sent, failure = sent or sending.may_have_acted, taken_back.failure
            except BaseException:
                if sent or sending.is_open:
                    change.cut_off()
                raise
        return _doubt(failure or _RESTLESS) if sent else failure or _RESTLESS

    def _sending(self, change: Change) -> Sending:
        return Sending(withdrawn=withdrawn_when_old(self._clock, change.wanted), repeatable=False)


_RESTLESS = Failure(
    FailureCode.TIMEOUT,
    "the tag was read several times, and the registry was never ready to change it in time",
    hint="run again when the registry is less busy",
)


def _settled(change: Change, held: Digest | Failure | None, *, sent: bool) -> Changed | None:
    """Say what the reading of a tag decides by itself; None: the change is to be sent, or sent again."""
    if isinstance(held, Failure):
        return _doubt(unconfirmed(held)) if sent else held
    if sent and held == change.after:
        return Done(clean=False)
    if held != change.before:
        return Moved(held)
    if not change.wanted():
        return _doubt(unconfirmed(None)) if sent else Unwanted()
    return None


def _doubt(failure: Failure) -> Doubt:
    return Doubt(failure.code, failure.message, failure.status, failure.hint, failure.reach)


def unconfirmed(cause: Failure | None) -> Failure:
    """Say that a change was sent and it is not known what became of it."""
    why = f": {cause.message}" if cause else ""
    hint = "run again: what is gone by then is reported as absent"
    return Failure(FailureCode.UNCONFIRMED, f"whether the change took effect is not known{why}", None, hint)


def unrestored(repository: Repository, tag: str, cause: Failure | None) -> Failure:
    """Say that a tag holds a decoy of this run, which could neither be deleted nor replaced by what it held.

    `cause`: why that is not even known for sure.
    """
    what = f"{repository}:{tag} holds an empty index of bulkrm's"
    if cause is not None:
        what = f"{repository}:{tag} may hold an empty index of bulkrm's: {cause.message}"
    return Failure(FailureCode.UNFINISHED, what, None, "`bulkrm resume` goes on, `bulkrm undo` puts the tag back")


def stuck(repository: Repository, tag: str, decoy: Digest, held: Digest | Failure | None) -> Failure | None:
    """Return the failure of a tag that holds a decoy after all that was tried, or may hold it; else None."""
    if isinstance(held, Failure):
        return unrestored(repository, tag, held)
    return unrestored(repository, tag, None) if held == decoy else None


def tag_of(target: Target) -> str:
    """Return the tag of a target that is one."""
    if not isinstance(target.reference, TagRef):
        raise TypeError(f"{target.reference} is no tag")
    return target.reference.tag


def untagged(item: Item) -> Untagged:
    """Say that a tag is gone and its manifest is not."""
    return Untagged(item.verdict.remaining_tags if isinstance(item.verdict, Untag) else ())


def outcome_of(changed: Changed, change: Change, done: Outcome) -> Outcome | None:
    """Say what a change came to, `done` if it was ours that did it; None: it was not tried."""
    match changed:
        case Done(by_us):
            return done if by_us else Gone()
        case Moved(None):
            return Gone()
        case Moved(digest):
            return Kept(KeptReason.MOVED, (f"{change.repository}:{change.tag}@{digest}",))
        case Unwanted():
            return None
        case Failure():
            return Failed(changed)
