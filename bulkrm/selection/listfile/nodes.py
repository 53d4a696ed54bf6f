"""Parses the values of a list file: a text, a list of texts, a mapping of texts. It notes mistakes, and goes on."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from bulkrm.model.errors import InputError
from bulkrm.model.reference import mask_credentials
from bulkrm.selection.listfile.mistakes import Mistakes, Position
from bulkrm.selection.listfile.yaml_tree import Mapping, Node, Scalar, Sequence
from bulkrm.selection.selector import Key, KeyShape

T = TypeVar("T")
LIST_REMEDY = "write a list, each line with '- ' before the value"


class NodeReader:
    """Parses nodes; their mistakes are collected in `mistakes`."""

    def __init__(self, mistakes: Mistakes) -> None:
        """`mistakes`: the collection for one file."""
        self.mistakes = mistakes

    def value(self, key: Key, node: Node) -> tuple[Any, Any] | None:
        """Return the value of a selector's key, parsed and as it is written; None after a mistake, which is noted."""
        before = len(self.mistakes)
        parsed: Any = None
        written: Any = None
        match key.shape:
            case KeyShape.TEXT:
                scalars = self.text(node)
                parsed = self.parse_all(scalars, key.parse)
                written = scalars[0].text if parsed else None
                parsed = parsed[0] if parsed else None
            case KeyShape.TEXTS:
                listed = list(self.texts(node, key.name, may_be_empty=False))
                parsed = self.parse_all(listed, key.parse)
                written = [scalar.text for scalar in listed]
            case KeyShape.PAIRS:
                pairs = list(self.pairs(node, key.name))
                values = self.parse_all((scalar for _, scalar in pairs), key.parse)
                parsed = tuple(zip([name for name, _ in pairs], values, strict=False))
                written = {name: scalar.text for name, scalar in pairs}
        return None if len(self.mistakes) > before or parsed is None else (parsed, written)

    def pairs(self, node: Node, key: str) -> Iterator[tuple[str, Scalar]]:
        """Yield the keys and texts of a mapping."""
        match node:
            case Mapping(place, pairs):
                empty = True
                for name, value in pairs:
                    empty = False
                    yield from ((name.text, scalar) for scalar in self.text(value))
                if empty:
                    self.mistakes.add(place, f"an empty mapping of {key}", "name at least one, or remove the key")
            case Scalar(place=place) | Sequence(place):
                self.mistakes.add(place, f"no mapping, where that of {key} should be", f"write {key}: {{name: value}}")
            case _:  # UnreadableNode: its mistake is noted already
                pass

    def parse_all(self, scalars: Iterable[Scalar], parse: Callable[[str], T]) -> tuple[T, ...]:
        """Parse texts; for each that cannot be parsed a mistake is noted at its place."""
        parsed: list[T] = []
        for scalar in scalars:
            try:
                parsed.append(parse(scalar.text))
            except InputError as error:
                self.note(scalar.place, error)
        return tuple(parsed)

    def text(self, node: Node) -> list[Scalar]:
        """Return the text of a node as a list of one; [] after a mistake, which is noted."""
        match node:
            case Scalar():
                return [node]
            case Sequence(place) | Mapping(place):
                remedy = "write one value; no blank after a colon in it, and quotes around a pattern like [a-z]*"
                self.mistakes.add(place, "a list or a mapping, where one text should be", remedy)
            case _:  # UnreadableNode: its mistake is noted already
                pass
        return []

    def texts(self, node: Node, key: str, *, may_be_empty: bool = True) -> Iterator[Scalar]:
        """Yield the texts of a list."""
        for item in self.items(node, key, may_be_empty=may_be_empty):
            yield from self.text(item)

    def items(self, node: Node, key: str, *, may_be_empty: bool = False) -> Iterator[Node]:
        """Yield the nodes of a list."""
        match node:
            case Sequence(place, items):
                empty = True
                for item in items:
                    empty = False
                    yield item
                if empty and not may_be_empty:
                    self.mistakes.add(place, f"an empty list of {key}", "name at least one, or remove the key")
            case Scalar(place=place) | Mapping(place):
                self.mistakes.add(place, f"no list, where the list of {key} should be", LIST_REMEDY)
            case _:  # UnreadableNode: its mistake is noted already
                pass

    def refuse_key(self, key: Scalar, node: Node, known: tuple[str, ...]) -> list[str]:
        """Note an unknown key as a mistake; return the known key that is probably meant, if any."""
        nearest = difflib.get_close_matches(key.text, known, 1)
        if nearest:
            remedy = f"did you mean {nearest[0]}?"
        else:
            joined = f"{key.text}:{node.text if isinstance(node, Scalar) else 'TAG'}"
            remedy = (
                f"the keys here are {', '.join(known)}; if a reference is meant, "
                f"write it without a blank after the colon: {_shown(joined)}"
            )
        self.mistakes.add(key.place, f"unknown key {_shown(key.text)!r}", remedy)
        return nearest

    def note(self, place: Position, error: InputError) -> None:
        """Note the problems of an error as mistakes at a place."""
        for problem in error.problems:
            self.mistakes.add(place, problem.what, problem.remedy)


def _shown(text: str) -> str:
    return mask_credentials(text)[:160]
