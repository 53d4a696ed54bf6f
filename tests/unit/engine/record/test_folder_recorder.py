"""What is written down of a run: intents ahead of what they are about, in one sync for many."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkrm.engine.record.folder_recorder import FolderRecorder
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest
from bulkrm.model.plan import Delete, Item
from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Source, Target
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.file import read_journal

APP = Repository("registry.example", "team/app")


class Counted:
    """A folder that counts its syncs."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.syncs = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.folder, name)

    def sync(self) -> None:
        self.syncs += 1
        self.folder.sync()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Counted]:
    """A run's folder."""
    opened = RunFolder.create(tmp_path, "20260131T120000Z-abcdef", {})
    yield Counted(opened)
    opened.close()


def manifest(number: int) -> Manifest:
    content = b'{"schemaVersion": 2, "number": %d}' % number
    return Manifest(Digest.of(content), OCI_MANIFEST, content)


def item(number: int, *tags: str) -> Item:
    target = Target(TagRef(APP, f"pr-{number}"), Source("list", number))
    return Item(APP, manifest(number).resolved, (target,), Delete(), tags or (f"pr-{number}",))


def written(folder: Counted) -> list[tuple[str, list[str]]]:
    """The intents on disk."""
    events = read_journal(folder.path / "journal.jsonl")
    return [(event["digest"], event["tags"]) for event in events if event["event"] == "delete"]


def recording(folder: Counted, numbers: range) -> FolderRecorder:
    """A recording that has the manifests of these."""
    made = FolderRecorder(folder, lambda _, __: ())  # type: ignore[arg-type]
    for number in numbers:
        made.manifest(manifest(number))
    return made


async def test_one_sync_serves_many(folder: Counted) -> None:
    """What comes next is written with the first, so that it is durable long before its turn; each is written once."""
    items = [item(number) for number in range(100)]
    made = recording(folder, range(100))
    made.expect({APP.host: iter(items)})

    await made.intend(items[0])
    early = written(folder)
    for one in items[1:]:
        await made.intend(one)

    assert len(early) == 64
    assert written(folder) == [(one.digest, list(one.tags)) for one in items]
    assert folder.syncs == 2


async def test_what_overtakes_is_written_once(folder: Counted) -> None:
    """With many workers some item comes long before its turn; after its outcome no intent of it may follow."""
    items = [item(number) for number in range(300)]
    made = recording(folder, range(300))
    made.expect({APP.host: iter(items)})

    await made.intend(items[0])
    await made.intend(items[200])
    for one in (*items[1:200], *items[201:]):
        await made.intend(one)

    assert sorted(written(folder)) == sorted((one.digest, list(one.tags)) for one in items)


async def test_what_changed_since_is_written_again(folder: Counted) -> None:
    """An item whose tags are others than those that were written ahead is durable as it is now, before it goes."""
    items = [item(number) for number in range(3)]
    made = recording(folder, range(3))
    made.expect({APP.host: iter(items)})
    await made.intend(items[0])

    await made.intend(item(1, "pr-1", "more"))

    assert written(folder)[-1] == (items[1].digest, ["pr-1", "more"])
    assert len(written(folder)) == 4


async def test_nothing_goes_whose_manifest_is_missing(folder: Counted) -> None:
    """Such an item is not written ahead, and its own turn is an error."""
    items = [item(number) for number in range(3)]
    made = recording(folder, range(1))
    made.expect({APP.host: iter(items)})

    await made.intend(items[0])
    with pytest.raises(StateError, match="is not in the archive"):
        await made.intend(items[1])

    assert [digest for digest, _ in written(folder)] == [items[0].digest]


async def test_what_nobody_expected(folder: Counted) -> None:
    """Without a word of what comes, each is written when it comes."""
    made = recording(folder, range(2))

    await made.intend(item(0))
    await made.intend(item(1))

    assert len(written(folder)) == 2


async def test_tags_that_go_first_are_written_ahead_too(folder: Counted) -> None:
    """One sync serves many of them; what is intended later is written apart from that."""
    items = [item(number) for number in range(70)]
    made = recording(folder, range(70))
    made.expect_tags_first(APP, iter(items))

    for one in items:
        await made.intend_tags_ahead(one, one.tags)
    await made.intend(items[0])

    events = list(read_journal(folder.path / "journal.jsonl"))
    assert [event["digest"] for event in events if event["event"] == "clear"] == [one.digest for one in items]
    assert [event["event"] for event in events][-1] == "delete"
    assert folder.syncs == 3


async def test_after_a_failure_nothing_is_durable(folder: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sync that failed was to write may be lost: no later one makes up for it."""
    made = recording(folder, range(2))

    def fail() -> None:
        monkeypatch.undo()
        raise StateError("no space left on device")

    monkeypatch.setattr(folder, "sync", fail)
    with pytest.raises(StateError, match="no space"):
        await made.intend(item(0))
    with pytest.raises(StateError, match="no space"):
        await made.intend(item(1))
