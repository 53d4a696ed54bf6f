"""A run kept in its folder: durable before anything goes, with one sync for all that wait for one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import anyio
from anyio.to_thread import run_sync

from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item, Plan, Untag
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.report import ImageResult
from bulkrm.model.target import Line
from bulkrm.reports.shape import image
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

WritePlan = Callable[[Plan, Sequence[Line]], Iterable[str]]


class Recording:
    """Keeps one run. Create it inside the event loop."""

    def __init__(self, folder: RunFolder, write_plan: WritePlan) -> None:
        """Write into this folder; `write_plan` turns a plan into the text of its file, in pieces."""
        self._folder = folder
        self._write_plan = write_plan
        self._trouble: StateError | None = None
        self._appended = 0
        self._durable = 0
        self._syncing = anyio.Lock()

    def manifest(self, manifest: Manifest) -> None:
        """Put a manifest into the archive. What goes wrong is raised by what makes it durable."""
        try:
            self._folder.archive.add(manifest)
        except StateError as error:
            self._trouble = self._trouble or error

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Write the plan, unless a run is gone on with, and make all manifests durable. Raises StateError."""
        if not self._folder.has_plan:
            await run_sync(self._folder.write_plan, self._write_plan(plan, lines))
        await self._append({"event": "planned"})

    async def intend(self, item: Item) -> None:
        """Note what is to go now, with all that is needed to put it back. Raises StateError."""
        untag = isinstance(item.verdict, Untag)
        named = [target.reference.tag for target in item.targets if isinstance(target.reference, TagRef)]
        await self._intend("untag" if untag else "delete", item, named if untag else item.tags)

    async def clear(self, item: Item, tags: Sequence[str]) -> None:
        """Note the tags that are to be taken off an item now, before it goes. Raises StateError."""
        await self._intend("clear", item, tags)

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Note a decoy, by which a later run knows it. Raises StateError."""
        event = {"event": "decoy", "repository": str(repository), "digest": decoy.digest, "tags": list(tags)}
        await self._append(event)

    def outcome(self, result: ImageResult) -> None:
        """Note what became of an image; durable with the next sync, and found out anew if that never comes."""
        self._folder.journal.append({"event": "outcome", **image(result)})
        self._appended += 1

    def end(self, code: int, summary: Mapping[str, int], unfinished: int) -> None:
        """Note that the run is over; `unfinished`: how many images lost their tag and not their manifest.

        Raises StateError.
        """
        event = {"event": "end", "code": code, "summary": dict(summary), "unfinished": unfinished}
        self._folder.journal.append(event)
        self._folder.sync()

    async def _intend(self, kind: str, item: Item, tags: Sequence[str]) -> None:
        if item.digest not in self._folder.archive:
            raise StateError(f"the manifest {item.digest} of {item.repository} was not kept, so it is not deleted")
        event = {"event": kind, "repository": str(item.repository), "digest": item.digest, "tags": list(tags)}
        await self._append(event)

    async def _append(self, event: dict[str, Any]) -> None:
        """Append an event, and wait until the disk has it; whoever comes while a sync is under way shares the next one."""
        self._folder.journal.append(event)
        self._appended += 1
        mine = self._appended
        async with self._syncing:
            if self._durable < mine:
                covered = self._appended
                await run_sync(self._folder.sync)
                self._durable = covered
        if self._trouble is not None:
            raise self._trouble
