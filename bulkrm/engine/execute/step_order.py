"""Who waits for whom: which steps have to be over before another one is sent.

================  =====================================================================================================
step              waits for
================  =====================================================================================================
UntagManifest     nothing
RemoveTagsAhead   every `UntagManifest` by decoy in its repository
DeleteManifest    every `UntagManifest` by decoy and the `RemoveTagsAhead` of its repository, and the manifests that its
                  `after` names, such as the indexes that it is a child of
================  =====================================================================================================

A step that is over lets the others go whatever came of it: a manifest whose parent stays is kept for that (`Obstacles`).
"""

from collections.abc import Iterable

import anyio

from bulkrm.model.digest import Digest
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest


class StepOrder:
    """The order of all steps. Create it inside the event loop."""

    def __init__(self, steps: Iterable[Step]) -> None:
        """Prepare the events by which `steps`, all steps of an execution, wait for each other."""
        # Only what somebody waits for: an event takes more memory than all else that is known of an image.
        self._ends: dict[tuple[Repository, Digest], anyio.Event] = {}
        # distribution reads all tags of a repository to delete a manifest (registry/storage/tagstore.go `Lookup`), and
        # fails half-way where a tag is being written at that moment: so no manifest is deleted while decoys are pushed.
        self._decoys: dict[Repository, list[anyio.Event]] = {}
        self._tag_removals: dict[Repository, anyio.Event] = {}
        for step in steps:
            match step:
                case RemoveTagsAhead(repository):
                    self._tag_removals[repository] = anyio.Event()
                case UntagManifest(item):
                    if isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY:
                        end = self._end_of(item.repository, item.digest)
                        self._decoys.setdefault(item.repository, []).append(end)
                case DeleteManifest(item, after):
                    for parent in after:
                        self._end_of(item.repository, parent)

    def _end_of(self, repository: Repository, digest: Digest) -> anyio.Event:
        return self._ends.setdefault((repository, digest), anyio.Event())

    async def wait_for_earlier_steps(self, step: Step) -> None:
        """Wait until every step is over that goes before this one."""
        match step:
            case RemoveTagsAhead(repository):
                await _all(self._decoys.get(repository, ()))
            case DeleteManifest(item, after):
                await _all(self._decoys.get(item.repository, ()))
                tag_removal = self._tag_removals.get(item.repository)
                if tag_removal is not None:
                    await tag_removal.wait()
                for parent in after:
                    await self._ends[item.repository, parent].wait()
            case UntagManifest():
                pass  # nothing goes before it

    def is_awaited(self, item: Item) -> bool:
        """Tell whether a step waits for the end of this item's step."""
        return (item.repository, item.digest) in self._ends

    def end(self, step: Step) -> None:
        """Let the steps go that wait for this one."""
        match step:
            case RemoveTagsAhead(repository):
                self._tag_removals[repository].set()
            case DeleteManifest(item) | UntagManifest(item):
                end = self._ends.get((item.repository, item.digest))
                if end is not None:
                    end.set()


async def _all(events: Iterable[anyio.Event]) -> None:
    for event in events:
        await event.wait()
