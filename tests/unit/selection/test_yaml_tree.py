"""YAML as a tree that is read once, by libyaml and by PyYAML's own parser."""

from typing import Any

import pytest
import yaml

from bulkrm.selection.listfile.mistakes import Mistakes, Position, ReadingStoppedError
from bulkrm.selection.listfile.yaml_tree import (
    LOADER,
    Mapping,
    Node,
    Scalar,
    Sequence,
    UnreadableNode,
    place_of,
    read_tree,
)

ENOUGH = 1000


@pytest.fixture(params=[LOADER, yaml.BaseLoader])
def loader(request: pytest.FixtureRequest) -> Any:
    """The parser that PyYAML has, and the one that it always has."""
    return request.param


@pytest.mark.parametrize(
    ("content", "tree"),
    [
        ("- 1.10\n- on\n- 'a b'\n", ["1.10", "on", "a b"]),
        ("a: 012\nb:\n- ~\n- {c: d}\n", {"a": "012", "b": ["~", {"c": "d"}]}),
        ("[]", []),
        ("{}", {}),
        ("x", "x"),
        ("- |\n  a\n  b\n", ["a\nb\n"]),
        ("a#b # c", "a#b"),
    ],
)
def test_values_are_text(content: str, tree: object, loader: Any) -> None:
    """Both parsers give the same tree, all scalars as they are written."""
    mistakes = Mistakes("f", ENOUGH)

    assert [_plain(root) for root in read_tree(content.encode(), mistakes, ENOUGH, loader)] == [tree]
    assert not mistakes


def test_places_count_from_one(loader: Any) -> None:
    """Both parsers give the line and the column, in characters."""
    mistakes = Mistakes("f", ENOUGH)
    (root,) = (
        list(root.items)
        for root in read_tree("[\u00e9, b,\n c]".encode(), mistakes, ENOUGH, loader)
        if isinstance(root, Sequence)
    )

    assert root == [Scalar("\u00e9", Position(1, 2)), Scalar("b", Position(1, 5)), Scalar("c", Position(2, 2))]


def test_what_is_not_read_is_skipped(loader: Any) -> None:
    """A reader may ignore any node; the next one comes as if it had been read, its mistakes noted."""
    mistakes = Mistakes("f", ENOUGH)
    content = b"a: [1, {b: [2, *x]}]\nc: {d: e}\nf: g\n"
    root = next(read_tree(content, mistakes, ENOUGH, loader))
    assert isinstance(root, Mapping)

    assert [key.text for key, _ in root.pairs] == ["a", "c", "f"]
    assert [problem.where for problem in mistakes.problems()] == ["f:1:16"]


@pytest.mark.parametrize(
    "content", [b"- *.x\n", b"- 'a\n", b"- a: b: c\n", b"a: b\n- c\n", b"- a\x01b\n", b"- @x\n", b"%YAML 3.0\n--- a\n"]
)
def test_what_is_no_yaml_ends_the_reading(content: bytes, loader: Any) -> None:
    """Both parsers stop with a mistake."""
    mistakes = Mistakes("f", ENOUGH)
    roots = map(_plain, read_tree(content, mistakes, ENOUGH, loader))
    with pytest.raises(ReadingStoppedError):
        list(roots)

    assert "not readable as YAML" in str(mistakes.problems()[-1])


def test_the_place_of_a_byte() -> None:
    """Lines count line feeds, columns characters."""
    content = "a\n\u00e9b".encode()

    assert place_of(content, 0) == Position(1, 1)
    assert place_of(content, content.index(b"b")) == Position(2, 2)


def _plain(node: Node) -> object:
    match node:
        case Scalar(text):
            return text
        case Sequence(items=items):
            return [_plain(item) for item in items]
        case Mapping(pairs=pairs):
            return {key.text: _plain(value) for key, value in pairs}
        case UnreadableNode():
            return None
