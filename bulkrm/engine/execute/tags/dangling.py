"""Tags that lead to no manifest are removed, before anything else of the run goes.

They go first because distribution cannot delete any manifest of a repository where a tag's link is damaged: it reads all
of them (registry/storage/tagstore.go `Lookup`). There is nothing to archive, so each is read once more right before: one
that leads somewhere by then stays. That it cannot be read is no proof that it is gone, so the tag list is, after all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy_manifest import delete_decoy, new_decoy
from bulkrm.engine.execute.tags.tag_change import tag_of, unconfirmed, unrestored, withdrawn_when_old
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.plan.damaged import is_damage
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import GRACE
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import ADVANCED, Phase, PhaseBegan
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.manifest import Manifest, Unresolved
from bulkrm.model.plan import Dangling, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, KeptReason, Outcome
from bulkrm.planning.dangling import NOWHERE
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn
from bulkrm.state.errors import StateError

# What a registry answers that does not remove such a tag; anything else is a failure of its own.
_CANNOT = frozenset(
    {FailureCode.SERVER_ERROR, FailureCode.UNCONFIRMED, FailureCode.NOT_SUPPORTED, FailureCode.UNEXPECTED_ANSWER}
)


_TRIES = 8  # times that a tag is read: a token may end, or the host pause, while a request waits for its turn


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came of one request. `failure`: why it is not known to be done; `possible`: it may have taken effect."""

    failure: Failure | None = None
    possible: bool = True
    was_gone: bool = False


class DanglingTags:
    """Removes them, repository by repository."""

    def __init__(self, gateway: Gateway, outcomes: Outcomes, context: RunContext) -> None:
        """Take who is asked, and where outcomes are written down."""
        self._gateway = gateway
        self._outcomes = outcomes
        self._context = context
        self._stop = context.stop
        self._tell = context.tell
        self._recorder = context.recorder
        self._in_flight = RequestsInFlight(context.stop)
        self._fail_fast = False

    async def remove(self, entries: Sequence[Dangling], *, fail_fast: bool) -> None:
        """Remove these tags; whatever a stop leaves has no outcome."""
        self._fail_fast = fail_fast
        places = by_repository(entries)
        if places:
            self._tell(PhaseBegan(Phase.REMOVING_DANGLING_TAGS, len(entries)))
            with self._stop.phase(GRACE, self._in_flight.busy):
                work = partial(self._in_repository, places)
                await run_jobs(by_host(places), self._gateway.workers, work, self._stop)

    async def _in_repository(self, places: Mapping[Repository, Sequence[Dangling]], repository: Repository) -> None:
        entries = places[repository]
        sent: dict[Dangling, _Sent] = {}
        try:
            tags = [tag_of(entry.target) for entry in entries]
            await self._recorder.dangling(repository, tags)
            decoy = (
                await new_decoy(self._context, repository, tags)
                if entries[0].untag_method is UntagMethod.DECOY
                else None
            )
            with self._in_flight.unfinished():
                for entry in entries:
                    await self._remove(entry, decoy, sent)
                    self._tell(ADVANCED)
                await self._conclude(repository, sent, decoy)
        except StateError as error:
            self._stop.fail_fast()
            for entry in self._open(entries):
                self._record(entry, Failed(not_recorded(error)))
        except BaseException:
            for entry in self._open(sent):
                self._record(entry, Failed(unconfirmed(None)))
            raise

    async def _remove(self, entry: Dangling, decoy: Manifest | None, sent: dict[Dangling, _Sent]) -> None:
        """Send the removal of one tag, if it leads nowhere still."""
        # One for all tries: a DELETE that was answered by a limit may have acted, and a 404 after it is this run's.
        sending = Sending(repeatable=False)
        failure = _RESTLESS
        for _ in range(_TRIES):
            if self._stop:
                break
            held = await self._held(entry)
            if decoy is not None and held == decoy.digest:
                break  # the push took effect, whatever its answer was
            if isinstance(held, Digest):
                self._record(entry, Kept(KeptReason.MOVED, (f"{entry.target.reference}@{held}",)))
                return
            if isinstance(held, Failure) and not is_damage(Unresolved(held)):
                failure = held
                break
            sending.withdrawn = withdrawn_when_old(self._context.clock, lambda: not self._stop)
            result = await self._send(entry, decoy, sending)
            if result is not None:
                sent[entry] = result
                return
        self._give_up(entry, failure, sending, sent)

    def _give_up(self, entry: Dangling, failure: Failure, sending: Sending, sent: dict[Dangling, _Sent]) -> None:
        """Leave a tag of which nothing is sent any more: what may have taken effect is looked at with the others."""
        if sending.may_have_acted:
            sent[entry] = _Sent(unconfirmed(failure))
        elif not self._stop:
            self._record(entry, Failed(failure))

    async def _held(self, entry: Dangling) -> Digest | Failure | None:
        """Read a tag, whatever type its manifest may have; that it is damaged need not be heard five times again."""

        async def read(registry: Registry) -> Digest | None:
            try:
                found = await registry.anything(entry.repository, tag_of(entry.target), once=True)
            except RequestFailed as error:
                if is_damage(Unresolved(error.failure)):
                    raise
                found = await registry.anything(entry.repository, tag_of(entry.target))
            return found.digest if found else None

        return await self._gateway.call(entry.repository, read)

    async def _send(self, entry: Dangling, decoy: Manifest | None, sending: Sending) -> _Sent | None:
        """Send the DELETE of a tag, or push the decoy over it; None: it was not sent."""
        repository, tag = entry.repository, tag_of(entry.target)

        async def delete(registry: Registry) -> Removal:
            return await registry.delete_tag(repository, tag, sending)

        async def push(registry: Registry) -> None:
            if decoy is not None:
                await registry.put(repository, tag, decoy, sending)

        try:
            with self._in_flight.of(sending):
                if decoy is None:
                    result: Removal | Failure | None = await self._gateway.untag(repository, delete)
                else:
                    result = await self._gateway.push(repository, push)
        except Withdrawn as taken_back:
            return _Sent(taken_back.failure or unconfirmed(None)) if sending.is_open else None
        if isinstance(result, Failure):
            return _Sent(result, possible=sending.may_have_acted)
        return _Sent(was_gone=result is Removal.WAS_GONE)

    async def _conclude(self, repository: Repository, sent: Mapping[Dangling, _Sent], decoy: Manifest | None) -> None:
        """Look in the tag list what became of the tags, after the DELETE of the decoy that was pushed over them."""
        if not sent:
            return
        refusal: Failure | None = None
        if decoy is not None and any(result.possible for result in sent.values()):
            deleted = await delete_decoy(self._gateway, repository, decoy.digest)
            refusal = deleted if isinstance(deleted, Failure) else None
        anew = self._gateway.anew()
        listed = await anew.call(repository, lambda registry: registry.tags(repository))
        for entry, result in sent.items():
            if isinstance(listed, Failure):
                outcome: Outcome = Failed(unconfirmed(listed))
            elif tag_of(entry.target) not in (listed or ()):
                outcome = Deleted(for_good=True) if result.possible and not result.was_gone else Gone()
            elif decoy is not None and result.possible:
                outcome = await self._left(anew, entry, decoy, result.failure or refusal)
            else:
                outcome = _stays(result.failure)
            self._record(entry, outcome)

    async def _left(self, anew: Gateway, entry: Dangling, decoy: Manifest, failure: Failure | None) -> Outcome:
        """Say what became of a tag that is listed although the decoy over it was to go."""
        repository, tag = entry.repository, tag_of(entry.target)
        held = await anew.call(repository, lambda registry: registry.head(repository, tag))
        if isinstance(held, Failure) and not is_damage(Unresolved(held)):
            return Failed(unrestored(repository, tag, held))
        if held is None or isinstance(held, Failure):
            return _stays(failure)
        if held.digest == decoy.digest:
            return Failed(unrestored(repository, tag, None))
        return Kept(KeptReason.MOVED, (f"{entry.target.reference}@{held.digest}",))

    def _open(self, entries: Iterable[Dangling]) -> list[Dangling]:
        return [entry for entry in entries if not self._outcomes.has(entry.target)]

    def _record(self, entry: Dangling, outcome: Outcome) -> None:
        self._outcomes.record(entry.target, outcome)
        if isinstance(outcome, Failed) and self._fail_fast:
            self._stop.fail_fast()


_RESTLESS = Failure(
    FailureCode.TIMEOUT,
    "the tag was read several times, and the registry was never ready to remove it",
    hint="run again when the registry is less busy",
)


def _stays(failure: Failure | None) -> Outcome:
    """Say of a tag that is listed still that the registry did not remove it, and why as far as it said so."""
    if failure is not None and failure.code not in _CANNOT:
        return Failed(failure)
    why = f"{NOWHERE}, and the registry does not remove it"
    why += f": {failure.message}" if failure is not None else ""
    hint = (
        "another way may remove it: --allow-decoy, or the registry's own tool; its administrator can delete its files"
    )
    return Kept(KeptReason.UNREADABLE, (why,), hint)
