"""The outcome of an image that a plan keeps or could not judge, and the outcome of any image in a dry run.

A plan keeps the failure that the planning met, so that a saved plan says why. What became of the image follows when it is
recorded: where nothing was sent about it, because the circuit of its host was open, it was not attempted.
"""

from bulkrm.model.plan import Delete, Item, Untag
from bulkrm.model.result.outcome import (
    Failed,
    Gone,
    Kept,
    NotAttempted,
    Outcome,
    WouldDelete,
    WouldUntag,
    outcome_of_failure,
)


def outcome_of_verdict(verdict: Gone | Failed | Kept) -> Gone | Failed | Kept | NotAttempted:
    """Return the outcome of an image that a plan does not delete."""
    return outcome_of_failure(verdict.failure) if isinstance(verdict, Failed) else verdict


def would(item: Item) -> Outcome:
    """Return the outcome of an item in a dry run."""
    match item.verdict:
        case Delete(also):
            return WouldDelete(also)
        case Untag(remaining_tags):
            return WouldUntag(remaining_tags)
        case Kept() | Failed() as verdict:
            return outcome_of_verdict(verdict)
