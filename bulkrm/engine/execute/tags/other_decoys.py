"""Recognises decoys of other runs under tags of this run, and waits for those runs.

Another run is removing the tag that holds its decoy, or was stopped before it did, and its `resume` and `undo` look for the
decoy there. So this run neither deletes nor overwrites such a tag. It waits a little for the other run to remove it.
"""

from collections.abc import Sequence
from dataclasses import replace

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.reading import Basis, Rejudged, Relisted, Rereader
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest, decoy_run
from bulkrm.model.plan import Item, Settled
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NotAttempted, outcome_of_failure
from bulkrm.planning.tag_state import moved


class OtherDecoys:
    """Tells decoys of other runs from manifests that somebody pushed."""

    def __init__(self, changer: TagChanger, context: RunContext) -> None:
        """`changer` reads the tags; `context` knows the decoys of this run."""
        self._changer = changer
        self._context = context
        self._runs: dict[tuple[Repository, Digest], str | None] = {}
        self._stayed: set[tuple[Repository, Digest]] = set()  # waited for in vain: not once more for each of its tags

    async def _run_of(self, repository: Repository, digest: Digest) -> str | None:
        """Return the name of the other run whose decoy a manifest is, empty if it names none; None: it is no such decoy."""
        if digest in self._context.removed_ahead.decoys(repository):
            return None
        key = repository, digest
        if key not in self._runs:
            found = await self._changer.whole(repository, digest)
            # What is gone by now was deleted while it was looked for: nothing tells what it was.
            self._runs[key] = decoy_run(found) if isinstance(found, Manifest) else None
        return self._runs[key]

    async def _wait(self, repository: Repository, tag: str, decoy: Digest) -> Digest | Failure | None:
        """Wait a while for another run to remove its decoy from a tag; return what the tag holds then."""
        if (repository, decoy) in self._stayed:
            return await self._changer.read(repository, tag)
        held = await self._changer.read_until_changed(repository, tag, decoy, self._context.stop)
        if held == decoy:
            self._stayed.add((repository, decoy))
        return held

    async def outcome_of_moved(
        self, repository: Repository, tag: str, now: Digest
    ) -> Gone | Failed | Kept | NotAttempted:
        """Return the outcome of a tag that holds `now` and not its manifest: it moved, unless `now` is another run's decoy.

        In that case the outcome follows from what the tag holds after the wait: nothing, another manifest, or still the decoy.
        """
        run = await self._run_of(repository, now)
        if run is None:
            return moved(repository, tag, now)
        held = await self._wait(repository, tag, now)
        if held is None:
            return Gone()
        if isinstance(held, Failure):
            return outcome_of_failure(held)
        return Failed(_others(repository, tag, run)) if held == now else moved(repository, tag, held)

    async def told(self, settled: Settled) -> Settled | None:
        """Return a settled target, its outcome that of `outcome_of_moved` if it is `moved`; None: its host is given up."""
        outcome, reference = settled.outcome, settled.target.reference
        if not (isinstance(outcome, Kept) and outcome.reason is KeptReason.MOVED and isinstance(reference, TagRef)):
            return settled
        now = Digest(outcome.because[0].rpartition("@")[2])
        found = await self.outcome_of_moved(reference.repository, reference.tag, now)
        return None if isinstance(found, NotAttempted) else replace(settled, outcome=found)


class DecoyAwareRereader:
    """A `Rereader` that does not take a tag which holds another run's decoy for one that moved."""

    def __init__(self, rereader: Rereader, others: OtherDecoys) -> None:
        """`rereader` reads and judges; `others` recognises decoys."""
        self._rereader = rereader
        self._others = others

    def basis(self, repository: Repository) -> Basis:
        """Return the readings that the plan rests on."""
        return self._rereader.basis(repository)

    async def list_again(self, repository: Repository, changed: Sequence[Item], basis: Basis) -> Relisted | None:
        """Read the list of tags, and the names in it that are new."""
        return await self._rereader.list_again(repository, changed, basis)

    async def judge_again(self, repository: Repository, changed: Sequence[Item]) -> Rejudged | None:
        """Read and judge the repository again; wait for other runs whose decoys are under its tags."""
        judged = await self._rereader.judge_again(repository, changed)
        if judged is None:
            return None
        dropped: list[Settled] = []
        for settled in judged.result.dropped:
            told = await self._others.told(settled)
            if told is None:
                return None
            dropped.append(told)
        return replace(judged, result=replace(judged.result, dropped=tuple(dropped)))


def _others(repository: Repository, tag: str, run: str) -> Failure:
    whose = f"the run {run} of bulkrm" if run else "another run of bulkrm"
    what = f"{repository}:{tag} holds an empty index of {whose}, which removes the tag, or was stopped before it had done so"
    hint = f"wait for that run, or `bulkrm resume{f' {run}' if run else ''}` where it was stopped; then resume this one"
    return Failure(FailureCode.UNFINISHED, what, None, hint)
