"""A run kept in its folder: durable before anything goes, with one sync for all that wait for one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

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
from bulkrm.engine.record.durable import DurableJournal
from bulkrm.model.digest import Digest
from bulkrm.model.manifest import Manifest
from bulkrm.model.plan import Item, Plan, Untag
from bulkrm.model.reference import Repository
from bulkrm.model.result.report import ImageResult
from bulkrm.model.target import Line
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder

_AHEAD = 64  # intents that are written with one
_IntentKey = tuple[IntentKind, Repository, Digest]
WritePlan = Callable[[Plan, Sequence[Line]], Iterable[str]]


class FolderRecorder(DurableJournal):
    """Keeps one run. Create it inside the event loop."""

    def __init__(self, folder: RunFolder, write_plan: WritePlan) -> None:
        """Write into this folder; `write_plan` turns a plan into the text of its file, in pieces."""
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
        """Put a manifest into the archive. What goes wrong is raised by what makes it durable."""
        try:
            self._folder.archive.add(manifest)
        except StateError as error:
            self._trouble = self._trouble or error

    async def planned(self, plan: Plan, lines: Sequence[Line]) -> None:
        """Write the plan, unless a run is gone on with, and make all manifests durable. Raises StateError."""
        if not self._folder.has_plan:
            await run_sync(self._folder.write_plan, self._write_plan(plan, lines))
        await self._durable_up_to(self._append(event_fields(Planned())))

    def expect(self, upcoming: Mapping[str, Iterator[Item]]) -> None:
        """Take what is going to be intended on each host: it is noted ahead, so that one sync serves many."""
        self._upcoming.update({host: map(_intent, items) for host, items in upcoming.items()})

    def expect_tags_first(self, repository: Repository, upcoming: Iterator[Item]) -> None:
        """Take the items of a repository whose tags are going to be taken off, as `expect` does."""
        self._upcoming[str(repository)] = (_intent_of(IntentKind.CLEAR, item, item.tags) for item in upcoming)

    async def intend(self, item: Item) -> None:
        """Note what is to go now, with all that is needed to put it back. Raises StateError.

        What comes next is noted with it; if the run ends before that was sent, whoever goes on with it finds out.
        """
        await self._keep(_intent(item), item.repository.host)

    async def clear(self, item: Item, tags: Sequence[str]) -> None:
        """Note the tags that are to be taken off an item now, before it goes. Raises StateError."""
        await self._keep(_intent_of(IntentKind.CLEAR, item, tags), str(item.repository))

    async def _keep(self, intent: Intent, place: str) -> None:
        """Wait until an intent is durable.

        Whoever finds that little is written ahead sees to more, and waits for the disk, before the others have to.
        """
        key = _key(intent)
        ahead = self._ahead.pop(key, None)
        if ahead is None:
            self._overtaking.add(key)  # written before its turn: not a second time when that comes
        written = ahead[0] if ahead is not None and ahead[1] == intent.tags else self._note(intent)
        if ahead is None or len(self._ahead) < _AHEAD // 2:
            written = self._write_ahead(place) or written
        await self._durable_up_to(written)

    def _write_ahead(self, place: str) -> int | None:
        """Note what comes next in a place; return how much has to be durable for that, None if nothing comes."""
        written = None
        for intent in islice(self._upcoming.get(place, ()), _AHEAD):
            key = _key(intent)
            if key in self._overtaking:
                self._overtaking.remove(key)
            elif intent.digest in self._folder.archive:
                written = self._note(intent)
                self._ahead[key] = written, intent.tags
        return written

    async def dangling(self, repository: Repository, tags: Sequence[str]) -> None:
        """Note tags that lead nowhere and are to be removed now. Raises StateError."""
        await self._durable_up_to(self._append(event_fields(DanglingIntent(repository, tuple(tags)))))

    async def decoy(self, repository: Repository, tags: Sequence[str], decoy: Manifest) -> None:
        """Note a decoy, by which a later run knows it. Raises StateError."""
        await self._durable_up_to(self._append(event_fields(DecoyIntent(repository, decoy.digest, tuple(tags)))))

    def outcome(self, result: ImageResult) -> None:
        """Note what became of an image; durable with the next sync, and found out anew if that never comes."""
        self._append(outcome_fields(result))

    def end(self, code: int, summary: Mapping[str, int], unfinished: int, *, declined: bool = False) -> None:
        """Note that the run is over; `unfinished`: of how many images `resume` has something to find out.

        `declined`: the user was asked and did not want it. Raises StateError.
        """
        # An undo may have restored images of an earlier part; only the whole journal tells that.
        standing = Undone.NO if self._folder.is_new else None
        self._folder.journal.append(event_fields(PartEnded(code, summary, unfinished, declined, standing)))
        self._folder.sync()

    def _note(self, intent: Intent) -> int:
        """Append an intent; return how much has to be durable before it is carried out."""
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
