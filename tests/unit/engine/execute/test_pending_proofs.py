"""Deletions that a tag list proves, with a registry that answers from a script: no server, no socket."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from bulkrm.engine.context import RunContext
from bulkrm.engine.execute.in_flight import RequestsInFlight
from bulkrm.engine.execute.pending_proofs import PendingProofs
from bulkrm.engine.stop import Stop
from bulkrm.model.digest import Digest
from bulkrm.model.events import ignore
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import Deleted, Failed, Outcome
from bulkrm.model.target import Source, Target
from tests.support.clock import FakeClock

APP = Repository("registry.example", "team/app")


def item(name: str) -> Item:
    target = Target(TagRef(APP, name), Source("list", 1))
    return Item(APP, Resolved(Digest.of(name.encode()), OCI_MANIFEST, 3), (target,), Delete(), (name,))


class NothingIsLeft:
    """Stands for `LeftoverTags` and its changer, on a registry that lists no tag any more."""

    @property
    def changer(self) -> "NothingIsLeft":
        return self

    def with_fresh_memory(self) -> "NothingIsLeft":
        return self

    async def listed(self, _: Repository) -> frozenset[str]:
        return frozenset()


class Recorded:
    """Records the outcomes. `bugs`: the tags of which that fails."""

    def __init__(self, *bugs: str) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._bugs = bugs

    def __call__(self, item: Item, _: Sequence[Target], outcome: Outcome) -> None:
        (name,) = item.tags
        if name in self._bugs:
            raise RuntimeError(name)
        self.outcomes[name] = outcome


async def test_a_bug_in_recording_one_loses_no_other() -> None:
    """What was not recorded when the run broke down is unconfirmed, and nothing is waited for any more."""
    stop, recorded = Stop(), Recorded("two")
    in_flight = RequestsInFlight(stop)
    pending = PendingProofs(cast("Any", NothingIsLeft()), in_flight, RunContext(ignore, stop, FakeClock()), recorded)
    for name in ("one", "two", "three"):
        pending.add(item(name), Removal.FOUND_GONE, item(name).targets, (name,))

    with pytest.raises(RuntimeError, match="two"):
        await pending.settle(APP)

    assert recorded.outcomes["one"] == Deleted()
    last = recorded.outcomes["three"]
    assert isinstance(last, Failed)
    assert last.failure.code is FailureCode.UNCONFIRMED
    assert not in_flight.busy()
