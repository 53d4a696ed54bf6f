"""Reconciles requests that a killed run left in flight: what took effect becomes an outcome, the rest is planned again.

A decoy that the killed run made goes through the rest of its life (`tags.decoy`): it is deleted if it is there, its removal is
proved by the tag list, and a tag that still leads to it gets back what it held. That its digest is gone, or that its DELETE is
accepted, says nothing of its tags. Only a tag that may lead to it after all this has its outcome here; the others are judged
again.
"""

from collections.abc import Sequence

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.leftover_tags import LeftoverTags
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.execute.tags.decoy import Decoys
from bulkrm.engine.execute.tags.decoy_proof import stays_listed, stuck, unrestored, untag_outcome
from bulkrm.engine.execute.tags.tag_change import tag_of, unconfirmed
from bulkrm.engine.execute.tags.tag_changer import TagChanger
from bulkrm.engine.execute.tags.untag import unseen
from bulkrm.engine.gateway import Gateway
from bulkrm.engine.job import EarlierProgress
from bulkrm.engine.outcomes import Outcomes
from bulkrm.engine.workers import run_jobs
from bulkrm.model.digest import Digest
from bulkrm.model.grouping import by_host, by_repository
from bulkrm.model.plan import Dangling, Item, Plan, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.outcome import Failed, Gone, Outcome, WouldDelete, WouldUntag
from bulkrm.model.settings import Policy
from bulkrm.model.target import Target
from bulkrm.planning.image_outcome import image_outcome
from bulkrm.planning.removal_outcomes import naming_unlisted
from bulkrm.planning.tag_state import TagLook, TagState


class Reconciliation:
    """Looks up the effect of the requests that were in flight, and records the outcomes."""

    def __init__(
        self, earlier: EarlierProgress, gateway: Gateway, context: RunContext, outcomes: Outcomes, policy: Policy
    ) -> None:
        """`outcomes`: has the results of earlier parts. In a dry run decoys and leftover tags are not removed.

        `in_flight` has the changes under way, which a stopped run waits for as in any other part of it.
        """
        self.in_flight = in_flight = RequestsInFlight(context.stop)
        self._dry_run = policy.dry_run
        self._plan = Plan(())
        self._seen: set[Repository] = set()  # repositories where a manifest was found, so that a 404 proves its absence
        self._gone: dict[Repository, list[tuple[Item, Sequence[Target]]]] = {}
        self._named: dict[tuple[Repository, str], list[tuple[Item, Target]]] = {}
        self._earlier = earlier
        self._gateway = gateway
        self._decoys = Decoys(gateway, in_flight, context)
        self._tags = TagChanger(gateway, in_flight, context.clock)
        leftover_tags = LeftoverTags(gateway, in_flight, context, self._decoys, allow_decoy=policy.allow_decoy)
        self._pending = PendingProofs(leftover_tags, in_flight, context, self._tell, remove_leftover=not policy.dry_run)
        self._outcomes = outcomes
        self._stop = context.stop
        self._removed_ahead = context.removed_ahead
        self._held = by_repository(earlier.removed_ahead)
        self._nowhere: dict[Repository, list[Dangling]] = {}  # tags that had no manifest, and may lead to a decoy now
        for (repository, tag), digest in earlier.removed_ahead.items():
            note = context.removed_ahead.cover if repository in earlier.decoys else context.removed_ahead.doubt
            note(repository, tag, digest)
        for repository, digests in earlier.decoys.items():
            for decoy in digests:
                context.removed_ahead.add_decoy(repository, decoy)

    async def settle(self, plan: Plan) -> None:
        """Record the outcomes of requests that took effect. The caller judges all targets without an outcome again."""
        self._plan = plan
        await self._settle_decoys(plan)
        begun = [item for item in plan.changed_items if self._is_begun(item) and self._open(item)]
        await run_jobs(by_host(begun), self._gateway.workers, self._look, self._stop)
        await self._conclude_all()

    async def _conclude_all(self) -> None:
        try:
            await run_jobs(by_host(self._gone), self._gateway.workers, self._conclude, self._stop)
        finally:
            self._pending.give_up()

    async def _settle_decoys(self, plan: Plan) -> None:
        """Delete the decoys that were pushed over tags ahead of their manifests, and over tags without a manifest."""
        self._nowhere = by_repository(entry for entry in plan.dangling if self._is_open_and_begun(entry))
        if self._dry_run:
            await run_jobs(by_host(self._nowhere), self._gateway.workers, self._look_under, self._stop)
        elif self._earlier.decoys:
            for item in plan.deletions:
                for tag in item.tags:
                    self._named[item.repository, tag] = [(item, target) for target in item.targets_for(tag)]
            await run_jobs(by_host(self._earlier.decoys), self._gateway.workers, self._sweep, self._stop)

    def _is_open_and_begun(self, entry: Dangling) -> bool:
        begun = (entry.repository, tag_of(entry.target)) in self._earlier.dangling
        return begun and not self._outcomes.has(entry.target)

    async def settle_late(self, plan: Plan) -> None:
        """Record deletions that took effect only after `settle`: the targets that `plan`, the new one, finds absent."""
        begun = {target: item for item in self._plan.changed_items if self._is_begun(item) for target in item.targets}
        for entry in plan.settled:
            if isinstance(entry.outcome, Gone) and entry.target in begun and not self._outcomes.has(entry.target):
                item = begun[entry.target]
                self._gone.setdefault(item.repository, []).append((item, (entry.target,)))
        await self._conclude_all()

    async def _conclude(self, repository: Repository) -> None:
        """Record the images that are gone, unless the registry answers that it does not have the repository.

        It may hide the repository from this user. A registry may also stop half-way through a deletion when its client is
        killed, so the tag list is checked too.
        """
        gone = self._gone.pop(repository)
        hidden = await self._hidden(repository)
        for item, targets in gone:
            failure = hidden or await self._taken_with(item)
            if failure is not None:
                self._record(item, targets, Failed(failure))
            elif isinstance(item.verdict, Untag):
                self._pending.add(item, Removal.FOUND_GONE, targets, [tag_of(target) for target in targets])
            else:
                self._pending.add(item, Removal.FOUND_GONE, targets, item.tags)
        await self._pending.settle(repository)

    def _tell(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Record an outcome; in a dry run an unfinished image has the outcome that it would be deleted."""
        if self._dry_run and isinstance(outcome, Failed) and outcome.failure.unfinished:
            outcome = WouldUntag(item.verdict.remaining_tags) if isinstance(item.verdict, Untag) else WouldDelete()
        self._record(item, targets, outcome)

    async def _hidden(self, repository: Repository) -> Failure | None:
        """Return why a 404 proves nothing in a repository; None: it proves that the manifest is gone."""
        if repository in self._seen:
            return None
        listed = await self._gateway.repository(repository).tags()
        if listed is not None:
            return unconfirmed(listed) if isinstance(listed, Failure) else None
        # distribution has no tag list for a repository that never had a tag; another manifest proves that it exists.
        others = (item for item in self._plan.items if item.repository == repository and not self._is_begun(item))
        other = next(others, None)
        seen = other is not None and isinstance(await self._tags.read(repository, other.digest), Digest)
        return None if seen else _DENIED

    def _is_begun(self, item: Item) -> bool:
        return (item.repository, item.digest) in self._earlier.begun

    async def _sweep(self, repository: Repository) -> None:
        """Go on with the decoys that are, or may be, over tags of manifests to delete, and over tags without a manifest.

        A tag that went, or holds what it held, is judged again with its manifest; one that may hold a decoy has its outcome
        here. A manifest of which an earlier part said that it is deleted is not put back: then the decoy was pushed over a
        leftover tag.
        """
        under = {
            name[1]: None if self._went(name) else self._earlier.removed_ahead[name]
            for name in self._held.get(repository, ())
        }
        nowhere = {tag_of(entry.target): entry for entry in self._nowhere.get(repository, ())}
        under.update(dict.fromkeys(nowhere))
        left: dict[str, Failure] = {}
        for decoy in sorted(self._earlier.decoys[repository]) if under else ():
            if self._stop:
                break
            with self.in_flight.unfinished():
                removal = await self._decoys.earlier(repository, decoy, under).remove_if_there(self._earlier.archive)
            for tag, look in removal.looks.items():
                self._note(repository, tag, look)
            found = {tag: stuck(repository, tag, decoy, look.held) for tag, look in removal.looks.items()}
            left.update({tag: failure for tag, failure in found.items() if failure is not None})
        for tag, failure in left.items():
            for item, target in self._named.get((repository, tag), ()):
                if not self._outcomes.has(target):
                    self._outcomes.record(target, Failed(failure), item.resolved)
            if tag in nowhere and not self._outcomes.has(nowhere[tag].target):
                self._outcomes.record(nowhere[tag].target, Failed(failure))

    def _went(self, name: tuple[Repository, str]) -> bool:
        """Tell whether an earlier part of the run told that the manifest is deleted that a tag held."""
        return any(self._outcomes.went(item) for item, _ in self._named.get(name, ()))

    def _note(self, repository: Repository, tag: str, look: TagLook) -> None:
        """Note what was seen of a tag that may have been removed ahead: it is gone, or there, without a decoy of this run."""
        digest = self._earlier.removed_ahead.get((repository, tag))
        if digest is not None and look.state is TagState.GONE:
            self._removed_ahead.add(repository, tag, digest, Removal.FOUND_GONE)
        elif look.state in (TagState.SERVES, TagState.MOVED) and look.held not in self._earlier.decoys[repository]:
            self._removed_ahead.drop(repository, tag)

    async def _look_under(self, repository: Repository) -> None:
        """Record in a dry run that tags without a manifest would be deleted, if they lead to a decoy of this run."""
        for entry in self._nowhere[repository]:
            held = await self._tags.read(repository, tag_of(entry.target))
            if held in self._earlier.decoys.get(repository, ()):
                self._outcomes.record(entry.target, WouldDelete(for_good=True))

    def _open(self, item: Item) -> Sequence[Target]:
        return [target for target in item.targets if not self._outcomes.has(target)]

    async def _look(self, item: Item) -> None:
        if isinstance(item.verdict, Untag):
            for target in self._open(item):
                self._record(item, (target,), await self._tag(item, target))
            return
        held = await self._tags.read(item.repository, item.digest)
        if held is None:
            self._gone.setdefault(item.repository, []).append((item, self._open(item)))
        elif isinstance(held, Failure):
            self._record(item, self._open(item), Failed(unconfirmed(held)))
        else:
            self._seen.add(item.repository)
            for tag in item.tags:
                # One that is gone went by the DELETE that was in flight, ahead of its manifest: it is not absent.
                self._removed_ahead.note_sent(item.repository, tag, item.digest)

    async def _tag(self, item: Item, target: Target) -> Outcome | None:
        """Read a tag that has an intent to remove it; if it leads to a decoy of this run, delete the decoy."""
        held = await self._tags.read(item.repository, tag_of(target))
        if held is None:
            self._gone.setdefault(item.repository, []).append((item, (target,)))
            return None
        if isinstance(held, Failure):
            # The tag that cannot be read may lead to a decoy of this run.
            covered = item.repository in self._earlier.decoys
            return Failed(unrestored(item.repository, tag_of(target), held) if covered else unconfirmed(held))
        self._seen.add(item.repository)
        if held not in self._earlier.decoys.get(item.repository, ()):
            return None
        if self._dry_run:
            return WouldUntag(item.verdict.remaining_tags if isinstance(item.verdict, Untag) else ())
        return await self._remove_decoy(item, target, held)

    async def _remove_decoy(self, item: Item, target: Target, decoy: Digest) -> Outcome | None:
        """Go on with the decoy that a tag leads to; return the outcome of the tag, None: it went, or only the list can tell."""
        tag = tag_of(target)
        with self.in_flight.unfinished():
            earlier = self._decoys.earlier(item.repository, decoy, {tag: item.digest})
            removal = await earlier.remove_if_there(self._earlier.archive)
        look = removal.looks[tag]
        if look.state is TagState.GONE or stays_listed(look):
            self._gone.setdefault(item.repository, []).append((item, (target,)))
            return None
        failure = stuck(item.repository, tag, decoy, look.held)
        return Failed(failure) if failure is not None else untag_outcome(item, tag, look, removal.deleted, None)

    async def _taken_with(self, item: Item) -> Failure | None:
        """Return a failure if the manifest is gone although only a tag of it should have been removed, else None.

        The killed part of the run may not have checked whether the registry deleted only the tag.
        """
        if (
            isinstance(item.verdict, Untag)
            and item.verdict.untag_method is UntagMethod.TAG
            and item.verdict.remaining_tags
        ):
            held = await self._tags.read(item.repository, item.digest)
            if isinstance(held, Failure):
                return unseen(item.verdict.remaining_tags, held)
            if held is None:
                return _taken_too(item.verdict.remaining_tags)
        return None

    def _record(self, item: Item, targets: Sequence[Target], outcome: Outcome | None) -> None:
        if outcome is not None:
            outcome = naming_unlisted(item, outcome)
            for target in targets:
                removed = self._removed_ahead.removed(target)
                self._outcomes.record(target, image_outcome(target, outcome, removed), item.resolved)


_DENIED = Failure(
    FailureCode.UNCONFIRMED,
    "the registry says that there is no such repository, so whether the deletion took effect is not known",
    hint="it may be hidden from this user: `bulkrm resume` with the credentials of before; or it went with its last image",
)


def _taken_too(others: Sequence[str]) -> Failure:
    """Return the failure for a manifest that is gone although only a tag of it should have been removed."""
    what = f"the tag is gone, and with it the whole image; LOST, push them again: {', '.join(others)}"
    hint = "`bulkrm undo` puts the image back under its listed tags; do not use --shared untag with this registry"
    return Failure(FailureCode.SIBLINGS_REMOVED, what, None, hint)
