"""What is known against the request of a step before it is sent: a failure that it would meet, or a parent that stays."""

from bulkrm.engine.execute.item_outcomes import ItemOutcomes
from bulkrm.engine.execute.proof import Proof
from bulkrm.engine.gateway import Gateway
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.result.outcome import Failed, Kept, KeptReason, NotAttempted, outcome_of_failure
from bulkrm.model.steps import DeleteManifest, UntagManifest
from bulkrm.planning.image_state import Obstacle


class Obstacles:
    """Finds the obstacle to a step, by what its host, its repository and its place have shown so far."""

    def __init__(self, gateway: Gateway, proof: Proof, outcomes: ItemOutcomes) -> None:
        """`gateway` and `proof` remember failures, `outcomes` which manifests are gone."""
        self._gateway = gateway
        self._proof = proof
        self._outcomes = outcomes

    def of(self, step: DeleteManifest | UntagManifest, left: Item | None) -> Obstacle | None:
        """Return the outcome that is known before a step is sent; None: it can be sent.

        `left`: what the newest judgement leaves of its item; None: nothing.
        """
        failure = self._gateway.repository(step.item.repository).known_failure
        if failure is not None:
            return outcome_of_failure(failure)
        if left is None:
            return None
        return self._of_deleting(step, left) if isinstance(step, DeleteManifest) else self._of_untagging(left)

    def _of_deleting(self, step: DeleteManifest, item: Item) -> Obstacle | None:
        failure = self._gateway.repository(item.repository).known_failure_of_deleting
        if failure is None:
            for parent in step.after:
                if not self._outcomes.is_gone(item.repository, parent):
                    return Kept(KeptReason.NEEDED, (f"{item.repository}@{parent}",))
            failure = self._proof.expected_failure(item)
        return outcome_of_failure(failure) if failure is not None else None

    def _of_untagging(self, item: Item) -> Failed | NotAttempted | None:
        by_tag = isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.TAG
        failure = self._gateway.repository(item.repository).known_failure_of_untagging if by_tag else None
        return outcome_of_failure(failure) if failure is not None else None
