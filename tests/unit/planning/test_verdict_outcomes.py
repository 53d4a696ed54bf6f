"""What becomes of an image that a plan keeps or could not judge, and of any in a dry run."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Untag, Verdict
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import CircuitOpen, Failure, FailureCode
from bulkrm.model.result.outcome import (
    Failed,
    Gone,
    Kept,
    KeptReason,
    NotAttempted,
    NotAttemptedReason,
    Outcome,
    WouldDelete,
    WouldUntag,
)
from bulkrm.planning.verdict_outcomes import outcome_of_verdict, would

APP = Repository("registry.example", "team/app")
REFUSED = Failed(Failure(FailureCode.REFUSED, "HTTP 409", 409))
NOT_ASKED = Failed(CircuitOpen(FailureCode.SERVER_ERROR, "not asked: 8 requests in a row failed", 503))
NOT_ATTEMPTED = NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)
KEPT = Kept(KeptReason.PROTECTED, ("*:latest",))


@pytest.mark.parametrize(
    ("verdict", "expected"), [(Gone(), Gone()), (KEPT, KEPT), (REFUSED, REFUSED), (NOT_ASKED, NOT_ATTEMPTED)]
)
def test_what_is_not_deleted(verdict: Gone | Failed | Kept, expected: Outcome) -> None:
    """It is what the plan says, but what was not asked about was not attempted."""
    assert outcome_of_verdict(verdict) == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Delete((f"{APP}:b",)), WouldDelete((f"{APP}:b",))),
        (Untag((f"{APP}:b",)), WouldUntag((f"{APP}:b",))),
        (KEPT, KEPT),
        (REFUSED, REFUSED),
        (NOT_ASKED, NOT_ATTEMPTED),
    ],
)
def test_a_dry_run(verdict: Verdict, expected: Outcome) -> None:
    """What would be deleted or untagged is told with what goes along or stays."""
    assert would(Item(APP, Resolved(Digest.of(b"one"), OCI_MANIFEST, 3), (), verdict)) == expected
