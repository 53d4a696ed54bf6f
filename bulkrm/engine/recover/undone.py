"""Keeps the images that an undo restored when the run is resumed, because the user who restored them wants them.

Images that an undo may have restored before it was killed are read. An image whose manifest was restored under another
tag, or as the child of an index, is kept too; if its own tag is gone, its outcome is `untagged`.
"""

from collections.abc import Iterable, Mapping, Sequence

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.tags.tag_change import unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import UndoneImages
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_host, grouped
from bulkrm.model.plan import Item, Plan
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import Failure
from bulkrm.model.result.outcome import Failed, Kept, KeptReason, Outcome, Untagged
from bulkrm.model.result.report import ImageResult
from bulkrm.state.journal.removals import TaggedDigest


class RestoredImages:
    """Records the outcomes of images whose manifests undos restored."""

    def __init__(self, undone: UndoneImages, gateway: Gateway, outcomes: Outcomes, context: RunContext) -> None:
        """`outcomes`: has the outcomes of all other images of the earlier parts."""
        self._undone = undone
        self._gateway = gateway
        self._outcomes = outcomes
        self._stop = context.stop
        self._tags = TagChanger(gateway, RequestsInFlight(context.stop), context.clock)
        self._as_before: dict[str, ImageResult] = {}
        self._back = _tags_by_manifest(undone.sure)
        self._maybe = _tags_by_manifest(undone.maybe)

    async def settle(self, plan: Plan) -> None:
        """Record `kept` for the images that were restored, and for all others of `undone` their outcome before the undo."""
        put_back = self._back.keys() | self._maybe.keys()
        items = [item for item in plan.items if (item.repository, item.digest) in put_back]
        await run_jobs(by_host(items), self._gateway.workers, self._settle, self._stop)
        self._outcomes.replay(self._as_before)

    async def _settle(self, item: Item) -> None:
        before, back = self._undone.before, set(self._back.get((item.repository, item.digest), ()))
        for tag in self._maybe.get((item.repository, item.digest), ()):
            held = await self._tags.read(item.repository, tag or item.digest)
            if isinstance(held, Failure):
                self._record(item, Failed(unconfirmed(held)))
                return
            back |= {tag} if held == item.digest else set()
        if not back:
            names = (str(target.reference) for target in item.targets)
            self._as_before.update({name: before[name] for name in names if name in before})
            return
        others = sorted(f"{item.repository}:{tag}" if tag else f"{item.repository}@{item.digest}" for tag in back)
        for target in item.targets:
            if not self._outcomes.has(target):
                self._outcomes.record(target, await self._fate(item, target.reference, back, others), item.resolved)

    async def _fate(
        self, item: Item, reference: TagRef | DigestRef, back: set[str | None], others: Sequence[str]
    ) -> Outcome:
        """Return the outcome of an image whose manifest was restored, under the names `others`; `back`: tags in them."""
        if isinstance(reference, DigestRef) or reference.tag in back:
            return Kept(KeptReason.UNDONE)
        held = await self._tags.read(item.repository, reference.tag)
        if isinstance(held, Failure):
            return Failed(unconfirmed(held))
        if held is None:
            return Untagged(tuple(others))
        if held == item.digest:
            return Kept(KeptReason.UNDONE, tuple(others))
        return Kept(KeptReason.MOVED, (f"{item.repository}:{reference.tag}@{held}",))

    def _record(self, item: Item, outcome: Outcome) -> None:
        for target in item.targets:
            if not self._outcomes.has(target):
                self._outcomes.record(target, outcome, item.resolved)


def _tags_by_manifest(images: Iterable[TaggedDigest]) -> Mapping[tuple[Repository, Digest], Sequence[str | None]]:
    groups = grouped(images, lambda image: (image[0], image[1]))
    return {manifest: [tag for _, _, tag in found] for manifest, found in groups.items()}
