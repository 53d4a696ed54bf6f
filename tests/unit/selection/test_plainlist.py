"""Plain lists: one reference a line."""

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.target import Target
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.patterns.glob import Glob


def read(content: str | bytes, name: str = "list") -> list[str]:
    return [
        f"{entry.source} {entry.reference if isinstance(entry, Target) else entry.text}"
        for entry in read_list(content, name).entries
        if isinstance(entry, Target | Glob)
    ]


def test_lines() -> None:
    """Comments, blanks, CRLF and a BOM are no part of a reference; each entry knows its line."""
    content = "\ufeff# what goes\r\n\r\na.b/c:1 # because\r\n  a.b/c:pr-*\r\nlocalhost:5000/d:2\r\n[::1]:5000/e:3"

    assert read(content) == [
        "list:3 a.b/c:1",
        "list:4 a.b/c:pr-*",
        "list:5 localhost:5000/d:2",
        "list:6 [::1]:5000/e:3",
    ]


@pytest.mark.parametrize(
    "content", ["- a.b/c:1\n", "images: [a.b/c:1]\n", "# x\n\n- a.b/c:1\n", "---\n- a.b/c:1\n", "[a.b/c:1]"]
)
def test_yaml_stays_yaml(content: str) -> None:
    """The first line that is no comment tells: a list item or a key is YAML."""
    assert [line.split()[1] for line in read(content)] == ["a.b/c:1"]


def test_the_name_tells() -> None:
    """A file *.txt is a plain list whatever is in it."""
    with pytest.raises(InputError, match="a line of a YAML list in a plain list"):
        read("- a.b/c:1\n", "x.txt")
    assert read("a.b/c:1\n", "x.txt") == ["x.txt:1 a.b/c:1"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "list.txt:1:1: an empty file"),
        ("# only\n\n", "list.txt:1:1: an empty file"),
        ("a.b/c:1\n\n  c:1\n", "list.txt:3:3: 'c:1' does not name its registry"),
        ("a.b/c\n", "list.txt:1:1: "),
        ("a.b/c:1 a.b/d:2\n", "list.txt:1:1: "),
        ("a.b/c:1#x\n", "list.txt:1:1: "),
        (b"a.b/c:\xff\n", "not UTF-8"),
    ],
)
def test_mistakes(content: str | bytes, what: str) -> None:
    """A mistake names its line and column."""
    with pytest.raises(InputError) as caught:
        read(content, "list.txt")

    assert what in str(caught.value)
