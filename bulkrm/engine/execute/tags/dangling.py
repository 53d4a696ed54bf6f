"""Removes dangling tags, which lead to no manifest, before all other deletions of the run.

They go first because distribution cannot delete any manifest of a repository where a tag's link is damaged: it reads all
of them (registry/storage/tagstore.go `Lookup`). There is nothing to archive, so each is read once more right before its change
(`Change.damaged`): one that leads somewhere by then stays. As nothing answered under it before, that nothing answers under it
afterwards proves nothing: the tag list does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.cut_off import ANYTHING, CutOff
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.decoy import Decoy, Decoys
from bulkrm.engine.execute.tags.decoy_proof import DecoyRemoval, unrestored
from bulkrm.engine.execute.tags.tag_change import Change, tag_of, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.stop import GRACE, UntilStopped
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Phase, PhaseBegan
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.plan import Dangling, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Effect, Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import (
    Deleted,
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttempted,
    Outcome,
    outcome_of_failure,
)
from bulkrm.planning.dangling import NOWHERE
from bulkrm.planning.tag_state import Changed, FailedChange, Moved, NotSent, Pushed, may_be_made, moved
from bulkrm.state.errors import StateError

# What a registry answers that does not remove such a tag; anything else is a failure of its own.
_CANNOT = frozenset(
    {FailureCode.SERVER_ERROR, FailureCode.UNCONFIRMED, FailureCode.NOT_SUPPORTED, FailureCode.UNEXPECTED_ANSWER}
)


_Sent = Removal | Pushed | FailedChange  # the result of a change that was sent


class DanglingTags:
    """Removes dangling tags, repository by repository."""

    def __init__(self, gateway: Gateway, context: RunContext, outcomes: Outcomes) -> None:
        """`outcomes` gets the outcome of each tag."""
        self._gateway = gateway
        self._in_flight = RequestsInFlight(context.stop)
        self._changer = TagChanger(gateway, self._in_flight, context.clock)
        self._decoys = Decoys(gateway, self._in_flight, context)
        self._outcomes = outcomes
        self._stop = context.stop
        self._permission = UntilStopped(context.stop)
        self._tell = context.tell
        self._recorder = context.recorder
        self._fail_fast = False

    async def remove(self, entries: Sequence[Dangling], *, fail_fast: bool) -> None:
        """Remove these tags; those that a stop leaves have no outcome."""
        self._fail_fast = fail_fast
        if entries:
            self._tell(PhaseBegan(Phase.REMOVING_DANGLING_TAGS, len(entries)))
            with self._stop.phase(GRACE, self._in_flight.busy):
                jobs = by_host(by_repository(entries).items())
                await run_jobs(jobs, self._gateway.workers, self._in_repository, self._stop)

    async def _in_repository(self, tags_of: tuple[Repository, Sequence[Dangling]]) -> None:
        repository, entries = tags_of
        sent: dict[Dangling, _Sent] = {}
        try:
            tags = [tag_of(entry.target) for entry in entries]
            await self._recorder.dangling(repository, tags)
            by_decoy = entries[0].untag_method is UntagMethod.DECOY
            async with self._decoys.make(repository, tags) if by_decoy else nullcontext() as decoy:
                with CutOff(ANYTHING, self._record_cut_off, sent), self._in_flight.unfinished():
                    for entry in entries:
                        if not self._stop:
                            await self._send(entry, decoy, sent)
                        self._tell(ADVANCED)
                    await self._conclude(repository, sent, decoy)
        except StateError as error:
            self._stop.fail_fast()
            for entry in self._open(entries):
                self._record(entry, Failed(not_recorded(error)))

    def _record_cut_off(self, sent: Iterable[Dangling]) -> None:
        for entry in self._open(sent):
            self._record(entry, Failed(unconfirmed(None)))

    async def _send(self, entry: Dangling, decoy: Decoy | None, sent: dict[Dangling, _Sent]) -> None:
        """Remove one tag if it still leads nowhere; `sent` gets what the answer says, where a request was sent."""
        match await self._change(entry, decoy, sent):
            case Moved(Digest() as now):
                self._record(entry, moved(entry.repository, tag_of(entry.target), now))
            case NotSent(failure) if not self._stop:
                self._record(entry, outcome_of_failure(failure))
            case Removal() | Pushed() | FailedChange() as answered:
                sent[entry] = answered
            case _:
                pass

    async def _change(self, entry: Dangling, decoy: Decoy | None, sent: dict[Dangling, _Sent]) -> Changed:
        """DELETE one tag, or push the decoy over it."""
        tag = tag_of(entry.target)
        if decoy is None:
            change = Change(entry.repository, tag, None, None, self._permission, damaged=True)
        else:
            change = decoy.change(tag, None, self._permission, damaged=True)
        with CutOff(change, sent.__setitem__, entry, FailedChange(unconfirmed(None), Effect.OPEN)):
            return await (self._changer.delete(change) if decoy is None else decoy.push(change))

    async def _conclude(self, repository: Repository, sent: Mapping[Dangling, _Sent], decoy: Decoy | None) -> None:
        """Delete the decoy, if one was pushed over the tags, and record the outcome of each tag by the tag list."""
        if not sent:
            return
        if decoy is not None and decoy.under:
            removal = await decoy.remove()
            names = removal.names
        else:
            removal, names = None, await self._changer.with_fresh_memory().listed(repository)
        for entry, answered in sent.items():
            self._record(entry, dangling_outcome(entry, answered, names, removal))

    def _open(self, entries: Iterable[Dangling]) -> list[Dangling]:
        return [entry for entry in entries if not self._outcomes.has(entry.target)]

    def _record(self, entry: Dangling, outcome: Outcome) -> None:
        self._outcomes.record(entry.target, outcome)
        if isinstance(outcome, Failed | NotAttempted) and self._fail_fast:
            self._stop.fail_fast()


def dangling_outcome(
    entry: Dangling, answered: _Sent, names: Collection[str] | Failure, removal: DecoyRemoval | None
) -> Outcome:
    """Return the outcome of a dangling tag.

    `answered`: what came of its DELETE, or of pushing a decoy over it; `names`: the tag list afterwards; `removal`: what came
    of the decoy, if one was pushed over any tag.
    """
    repository, tag = entry.repository, tag_of(entry.target)
    if isinstance(names, Failure):
        return Failed(unconfirmed(names))
    if tag not in names:
        by_us = may_be_made(answered) and answered is not Removal.WAS_GONE
        return Deleted(for_good=True) if by_us else Gone()
    failed = answered if isinstance(answered, FailedChange) else None
    if removal is None or tag not in removal.looks:
        return _stays(failed)
    held = removal.looks[tag].held
    if held is None:
        if failed is None and removal.failure is not None:
            failed = FailedChange(removal.failure, Effect.NONE)
        return _stays(failed)
    if isinstance(held, Failure):
        return Failed(unrestored(repository, tag, held))
    return Failed(unrestored(repository, tag, None)) if held == removal.decoy else moved(repository, tag, held)


def _stays(failed: FailedChange | None) -> Outcome:
    """Return the outcome of a tag that is still listed, with the reason that the registry gave, if any."""
    if failed is not None and failed.failure.code not in _CANNOT:
        return outcome_of_failure(failed.failure, failed.effect)
    why = f"{NOWHERE}, and the registry does not remove it"
    why += f": {failed.failure.message}" if failed is not None else ""
    hint = (
        "another way may remove it: --allow-decoy, or the registry's own tool; its administrator can delete its files"
    )
    return Kept(KeptReason.UNREADABLE, (why,), hint)
