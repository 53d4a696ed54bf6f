"""The progress of the delete phase: which steps have to be over before another one is sent, and how many are.

================  =====================================================================================================
step              waits for
================  =====================================================================================================
UntagManifest     nothing
RemoveTagsAhead   every `UntagManifest` by decoy in its repository
DeleteManifest    every `UntagManifest` by decoy and the `RemoveTagsAhead` of its repository, and the manifests that its
                  `after` names, such as the indexes that it is a child of
================  =====================================================================================================

A step that is over lets the others go whatever came of it: a manifest whose parent stays is kept for that (`Obstacles`).

The phase has two stages: first the tags that go before their manifests, then the manifests. Repositories overlap: the
manifests of one may be deleted while tags of another are still removed. Such manifests are counted when the second stage
begins.
"""

from collections.abc import Iterable

import anyio

from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, EventListener, Phase, PhaseBegan
from bulkrm.model.plan import Item, Untag, UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead, Step, UntagManifest


class StepProgress:
    """Which steps are over. Create it inside the event loop."""

    def __init__(self, steps: Iterable[Step], tell: EventListener) -> None:
        """Take all steps of the execution, to know which waits for which. `tell`: receives the events of the progress."""
        self._tell = tell
        self._images_with_tags_first = self._manifests = 0
        self._early = 0  # manifests that went while tags were still removed elsewhere
        # Only what somebody waits for: an event takes more memory than all else that is known of an image.
        self._ends: dict[tuple[Repository, Digest], anyio.Event] = {}
        # distribution reads all tags of a repository to delete a manifest (registry/storage/tagstore.go `Lookup`), and
        # fails half-way where a tag is being written at that moment: so no manifest is deleted while decoys are pushed.
        self._decoys: dict[Repository, list[anyio.Event]] = {}
        self._tag_removals: dict[Repository, anyio.Event] = {}
        for step in steps:
            self._manifests += not isinstance(step, RemoveTagsAhead)
            match step:
                case RemoveTagsAhead(repository, items):
                    self._tag_removals[repository] = anyio.Event()
                    self._images_with_tags_first += len(items)
                case UntagManifest(item):
                    if isinstance(item.verdict, Untag) and item.verdict.untag_method is UntagMethod.DECOY:
                        end = self._end_of(item.repository, item.digest)
                        self._decoys.setdefault(item.repository, []).append(end)
                case DeleteManifest(item, after):
                    for parent in after:
                        self._end_of(item.repository, parent)

        self._repositories_with_tags_first = len(self._tag_removals)

    def _end_of(self, repository: Repository, digest: Digest) -> anyio.Event:
        return self._ends.setdefault((repository, digest), anyio.Event())

    def begin(self) -> None:
        """Announce the first stage."""
        if self._repositories_with_tags_first:
            self._tell(PhaseBegan(Phase.REMOVING_TAGS, self._images_with_tags_first))
        else:
            self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))

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
        """Let the steps go that wait for this one, and count it, whatever came of it.

        `RemoveTagsAhead` counts its images itself, one by one.
        """
        if isinstance(step, RemoveTagsAhead):
            self._tag_removals[step.repository].set()
            self._repositories_with_tags_first -= 1
            if not self._repositories_with_tags_first:
                self._tell(PhaseBegan(Phase.DELETING_MANIFESTS, self._manifests))
                for _ in range(self._early):
                    self._tell(ADVANCED)
            return
        end = self._ends.get((step.item.repository, step.item.digest))
        if end is not None:
            end.set()
        if self._repositories_with_tags_first:
            self._early += 1
        else:
            self._tell(ADVANCED)


async def _all(events: Iterable[anyio.Event]) -> None:
    for event in events:
        await event.wait()
