"""Who waits for whom: manifests for the decoys and the tags of their repository, and for what goes before them."""

from collections.abc import Iterable

import anyio

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest


class StepOrder:
    """The turns of all steps. Create it inside the event loop."""

    def __init__(self, steps: Iterable[Step]) -> None:
        """Find out what waits for what."""
        # Only what somebody waits for: an event takes more memory than all else that is known of an image.
        self._ends: dict[tuple[Repository, Digest], anyio.Event] = {}
        # distribution reads all tags of a repository to delete a manifest (registry/storage/tagstore.go `Lookup`), and
        # fails half-way where a tag is being written at that moment: so no manifest is deleted while decoys are pushed.
        self._decoys: dict[Repository, list[anyio.Event]] = {}
        self._clearings: dict[Repository, anyio.Event] = {}
        for step in steps:
            match step:
                case RemoveTagsAhead(repository):
                    self._clearings[repository] = anyio.Event()
                case UntagManifest(item):
                    if isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY:
                        end = self._end_of(item.repository, item.digest)
                        self._decoys.setdefault(item.repository, []).append(end)
                case DeleteManifest(item, after):
                    for parent in after:
                        self._end_of(item.repository, parent)

    def _end_of(self, repository: Repository, digest: Digest) -> anyio.Event:
        return self._ends.setdefault((repository, digest), anyio.Event())

    async def come(self, step: Step) -> None:
        """Wait until it is a step's turn."""
        match step:
            case RemoveTagsAhead(repository):
                await _all(self._decoys.get(repository, ()))
            case DeleteManifest(item, after):
                await _all(self._decoys.get(item.repository, ()))
                tags_first = self._clearings.get(item.repository)
                if tags_first is not None and not tags_first.is_set():
                    await tags_first.wait()
                for parent in after:
                    await self._ends[item.repository, parent].wait()
            case UntagManifest():
                pass  # nothing goes before it

    def is_awaited(self, item: Item) -> bool:
        """Tell whether anything waits for an item to be gone."""
        return (item.repository, item.digest) in self._ends

    def end(self, step: Step) -> None:
        """Let come what waits for a step."""
        match step:
            case RemoveTagsAhead(repository):
                self._clearings[repository].set()
            case DeleteManifest(item) | UntagManifest(item):
                end = self._ends.get((item.repository, item.digest))
                if end is not None:
                    end.set()


async def _all(events: Iterable[anyio.Event]) -> None:
    for event in events:
        await event.wait()
