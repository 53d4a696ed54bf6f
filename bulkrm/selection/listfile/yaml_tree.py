"""YAML as a lazy tree that is read once, from front to back; every scalar is a string with its place.

The tree is built from the events of PyYAML, before tags are resolved, so `1.10`, `012`, `on` and `~` stay text. Nodes
are generated on demand, so that a list of a million references is never in memory as a tree. Anchors, aliases, tags,
duplicate keys and empty values are mistakes, after which the parser goes on.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from bulkrm.model.reference import mask_credentials
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.listfile.mistakes import Mistakes, Position

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml, where PyYAML was built with it
_MAX_DEPTH = 8
_QUOTES = "put a value that starts with one of * & ! % @ ` { [ | > in quotes, and indent with blanks"


@valueclass
class Scalar:
    """A value that is neither a list nor a mapping: its text, which is never empty, and its place."""

    text: str
    place: Position


@valueclass
class Sequence:
    """A list. `items` can be iterated once; items not taken are skipped when the next node is read."""

    place: Position
    items: Iterator["Node"]


@valueclass
class Mapping:
    """A mapping. `pairs` can be iterated once; pairs not taken are skipped when the next node is read."""

    place: Position
    pairs: Iterator[tuple[Scalar, "Node"]]


@valueclass
class UnreadableNode:
    """A node that could not be read; its mistake is noted already."""


Node = Scalar | Sequence | Mapping | UnreadableNode
_UNREADABLE = UnreadableNode()


def read_tree(content: bytes, mistakes: Mistakes, most: int, loader: Any = LOADER) -> Iterator[Node]:
    """Yield the root of each document; each has to be read before the next. `most`: the largest number of nodes.

    Raises ReadingStoppedError where the YAML cannot be read any further.
    """
    return _Reader(content, mistakes, most, loader).roots()


class _Reader:
    """Turns events into nodes."""

    def __init__(self, content: bytes, mistakes: Mistakes, most: int, loader: Any) -> None:
        self._content = content
        self._events = yaml.parse(content, Loader=loader)
        self._mistakes = mistakes
        self._most = most
        self._left = most
        self._depth = 0

    def roots(self) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.NodeEvent):
                node = self._node(event)
                yield node
                _skip(node)

    def _next(self) -> yaml.Event:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            # A scanner's context is where the bad token begins, a parser's where the surrounding block does.
            scanning = (error.context or "").startswith("while scanning")
            mark = error.context_mark if scanning and error.context_mark else error.problem_mark
            place = _place(mark) if mark else Position(1, 1)
            what = ", ".join(filter(None, (error.context, error.problem)))
            self._mistakes.stop(place, f"not readable as YAML: {what}", _QUOTES)
        except yaml.reader.ReaderError as error:
            place = place_of(self._content, error.position)
            self._mistakes.stop(place, f"not readable as YAML: {error.reason}", "remove the character")

    def _node(self, event: yaml.NodeEvent) -> Node:
        self._left -= 1
        place = _place(event.start_mark)
        if self._left < 0:
            self._mistakes.stop(place, f"more than {self._most} values in one file", "cut it into several files")
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None and event.tag is None and event.value:
            return Scalar(event.value, place)  # first, for speed
        self._refuse_extras(event, place)
        match event:
            case yaml.ScalarEvent(value=text) if text:
                return Scalar(text, place)
            case yaml.ScalarEvent():
                self._mistakes.add(place, "an empty value", "write a value, or remove the line")
            case yaml.SequenceStartEvent() if self._depth < _MAX_DEPTH:
                return Sequence(place, self._items())
            case yaml.MappingStartEvent() if self._depth < _MAX_DEPTH:
                return Mapping(place, self._pairs())
            case yaml.CollectionStartEvent():
                self._mistakes.add(place, "lists inside lists, too deep to be a list of images", "see `bulkrm schema`")
                self._skip_collection()
            case _:
                pass  # an alias, refused above
        return _UNREADABLE

    def _refuse_extras(self, event: yaml.NodeEvent, place: Position) -> None:
        if isinstance(event, yaml.AliasEvent):
            remedy = f"there are no aliases here; a pattern that starts with * needs quotes: '*{event.anchor}'"
            self._mistakes.add(place, f"*{event.anchor} is an alias of YAML", remedy)
        elif event.anchor is not None:
            self._mistakes.add(place, f"&{event.anchor} is an anchor of YAML", "remove it, and write values out")
        if getattr(event, "tag", None) is not None:
            self._mistakes.add(place, "a tag of YAML (!...)", "remove it: every value is text")

    def _items(self) -> Iterator[Node]:
        self._depth += 1
        while isinstance(event := self._next(), yaml.NodeEvent):
            node = self._node(event)
            yield node
            _skip(node)
        self._depth -= 1

    def _pairs(self) -> Iterator[tuple[Scalar, Node]]:
        self._depth += 1
        seen: dict[str, int] = {}
        while isinstance(event := self._next(), yaml.NodeEvent):
            key = self._key(event, seen)
            value = self._next()
            assert isinstance(value, yaml.NodeEvent)  # noqa: S101 (a key without a value has an empty scalar)
            node = self._node(value)
            if key is not None:
                yield key, node
            _skip(node)
        self._depth -= 1

    def _key(self, event: yaml.NodeEvent, seen: dict[str, int]) -> Scalar | None:
        key = self._node(event)
        _skip(key)
        match key:
            case Scalar(text, place) if text in seen:
                what = f"the key {mask_credentials(text)[:160]!r} is here a second time, first in line {seen[text]}"
                self._mistakes.add(place, what, "keep one of them")
            case Scalar("<<", place):
                self._mistakes.add(place, "a merge key of YAML (<<)", "write the values out")
            case Scalar(text, place):
                seen[text] = place.line
                return key
            case Sequence(place) | Mapping(place):
                self._mistakes.add(place, "a key that is not text", _QUOTES)
            case _:  # UnreadableNode: its mistake is noted already
                pass
        return None

    def _skip_collection(self) -> None:
        depth = 1
        while depth:
            event = self._next()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


def _skip(node: Node) -> None:
    """Consume the rest of a node, so that the next event belongs to the next node."""
    match node:
        case Sequence(items=rest) | Mapping(pairs=rest):
            for _ in rest:
                pass
        case _:  # Scalar, UnreadableNode
            pass


def _place(mark: Any) -> Position:
    """Return the position of a mark of PyYAML, which counts from 0."""
    return Position(mark.line + 1, mark.column + 1)


def place_of(content: bytes, offset: int) -> Position:
    """Return the line and column of a byte offset."""
    before = content[:offset]
    last = before[before.rfind(b"\n") + 1 :]
    return Position(before.count(b"\n") + 1, len(last.decode("utf-8", "replace")) + 1)
