"""The interface by which a run records its intents and outcomes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.plan import Item, Plan
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Line
from bulkrm.state.errors import StateError


class Recorder(Protocol):
    """Records one run. Its async methods return once their event is on disk, and raise StateError if it cannot be written."""

    @property
    def run(self) -> str:
        """The run's name; empty where nothing is recorded."""
        ...

    def manifest(self, manifest: Manifest) -> None:
        """Archive a manifest that was read, so that `undo` can push it again."""
        ...

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Record the plan that is about to be carried out, and the lines of its report."""
        ...

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Prepare for the items of each host, which will be passed to `intend` roughly in this order."""
        ...

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Prepare for the items of a repository whose tags will be removed first, roughly in this order."""
        ...

    async def intend(self, item: Item) -> None:
        """Record that an item is carried out now."""
        ...

    async def intend_tags_ahead(self, item: Item, tags: Sequence[str]) -> None:
        """Record that these tags are removed now, ahead of the item's manifest."""
        ...

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Record that tags without a manifest are removed now."""
        ...

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Record that a decoy is pushed over tags now."""
        ...

    def outcome(self, result: ImageResult) -> None:
        """Record the outcome of an image."""
        ...


class NoRecorder:
    """Records nothing, for dry runs."""

    run = ""

    def manifest(self, manifest: Manifest) -> None:
        """Do nothing."""

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Do nothing."""

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Do nothing."""

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Do nothing."""

    async def intend(self, item: Item) -> None:
        """Do nothing."""

    async def intend_tags_ahead(self, item: Item, tags: Sequence[str]) -> None:
        """Do nothing."""

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Do nothing."""

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Do nothing."""

    def outcome(self, result: ImageResult) -> None:
        """Do nothing."""


def not_recorded(error: StateError) -> Failure:
    """Return the failure for a request that was not sent, because it could not be recorded."""
    hint = (
        error.remedy or "make room, or give another folder with --state-dir; what was not deleted can be deleted then"
    )
    return Failure(FailureCode.NOT_RECORDED, f"the run cannot be recorded: {error.what}", None, hint)
