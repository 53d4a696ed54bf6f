"""Restores the images that a run deleted: children, then the manifests that name them, then the tags; each is read back.

If a tag can be read, its digest may still be missing: a registry may delete a manifest and keep its tags (that of
go-containerregistry stores tags and digests separately: pkg/registry/manifest.go). So the digest is read too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field

import anyio

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.tag_change import Change, tag_of, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.record.recorder import not_recorded
from bulkrm.engine.record.undo_recorder import Restoration, UndoRecording
from bulkrm.engine.stop import GRACE, UntilStopped
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Phase, PhaseBegan
from bulkrm.model.grouping import by_host
from bulkrm.model.manifests.manifest import Manifest, children
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import (
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttemptedReason,
    Outcome,
    Restored,
    Unchanged,
    WouldRestore,
    outcome_of_failure,
)
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass
from bulkrm.planning.tag_state import Pushed, outcome_of
from bulkrm.remote.sending import Sending
from bulkrm.state.errors import StateError


@valueclass
class Loss:
    """A manifest that a run deleted, or removed tags from. `tags`: the removed tags; `decoys`: what they may lead to."""

    repository: Repository
    manifest: Manifest
    tags: tuple[str, ...]
    decoys: frozenset[Digest] = field(default_factory=frozenset)

    @property
    def key(self) -> tuple[Repository, Digest]:
        """The repository and the digest, which identify a loss of the run."""
        return self.repository, self.manifest.digest

    @property
    def restoration(self) -> Restoration:
        """The manifest to push, and the tags to push it under."""
        return self.repository, self.manifest.digest, self.tags

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets of the report: one for each tag, or one for the digest of a manifest without tags."""
        if not self.tags:
            return (Target(DigestRef(self.repository, self.manifest.digest), None),)
        return tuple(Target(TagRef(self.repository, tag), None) for tag in self.tags)


class Undo:
    """Restores the losses of one run."""

    def __init__(
        self,
        gateway: Gateway,
        context: RunContext,
        *,
        force: bool,
        dry_run: bool,
        recording: UndoRecording | None = None,
    ) -> None:
        """`force`: also restore tags that lead to another manifest by now. `recording`: records each push before it is sent."""
        self._recording = None if dry_run else recording
        self._present: set[tuple[Repository, Digest]] = set()  # manifests that were seen under their digest
        self._gateway = gateway
        self._stop = context.stop
        self._tell = context.tell
        self._force = force
        self._dry_run = dry_run
        self._in_flight = RequestsInFlight(context.stop)
        self._tags = TagChanger(gateway, self._in_flight, context.clock)
        journal = recording.outcome if recording is not None else None
        self._outcomes = Outcomes(context.tell, context.stop.crash, journal)
        self._finished: dict[tuple[Repository, Digest], anyio.Event] = {}

    async def restore(self, losses: Sequence[Loss]) -> Sequence[ImageResult]:
        """Restore everything that is missing; return one result for each tag, and for each manifest without tags."""
        lines: list[Target] = [target for loss in losses for target in loss.targets]
        lines.sort(key=lambda target: str(target.reference))
        self._outcomes.open(lines)
        ordered = _children_first(losses)
        self._finished = {loss.key: anyio.Event() for loss in ordered}
        self._tell(PhaseBegan(Phase.PUTTING_BACK, len(ordered)))
        if not await self._record_begin(ordered):
            return self._outcomes.close(NotAttemptedReason.DECLINED)
        with self._stop.phase(GRACE, self._in_flight.busy):
            await run_jobs(by_host(ordered), self._gateway.workers, self._put_back, self._stop)
        return self._outcomes.close(self._stop.reason or NotAttemptedReason.DECLINED)

    async def _record_begin(self, losses: Sequence[Loss]) -> bool:
        """Record that an undo begins. False: that failed, so all targets have the outcome `failed` and nothing is pushed."""
        try:
            if self._recording is not None:
                await self._recording.begin(loss.restoration for loss in losses)
        except StateError as error:
            for loss in losses:
                for target in loss.targets:
                    self._outcomes.record(target, Failed(not_recorded(error)), loss.manifest.resolved)
            return False
        return True

    async def _put_back(self, loss: Loss) -> None:
        try:
            for child in _named(loss):
                if (loss.repository, child) in self._finished and child != loss.manifest.digest:
                    await self._finished[loss.repository, child].wait()
            for target in loss.targets:
                if self._stop:
                    return
                try:
                    outcome = await (self._tag(loss, target) if loss.tags else self._manifest(loss))
                except StateError as error:
                    outcome = Failed(not_recorded(error))
                if outcome is not None:
                    self._outcomes.record(target, outcome, loss.manifest.resolved)
        finally:
            self._finished[loss.key].set()
            self._tell(ADVANCED)

    async def _manifest(self, loss: Loss) -> Outcome | None:
        """Restore a manifest without tags by its digest."""
        held = await self._tags.read(loss.repository, loss.manifest.digest)
        if isinstance(held, Failure):
            return outcome_of_failure(held)
        if held is not None:
            return Unchanged()
        if self._dry_run:
            return WouldRestore()

        await self._intend(loss)
        with self._in_flight.unfinished():
            failure = await self._gateway.repository(loss.repository).restore(loss.manifest, Sending())
            return outcome_of_failure(failure) if failure else await self._seen(loss, loss.manifest.digest)

    async def _tag(self, loss: Loss, target: Target) -> Outcome | None:
        """Restore a tag together with its manifest, unless the tag leads to a manifest that somebody else pushed."""
        held = await self._tags.read(loss.repository, tag_of(target))
        was_kept = held == loss.manifest.digest
        if was_kept and (found := await self._by_digest(loss)) is not None:
            return outcome_of_failure(found) if isinstance(found, Failure) else Unchanged()
        settled = self._settled(loss, target, held)
        if settled is not None or isinstance(held, Failure):
            return settled
        await self._intend(loss)
        change = Change(loss.repository, tag_of(target), held, loss.manifest.digest, UntilStopped(self._stop))
        with self._in_flight.unfinished():  # the effect of the push is looked up in a stopped run too
            changed = await self._tags.put(change, loss.manifest)
            if isinstance(changed, Pushed):
                references = (tag_of(target), loss.manifest.digest) if was_kept else (tag_of(target),)
                return await self._seen(loss, *references)
        outcome = outcome_of(changed, change.repository, change.tag, Restored())
        # `Gone`: somebody else deleted the manifest that the tag led to, which is not the one that this run deleted.
        return Kept(KeptReason.MOVED) if isinstance(outcome, Gone) else outcome

    async def _intend(self, loss: Loss) -> None:
        """Record that a manifest is pushed now. After StateError it must not be pushed."""
        if self._recording is not None:
            await self._recording.intend(loss.restoration)

    async def _by_digest(self, loss: Loss) -> Digest | Failure | None:
        """Return the manifest's digest if the registry has it; None: it does not, whatever its tags lead to."""
        if loss.key not in self._present:
            held = await self._tags.read(loss.repository, loss.manifest.digest)
            if held != loss.manifest.digest:
                return held if isinstance(held, Failure) else None
            self._present.add(loss.key)
        return loss.manifest.digest

    def _settled(self, loss: Loss, target: Target, held: Digest | Failure | None) -> Outcome | None:
        """Return the outcome that follows from the digest that a tag has now; None: the tag has to be restored."""
        if isinstance(held, Failure):
            return outcome_of_failure(held)
        if held not in (None, loss.manifest.digest) and held not in loss.decoys and not self._force:
            return Kept(KeptReason.MOVED, (f"{target.reference}@{held}",))
        return WouldRestore() if self._dry_run else None

    async def _seen(self, loss: Loss, *references: str) -> Outcome:
        """Read back what was pushed: a 201 does not prove it (distribution with a warm cache after a garbage collection)."""
        for reference in references:
            held = await self._tags.read(loss.repository, reference)
            if held != loss.manifest.digest:
                return outcome_of_failure(held if isinstance(held, Failure) else unconfirmed(None))
        return Restored()


def _children_first(losses: Sequence[Loss]) -> list[Loss]:
    """Return the losses with the children of an index before it: registries refuse an index whose children are missing."""
    known: Mapping[tuple[Repository, Digest], Loss] = {loss.key: loss for loss in losses}
    order: dict[tuple[Repository, Digest], Loss] = {}
    for loss in losses:
        stack = [loss]
        while stack:
            top = stack[-1]
            keys = ((top.repository, child) for child in _named(top))
            missing = [known[key] for key in keys if key in known and key not in order and known[key] not in stack]
            if missing:
                stack += missing
            else:
                order.setdefault(top.key, stack.pop())
    return list(order.values())


def _named(loss: Loss) -> tuple[Digest, ...]:
    return children(loss.manifest.media_type, loss.manifest.content).manifests
