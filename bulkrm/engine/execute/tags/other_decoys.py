"""The decoys of other runs, met under tags of this one.

A tag that holds another run's decoy is being removed by that run, or was left so by one that was stopped, whose `resume` and
`undo` look for the decoy there. So this run neither deletes nor overwrites it: it waits a little for that run's end.
"""

from collections.abc import Sequence
from dataclasses import replace

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.staleness import Basis, Rejudged, Relisted, Rereader
from bulkrm.engine.execute.tags.tag_change import moved
from bulkrm.engine.gateway import Gateway
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest, decoy_run
from bulkrm.model.plan import Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import PATIENCE
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason


class OtherDecoys:
    """Tells the decoys of other runs from what somebody pushed."""

    def __init__(self, gateway: Gateway, context: RunContext) -> None:
        """`context` has the decoys of this run, which are no others'."""
        self._gateway = gateway
        self._context = context
        self._runs: dict[tuple[Repository, Digest], str | None] = {}
        self._stayed: set[tuple[Repository, Digest]] = set()  # waited for in vain: not once more for each of its tags

    async def _run_of(self, repository: Repository, digest: Digest) -> str | None:
        """Return the run whose decoy a manifest is, empty where it does not say; None: it is no decoy."""
        if digest in self._context.removed_ahead.decoys(repository):
            return None
        key = repository, digest
        if key not in self._runs:
            found = await self._gateway.call(repository, lambda registry: registry.manifest(repository, digest))
            # What is gone by now was deleted while it was looked for: nothing tells what it was.
            self._runs[key] = decoy_run(found) if isinstance(found, Manifest) else None
        return self._runs[key]

    async def _wait(self, repository: Repository, tag: str, decoy: Digest) -> Digest | Failure | None:
        """Wait until a tag holds another run's decoy no more, for a while; return what it holds then."""
        held = await self._held(repository, tag)
        for pause in PATIENCE:
            if held != decoy or (repository, decoy) in self._stayed or self._context.stop:
                break
            await self._context.clock.sleep(pause)
            held = await self._held(repository, tag)
        if held == decoy:
            self._stayed.add((repository, decoy))
        return held

    async def _held(self, repository: Repository, tag: str) -> Digest | Failure | None:
        found = await self._gateway.call(repository, lambda registry: registry.head(repository, tag))
        return found if isinstance(found, Failure) or found is None else found.digest

    async def outcome_of_moved(self, repository: Repository, tag: str, now: Digest) -> Gone | Failed | Kept:
        """Say what becomes of a tag that holds `now` instead of what it held: it moved, unless that is another run's decoy.

        Then it is told by what the tag holds after the other run's end: nothing, something else, or the decoy still.
        """
        run = await self._run_of(repository, now)
        if run is None:
            return moved(repository, tag, now)
        held = await self._wait(repository, tag, now)
        if held is None:
            return Gone()
        if isinstance(held, Failure):
            return Failed(held)
        return Failed(_others(repository, tag, run)) if held == now else moved(repository, tag, held)


class DecoyAwareRereader:
    """A `Rereader` for which a tag that holds another run's decoy did not move."""

    def __init__(self, rereader: Rereader, others: OtherDecoys) -> None:
        """`rereader` reads and judges."""
        self._rereader = rereader
        self._others = others

    def basis(self, repository: Repository) -> Basis:
        """Return the readings that the plan rests on."""
        return self._rereader.basis(repository)

    async def list_again(self, repository: Repository, acts: Sequence[Item], basis: Basis) -> Relisted | None:
        """Read the list of tags, and the names in it that are new."""
        return await self._rereader.list_again(repository, acts, basis)

    async def judge_again(self, repository: Repository, acts: Sequence[Item]) -> Rejudged | None:
        """Read and judge the repository; a tag that holds another run's decoy did not move."""
        judged = await self._rereader.judge_again(repository, acts)
        if judged is None:
            return None
        dropped = tuple([await self._told(settled) for settled in judged.result.dropped])
        return replace(judged, result=replace(judged.result, dropped=dropped))

    async def _told(self, settled: Settled) -> Settled:
        outcome, reference = settled.outcome, settled.target.reference
        if not (isinstance(outcome, Kept) and outcome.reason is KeptReason.MOVED and isinstance(reference, TagRef)):
            return settled
        now = Digest(outcome.because[0].rpartition("@")[2])
        return replace(settled, outcome=await self._others.outcome_of_moved(reference.repository, reference.tag, now))


def _others(repository: Repository, tag: str, run: str) -> Failure:
    whose = f"the run {run} of bulkrm" if run else "another run of bulkrm"
    what = f"{repository}:{tag} holds an empty index of {whose}, which takes the tag off, or was stopped before it had done so"
    hint = f"wait for that run, or `bulkrm resume{f' {run}' if run else ''}` where it was stopped; then resume this one"
    return Failure(FailureCode.UNFINISHED, what, None, hint)
