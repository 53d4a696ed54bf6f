"""What a run writes down so that it can be continued and taken back. Whoever keeps it is passed in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item, Plan
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Line
from bulkrm.state.errors import StateError


class Recorder(Protocol):
    """A keeper of one run. `planned`, `intend`, `clear` and `decoy` return when the disk has it, and raise StateError when it has not."""

    @property
    def run(self) -> str:
        """The run's name; empty where nothing is kept."""
        ...

    def manifest(self, manifest: Manifest) -> None:
        """Hear of a manifest that was read, and may be wanted back."""
        ...

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Hear of the plan that is to be carried out, and of the lines of its report."""
        ...

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Hear what is going to be intended on each host, about in this order."""
        ...

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Hear of the items of a repository whose tags are going to be taken off, about in this order."""
        ...

    async def intend(self, item: Item) -> None:
        """Hear of an item that is to be carried out now: its manifest is kept from then on."""
        ...

    async def clear(self, item: Item, tags: Sequence[str]) -> None:
        """Hear that these tags are to be taken off an item now, which is to go after them: as `intend`."""
        ...

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Hear of tags without a manifest that are to be removed now; as `intend`, but there is nothing to keep."""
        ...

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Hear of a decoy that is to be pushed over tags now."""
        ...

    def outcome(self, result: ImageResult) -> None:
        """Hear what became of an image."""
        ...


class NoRecorder:
    """Nobody keeps anything."""

    run = ""

    def manifest(self, manifest: Manifest) -> None:
        """Forget it."""

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Forget it."""

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Forget it."""

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Forget it."""

    async def intend(self, item: Item) -> None:
        """Forget it."""

    async def clear(self, item: Item, tags: Sequence[str]) -> None:
        """Forget it."""

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Forget it."""

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Forget it."""

    def outcome(self, result: ImageResult) -> None:
        """Forget it."""


def not_recorded(error: StateError) -> Failure:
    """Say that something was not sent because it could not be kept."""
    hint = (
        error.remedy or "make room, or give another folder with --state-dir; what was not deleted can be deleted then"
    )
    return Failure(FailureCode.NOT_RECORDED, f"the run cannot be recorded: {error.what}", None, hint)
