"""Plain files, and what stands in their place; lines with a longest one; a file that is still the one of its name."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bulkrm.state.errors import StateError
from bulkrm.state.files import AppendedFile, read_lines, read_whole


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to(path.with_name("other")), "it is a symbolic link"),
        (os.mkfifo, "it is not a plain file"),
        (Path.mkdir, "directory|not a plain file"),
    ],
    ids=["link", "pipe", "folder"],
)
def test_what_is_no_plain_file(tmp_path: Path, make: Callable[[Path], object], why: str) -> None:
    """It is refused at once: nothing is read from it, written to it or waited for."""
    (tmp_path / "other").write_text("secret")
    path = tmp_path / "file"
    make(path)

    with pytest.raises(StateError, match=why):
        read_whole(path, 100)
    with pytest.raises(StateError, match=why):
        list(read_lines(path, 100))
    with pytest.raises(StateError, match=why):
        AppendedFile(path)
    assert (tmp_path / "other").read_text() == "secret"


def test_whole(tmp_path: Path) -> None:
    """A file up to its longest length; what is not there is another matter."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    assert read_whole(path, 5) == b"12345"
    with pytest.raises(StateError, match="more than 4 bytes"):
        read_whole(path, 4)
    with pytest.raises(FileNotFoundError):
        read_whole(tmp_path / "gone", 4)


def test_lines(tmp_path: Path) -> None:
    """Lines of any length up to the longest, across the pieces that are read, with their numbers; the last one as it is."""
    path = tmp_path / "file"
    lines = [b"", b"x" * 300_000, b"a", b"y" * 700_000, b"rest"]
    path.write_bytes(b"\n".join(lines))

    found = list(read_lines(path, 2**20))

    assert [(number, line) for number, line, _ in found] == list(enumerate(lines, 1))
    assert [whole for _, _, whole in found] == [True] * 4 + [False]
    with pytest.raises(StateError, match=r"file:2: .* more than 1000 bytes"):
        list(read_lines(path, 1000))


def test_a_file_of_one_line(tmp_path: Path) -> None:
    """A line that never ends takes no more memory than the longest one."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(2**40)  # zeros, of which the disk has none

    with pytest.raises(StateError, match="more than 1048576 bytes"):
        list(read_lines(path, 2**20))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (Path.unlink, "was removed or moved"),
        (lambda path: path.rename(path.with_name("other")), "was removed or moved"),
        (lambda path: (path.unlink(), path.write_bytes(b"one")), "was replaced"),
        (lambda path: os.truncate(path, 1), "was truncated|changed by another process"),
    ],
    ids=["removed", "moved", "replaced", "truncated"],
)
@pytest.mark.parametrize("act", ["check", "sync", "append"])
def test_it_is_gone(tmp_path: Path, harm: Callable[[Path], object], why: str, act: str) -> None:
    """A file that is no longer found under its name, or is shorter than it was, is trouble at once."""
    path = tmp_path / "file"
    file = AppendedFile(path)
    file.append(b"one")
    file.sync()
    harm(path)

    def append() -> None:
        file.append(b"two")
        file.sync()

    with pytest.raises(StateError, match=why) as error:
        {"check": file.check, "sync": file.sync, "append": append}[act]()

    assert "move it back" in (error.value.remedy or "")
    file.close()


def test_a_look_while_another_thread_appends(tmp_path: Path) -> None:
    """A look at the file never takes what another thread appends at that moment for something that was cut off."""
    file = AppendedFile(tmp_path / "journal")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads take turns between any two steps

    def append() -> None:
        for _ in range(10_000):
            file.append(b"x" * 100)

    writer = threading.Thread(target=append)
    try:
        writer.start()
        while writer.is_alive():
            file.check()
    finally:
        sys.setswitchinterval(interval)
        writer.join()
        file.close()

    assert (tmp_path / "journal").stat().st_size == 1_000_000
