"""The journal: what is synced survives, a torn last line is cut off, other damage is refused."""

import errno
import os
from pathlib import Path

import pytest

from bulkrm.state.errors import StateError
from bulkrm.state.journal import Journal, last_events, read_journal


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
    assert [event["event"] for event in last_events(path, 5)] == ["a"]
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
    assert last_events(path, 1) == []


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
    assert last_events(tmp_path / "gone", 3) == []


def test_a_full_disk(tmp_path: Path) -> None:
    """What the disk does not take is an error of the sync, which names the file."""
    path = tmp_path / "journal.jsonl"
    path.symlink_to("/dev/full")
    journal = Journal.__new__(Journal)
    try:
        journal.__init__(path)  # type: ignore[misc]
    except StateError:
        return  # where the device cannot be truncated, that is found out even earlier
    journal.append({"event": "a"})

    with pytest.raises(StateError) as error:
        journal.sync()

    assert os.strerror(errno.ENOSPC) in error.value.what


def test_last_events(tmp_path: Path) -> None:
    """The last ones, the last one first, without what is no object."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}\nno\n[]\n{"n":3}\n')

    assert [event["n"] for event in last_events(path, 5)] == [3, 2, 1]
    assert [event["n"] for event in last_events(path, 1)] == [3]


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
