"""The journal: what is synced survives, a torn last line is cut off, other damage is refused."""

import errno
import os
from pathlib import Path

import pytest

from bulkrm.state.errors import StateError
from bulkrm.state.journal.file import Journal, last_event, read_journal
from tests.support.disk import Disk


def test_append_sync_read(tmp_path: Path) -> None:
    """Events come back in their order, from this and from a later opening."""
    path = tmp_path / "journal.jsonl"
    for number in range(2):
        journal = Journal(path)
        journal.append({"event": "a", "number": number, "text": 'two\nlines "quoted"'})
        journal.sync()
        journal.append({"event": "b"})
        journal.close()

    assert [(event["event"], event.get("number")) for event in read_journal(path)] == [
        ("a", 0), ("b", None), ("a", 1), ("b", None),
    ]  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b'{"event":"c', b'{"event":"c"}', b"\x00\x00\x00", b"x" * 70_000])
def test_a_torn_last_line(tmp_path: Path, torn: bytes) -> None:
    """What a crash left of a line is no event, and is cut off when the journal is gone on with."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"event": "a"})
    journal.close()
    with path.open("ab") as file:
        file.write(torn)

    assert [event["event"] for event in read_journal(path)] == ["a"]
    assert last_event(path) == {"event": "a"}
    journal = Journal(path)
    journal.append({"event": "d"})
    journal.close()
    assert [event["event"] for event in read_journal(path)] == ["a", "d"]


def test_only_a_torn_line(tmp_path: Path) -> None:
    """A journal of nothing but a torn line is empty."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"ev')

    Journal(path).close()

    assert path.read_bytes() == b""
    assert list(read_journal(path)) == []
    assert last_event(path) is None


@pytest.mark.parametrize("line", [b"no json\n{}\n", b"[]\n"])
def test_damage(tmp_path: Path, line: bytes) -> None:
    """A line in the middle that is no event is damage, and is named by its number."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event":"a"}\n' + line)

    with pytest.raises(StateError) as error:
        list(read_journal(path))

    assert f"{path}:2" in error.value.what


def test_no_file(tmp_path: Path) -> None:
    """What cannot be opened is said by its path."""
    with pytest.raises(StateError, match="No such file"):
        list(read_journal(tmp_path / "gone"))
    with pytest.raises(StateError, match="No such file"):
        Journal(tmp_path / "gone" / "journal.jsonl")
    assert last_event(tmp_path / "gone") is None


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk does not take is an error of the sync, which names the file."""
    disk = Disk(tmp_path, monkeypatch)
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"event": "a"})
    disk.fill()

    with pytest.raises(StateError) as error:
        journal.sync()

    assert f"{path}: {os.strerror(errno.ENOSPC)}" in error.value.what


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"n":1}\n{"n":2}\n', {"n": 2}),
        (b'{"n":1}\n', {"n": 1}),
        (b'{"n":1}\nno\n', None),
        (b'{"n":1}\n[]\n', None),
        (b'{"n":1}\n{"n":2}\n{"n', {"n": 2}),
        (b'{"n":"' + b"x" * 70_000 + b'"}\n', None),
    ],
)
def test_the_last_event(tmp_path: Path, content: bytes, expected: dict[str, int] | None) -> None:
    """The last whole line, if it is an object and no longer than what is read for it."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)

    assert last_event(path) == expected


def test_a_write_that_fails_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written of a line is taken back, so that whatever is written later can be read."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"event": "one"})
    journal.sync()
    write = os.write
    calls = iter((True, False))

    def fail(file: int, content: bytes) -> int:
        if next(calls):
            return write(file, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    journal.append({"event": "two"})
    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(StateError):
        journal.sync()
    monkeypatch.undo()
    journal.append({"event": "three"})
    journal.close()

    assert [event["event"] for event in read_journal(path)] == ["one", "two", "three"]
