"""Records a run in its folder: every intent is on disk before its request is sent."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import anyio
from anyio.to_thread import run_sync

from bulkrm.codec.journal_events import (
    DanglingIntent,
    DecoyIntent,
    Intent,
    IntentKind,
    PartEnded,
    Planned,
    Undone,
    event_fields,
    outcome_fields,
)
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Manifest
from bulkrm.model.plan import Item, Plan, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Line
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

AHEAD = 64  # further intents that are written together with one


class DurableJournal:
    """Appends to the journal of a run. Create it inside the event loop.

    After one failure no event counts as durable any more, because the data may be lost.
    """

    def __init__(self, folder: RunFolder) -> None:
        """`folder`: the open folder of the run."""
        self._folder = folder
        self._trouble: StateError | None = None
        self._appended = 0
        self._durable = 0
        self._syncing = anyio.Lock()

    def _append(self, event: dict[str, Any]) -> int:
        """Append an event; return its number, for `_durable_up_to`."""
        self._folder.journal.append(event)
        self._appended += 1
        return self._appended

    async def _durable_up_to(self, number: int) -> None:
        """Wait until the events up to a number are on disk. Raises StateError.

        All callers that wait during a sync share the next one. Each call also checks that the files still have their names,
        because somebody may have removed the folder since the last sync.
        """
        if self._durable < number:
            async with self._syncing:
                if self._durable < number and self._trouble is None:
                    await self._sync()
        if self._trouble is None:
            try:
                self._folder.check()
            except StateError as error:
                self._trouble = error
        if self._trouble is not None:
            raise self._trouble

    async def _sync(self) -> None:
        covered = self._appended
        try:
            await run_sync(self._folder.sync)
        except StateError as error:
            self._trouble = error
        else:
            self._durable = covered


_IntentKey = tuple[IntentKind, Repository, Digest]
WritePlan = Callable[[Plan, Sequence[Line]], Iterable[str]]


class FolderRecorder(DurableJournal):
    """Records one run. Create it inside the event loop.

    Waiting for the disk before every request would be slow, so the next intents are written ahead: one sync serves many
    requests. An intent written ahead whose request was never sent costs one more request when the run is resumed.
    """

    def __init__(self, folder: RunFolder, write_plan: WritePlan) -> None:
        """`folder`: the open folder of the run; `write_plan` turns a plan into the text of its file, in pieces."""
        super().__init__(folder)
        self._write_plan = write_plan
        self._upcoming: dict[str, Iterator[Intent]] = {}
        self._ahead: dict[_IntentKey, tuple[int, tuple[str, ...]]] = {}
        self._overtaking: set[_IntentKey] = set()

    @property
    def run(self) -> str:
        """The run's name."""
        return self._folder.id

    def manifest(self, manifest: Manifest) -> None:
        """Add a manifest to the archive. An error is raised by the next call of an async method."""
        try:
            self._folder.archive.add(manifest)
        except StateError as error:
            self._trouble = self._trouble or error

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Write the plan, unless the folder has one from an earlier part, and sync all manifests. Raises StateError."""
        if not self._folder.has_plan:
            await run_sync(self._folder.write_plan, self._write_plan(plan, lines))
        await self._durable_up_to(self._append(event_fields(Planned())))

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Remember the items of each host, in the order in which they will be carried out, to write their intents ahead."""
        self._upcoming.update({host: map(_intent, items) for host, items in upcoming.items()})

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Remember the items of a repository whose tags will be removed first, as `expect` does."""
        self._upcoming[str(repository)] = (_intent_of(IntentKind.REMOVE_AHEAD, item, item.tags) for item in upcoming)

    async def intend(self, item: Item) -> None:
        """Record that an item is carried out now; its manifest is durable in the archive afterwards. Raises StateError."""
        await self._make_durable(_intent(item), item.repository.host)

    async def intend_tags_ahead(self, item: Item, tags: Sequence[str]) -> None:
        """Record the tags that are removed now, before the manifest of their item is deleted. Raises StateError."""
        await self._make_durable(_intent_of(IntentKind.REMOVE_AHEAD, item, tags), str(item.repository))

    async def _make_durable(self, intent: Intent, queue: str) -> None:
        """Append an intent, if it was not written ahead, and wait until it is on disk. If few are ahead, write more."""
        key = _key(intent)
        ahead = self._ahead.pop(key, None)
        if ahead is None:
            self._overtaking.add(key)  # written out of turn, so `_write_ahead` has to skip it
        written = ahead[0] if ahead is not None and ahead[1] == intent.tags else self._note(intent)
        if ahead is None or len(self._ahead) < AHEAD // 2:
            written = self._write_ahead(queue) or written
        await self._durable_up_to(written)

    def _write_ahead(self, queue: str) -> int | None:
        """Append the next intents of a queue, that of a host or repository; return the number of the last; None: no more."""
        written = None
        for intent in islice(self._upcoming.get(queue, ()), AHEAD):
            key = _key(intent)
            if key in self._overtaking:
                self._overtaking.remove(key)
            elif intent.digest in self._folder.archive:
                written = self._note(intent)
                self._ahead[key] = written, intent.tags
        return written

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Record tags without a manifest that are removed now. Raises StateError."""
        await self._durable_up_to(self._append(event_fields(DanglingIntent(repository, tuple(tags)))))

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Record a decoy that is pushed now, so that later parts of the run recognise it. Raises StateError."""
        await self._durable_up_to(self._append(event_fields(DecoyIntent(repository, decoy.digest, tuple(tags)))))

    def outcome(self, result: ImageResult) -> None:
        """Record the outcome of an image. If the run is killed before the next sync, `resume` looks it up again."""
        self._append(outcome_fields(result))

    def end(self, code: int, summary: Mapping[str, int], unfinished: int, *, declined: bool = False) -> None:
        """Record the end of the run, and sync. `unfinished`: how many images `resume` has to look up.

        `declined`: the user answered no. Raises StateError.
        """
        # An undo may have restored images of an earlier part; only the whole journal tells that.
        standing = Undone.NO if self._folder.is_new else None
        self._folder.journal.append(event_fields(PartEnded(code, summary, unfinished, declined, standing)))
        self._folder.sync()

    def _note(self, intent: Intent) -> int:
        """Append an intent; return its number, for `_durable_up_to`. Raises StateError without an archived manifest."""
        if intent.digest not in self._folder.archive:
            what = f"the manifest {intent.digest} of {intent.repository} is not in the archive, so it is not deleted"
            raise StateError(what)
        return self._append(event_fields(intent))


def _intent(item: Item) -> Intent:
    if isinstance(item.verdict, Untag):
        return _intent_of(IntentKind.UNTAG, item, item.named_tags)
    return _intent_of(IntentKind.DELETE, item, item.tags)


def _intent_of(kind: IntentKind, item: Item, tags: Sequence[str]) -> Intent:
    return Intent(kind, item.repository, item.digest, tuple(tags))


def _key(intent: Intent) -> _IntentKey:
    return intent.kind, intent.repository, intent.digest
