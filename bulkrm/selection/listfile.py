"""The list file: a YAML list of references and globs, or the long form with `registry`, `protect` and `images`."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from bulkrm.model.errors import InputError
from bulkrm.model.reference import HTTPS_PORT, mask_credentials, parse_host
from bulkrm.model.target import Source
from bulkrm.selection.entry import PLAIN, Detail, Entry, TagItem, parse_entry, parse_tag
from bulkrm.selection.mistakes import Mistakes, Place, ReadingStoppedError
from bulkrm.selection.pattern import ExcludePattern, ProtectPattern
from bulkrm.selection.yamltree import Mapping, Node, Scalar, Sequence, place_of, read_tree

TOP_KEYS = ("registry", "protect", "images")
ENTRY_KEYS = ("image", "tags", "exclude", "note")
# Stands in for the host where none is known: is the missing host the only mistake? (RFC 2606: no such host exists)
_NO_HOST = "registry.invalid"
_BOM = b"\xef\xbb\xbf"
T = TypeVar("T")
_LIST_REMEDY = "write a list, each line with '- ' before the value"


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a file asks for, in its order; `protect` holds for the whole run."""

    entries: tuple[Entry, ...]
    protect: tuple[ProtectPattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read: its size in bytes, its values, the mistakes that are shown."""

    size: int = 256 * 1024 * 1024
    values: int = 10_000_000
    mistakes: int = 1000


LIMITS = Limits()


def read_list(content: bytes | str, name: str, *, default_port: int = HTTPS_PORT, limits: Limits = LIMITS) -> ListFile:
    """Read a list file; `name` is what its entries and mistakes are called by, `-` for standard input.

    Raises InputError with every mistake of the file, each with `name:line:column`.
    """
    mistakes = Mistakes(name, limits.mistakes)
    reading = _Reading(name, default_port, mistakes)
    try:
        text = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        _check_encoding(text, mistakes, limits)
        reading.read(text.removeprefix(_BOM), limits.values)
    except ReadingStoppedError:
        pass
    if mistakes:
        raise InputError(*mistakes.problems())
    return ListFile(tuple(reading.entries), tuple(reading.protect))


def _check_encoding(content: bytes, mistakes: Mistakes, limits: Limits) -> None:
    if len(content) > limits.size:
        mistakes.stop(Place(1, 1), f"larger than {limits.size} bytes", "cut it into several files")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        mistakes.stop(place_of(content, error.start), "not UTF-8", "save the file as text in UTF-8")


@dataclass(frozen=True, slots=True)
class _Draft:
    """An entry whose reference is not read yet: `registry` may stand behind it. `line` is the entry's."""

    image: Scalar
    detail: Detail
    line: int


class _Reading:
    """One pass over one file. Every mistake is noted, and reading goes on."""

    def __init__(self, name: str, default_port: int, mistakes: Mistakes) -> None:
        self.entries: list[Entry] = []
        self.protect: list[ProtectPattern] = []
        self._name = name
        self._default_port = default_port
        self._mistakes = mistakes
        self._registry: str | None = None
        self._advice = "set `registry:` at the top of the file"

    def read(self, content: bytes, most: int) -> None:
        """Read the one document of the file."""
        roots = read_tree(content, self._mistakes, most)
        root = next(roots, None)
        match root:
            case None:
                self._mistakes.add(Place(1, 1), "an empty file", _LIST_REMEDY)
            case Sequence(place):
                self._advice = "use the long form, with `registry:` at the top and the list under `images:`"
                self._finish_all(root)
            case Mapping(place, pairs):
                self._long_form(place, pairs)
            case Scalar(place=place):
                self._mistakes.add(place, "a text, where a list of images should be", _LIST_REMEDY)
            case _:  # Broken: noted already
                pass
        match next(roots, None):
            case Scalar(place=place) | Sequence(place=place) | Mapping(place=place):
                self._mistakes.stop(place, "a second document (---) in one file", "make it a file of its own")
            case _:
                pass

    def _finish_all(self, node: Node) -> None:
        for draft in self._drafts(node):
            self._finish(draft)

    def _long_form(self, place: Place, pairs: Iterator[tuple[Scalar, Node]]) -> None:
        waiting: list[_Draft] = []
        keys: set[str] = set()
        try:
            for key, node in pairs:
                keys.add(key.text)
                self._top_value(key, node, waiting)
            if "images" not in keys:
                self._mistakes.add(place, "no `images:` in the file", "write the list of images under it")
        except ReadingStoppedError:
            # Perhaps `registry` would have come: a missing host is no mistake then.
            self._registry = self._registry or _NO_HOST
            raise
        finally:
            waiting.reverse()
            while waiting:
                self._finish(waiting.pop())

    def _top_value(self, key: Scalar, node: Node, waiting: list[_Draft]) -> None:
        match key.text:
            case "registry":
                self._read_registry(node)
            case "protect":
                self._read_protect(node)
            case "images":
                for draft in self._drafts(node):
                    if self._registry is None:
                        waiting.append(draft)
                    else:
                        self._finish(draft)
            case "format":  # `bulkrm plan --out` writes this first
                self._mistakes.stop(key.place, "a plan, and no list", f"`bulkrm apply {self._name}` carries it out")
            case _:
                self._refuse_key(key, node, TOP_KEYS)

    def _read_registry(self, node: Node) -> None:
        self._registry = _NO_HOST
        for scalar in self._text(node):
            try:
                self._registry = parse_host(scalar.text, self._default_port)
            except InputError as error:
                self._note(scalar.place, error)

    def _read_protect(self, node: Node) -> None:
        port = self._default_port
        self.protect += self._parse_all(self._texts(node, "protect"), lambda text: ProtectPattern.parse(text, port))

    def _drafts(self, node: Node) -> Iterator[_Draft]:
        for item in self._items(node, "images"):
            match item:
                case Scalar(place=place):
                    yield _Draft(item, PLAIN, place.line)
                case Mapping(place, pairs):
                    yield from self._draft_of(place, pairs)
                case Sequence(place):
                    self._mistakes.add(place, "a list inside the list of images", "put a pattern like [a-z]* in quotes")
                case _:  # Broken: noted already
                    pass

    def _draft_of(self, place: Place, pairs: Iterator[tuple[Scalar, Node]]) -> Iterator[_Draft]:
        """Read the long form of one entry: one draft, or none if the image is missing."""
        image: list[Scalar] = []
        note: list[Scalar] = []
        tags: tuple[TagItem, ...] | None = None
        exclude: tuple[ExcludePattern, ...] = ()
        known = missing = True
        before = len(self._mistakes)
        for key, node in pairs:
            match key.text:
                case "image":
                    image, missing = self._text(node), False
                case "tags":
                    tags = self._parse_all(self._texts(node, "tags", may_be_empty=False), parse_tag)
                case "exclude":
                    exclude = self._parse_all(self._texts(node, "exclude"), ExcludePattern)
                case "note":
                    note = self._text(node)
                case _:
                    known = False
                    self._refuse_key(key, node, ENTRY_KEYS)
        if missing and known:
            self._mistakes.add(place, "an entry without `image:`", "write `image: host/repository:tag`")
        if len(self._mistakes) > before:
            exclude = ()  # whether it fits the tags cannot be told, if not all of them were read
        detail = Detail(tags, exclude, note[0].text if note else None)
        yield from (_Draft(scalar, detail, place.line) for scalar in image)

    def _finish(self, draft: _Draft) -> None:
        """Turn a draft into entries, now that `registry` is known."""
        source = Source(self._name, draft.line)
        text, port = draft.image.text, self._default_port
        try:
            self.entries += parse_entry(
                text, source=source, default_host=self._registry, default_port=port, detail=draft.detail
            )
        except InputError as error:
            if self._registry is None:
                try:
                    parse_entry(text, source=source, default_host=_NO_HOST, default_port=port, detail=draft.detail)
                except InputError as without_host:
                    self._note(draft.image.place, without_host)
                else:
                    remedy = f"write docker.io/{text} in full, or {self._advice}"
                    self._mistakes.add(draft.image.place, f"{text!r} does not name its registry", remedy)
            else:
                self._note(draft.image.place, error)

    def _parse_all(self, scalars: Iterator[Scalar], parse: Callable[[str], T]) -> tuple[T, ...]:
        parsed: list[T] = []
        for scalar in scalars:
            try:
                parsed.append(parse(scalar.text))
            except InputError as error:
                self._note(scalar.place, error)
        return tuple(parsed)

    def _text(self, node: Node) -> list[Scalar]:
        """Return the one text that should be here, or nothing: the mistake is noted."""
        match node:
            case Scalar():
                return [node]
            case Sequence(place) | Mapping(place):
                remedy = "write one value; no blank after a colon in it, and quotes around a pattern like [a-z]*"
                self._mistakes.add(place, "a list or a mapping, where one text should be", remedy)
            case _:  # Broken: noted already
                pass
        return []

    def _texts(self, node: Node, key: str, *, may_be_empty: bool = True) -> Iterator[Scalar]:
        for item in self._items(node, key, may_be_empty=may_be_empty):
            yield from self._text(item)

    def _items(self, node: Node, key: str, *, may_be_empty: bool = False) -> Iterator[Node]:
        match node:
            case Sequence(place, items):
                empty = True
                for item in items:
                    empty = False
                    yield item
                if empty and not may_be_empty:
                    self._mistakes.add(place, f"an empty list of {key}", "name at least one, or remove the key")
            case Scalar(place=place) | Mapping(place):
                self._mistakes.add(place, f"no list, where the list of {key} should be", _LIST_REMEDY)
            case _:  # Broken: noted already
                pass

    def _refuse_key(self, key: Scalar, node: Node, known: tuple[str, ...]) -> None:
        nearest = difflib.get_close_matches(key.text, known, 1)
        if nearest:
            remedy = f"did you mean {nearest[0]}?"
        else:
            joined = f"{key.text}:{node.text if isinstance(node, Scalar) else 'TAG'}"
            remedy = (
                f"the keys here are {', '.join(known)}; if a reference is meant, "
                f"write it without a blank after the colon: {_shown(joined)}"
            )
        self._mistakes.add(key.place, f"unknown key {_shown(key.text)!r}", remedy)

    def _note(self, place: Place, error: InputError) -> None:
        for problem in error.problems:
            self._mistakes.add(place, problem.what, problem.remedy)


def _shown(text: str) -> str:
    return mask_credentials(text)[:160]
