"""Records the outcomes of the delete phase, and remembers which manifests are gone.

What is recorded of an image follows from what became of its manifest, which the caller says, and of its tag, which may have
been removed ahead: `bulkrm.planning.image_outcome` has the table.
"""

from collections.abc import Sequence

from bulkrm.engine.context import RunContext
from bulkrm.engine.outcomes import Outcomes
from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.outcome import Deleted, Failed, Gone, Kept, NotAttempted, Outcome
from bulkrm.model.target import Target
from bulkrm.planning.image_outcome import image_outcome
from bulkrm.planning.image_state import Judgement
from bulkrm.planning.removal_outcomes import naming_unlisted


class ItemOutcomes:
    """Records outcomes of items. `fail_fast`: the first failure stops the run."""

    def __init__(self, outcomes: Outcomes, context: RunContext, *, fail_fast: bool) -> None:
        """`outcomes`: those of the whole run; `context` knows the tags that were removed ahead."""
        self._outcomes = outcomes
        self._stop = context.stop
        self._removed_ahead = context.removed_ahead
        self._fail_fast = fail_fast
        self._gone: set[tuple[Repository, Digest]] = set()
        self._stays: set[tuple[Repository, Digest]] = set()  # deleted or not: a tag of it is there still

    def record(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Record the outcome of targets that have none yet. It says nothing about their manifest."""
        if isinstance(outcome, Failed):
            outcome = naming_unlisted(item, outcome)
        for target in targets:
            removed = self._removed_ahead.removed(target)
            self._outcomes.record(target, image_outcome(target, outcome, removed), item.resolved)
        if isinstance(outcome, Failed | NotAttempted) and self._fail_fast:
            self._stop.fail_fast()

    def record_open(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Record the outcome of those targets that have none yet."""
        self.record(item, [target for target in targets if not self._outcomes.has(target)], outcome)

    def conclude(self, item: Item, targets: Sequence[Target], outcome: Outcome) -> None:
        """Record the outcome of targets, and by it whether their manifest is gone, on which other steps depend."""
        self.record(item, targets, outcome)
        went = self._gone if isinstance(outcome, Deleted | Gone) else self._stays
        went.add((item.repository, item.digest))

    def effect_on(self, item: Item, sent: Effect, judgement: Judgement) -> Effect:
        """Return what all requests for an image may have done by now. `sent`: what its own DELETE may have done.

        The DELETE of a tag may have removed the whole image. A tag that the judgement finds absent after any such request is
        noted as removed by this run, ahead of its manifest.
        """
        effect = sent.or_more(Effect.OVER) if self._removed_ahead.any_of(item.repository, item.digest) else sent
        if effect.may_have_acted:
            for settled in judgement.dropped:
                if isinstance(settled.outcome, Gone) and isinstance(settled.target.reference, TagRef):
                    self._removed_ahead.add_found(item.repository, settled.target.reference.tag, item.digest)
        return effect

    def open_targets(self, item: Item) -> tuple[Target, ...]:
        """Return the targets of an item that have no outcome yet."""
        return tuple(target for target in item.targets if not self._outcomes.has(target))

    def need_no_request(self, item: Item) -> bool:
        """Tell whether reading an item was enough for the outcomes of all its targets: each moved, or was gone."""
        return all(isinstance(self._outcomes.outcome(target), Gone | Kept) for target in item.targets)

    def is_gone(self, repository: Repository, digest: Digest) -> bool:
        """Tell whether a manifest is gone with all its tags."""
        return (repository, digest) in self._gone and (repository, digest) not in self._stays
