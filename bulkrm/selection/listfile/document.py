"""The list file: a YAML list of references and globs, or the long form with `registry`, `protect` and `images`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bulkrm.model.errors import InputError
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.model.target import Source
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.entry import SHORT_FORM, Entry, LongForm, TagItem, parse_entry, parse_tag
from bulkrm.selection.found_selectors import keys
from bulkrm.selection.listfile.mistakes import Mistakes, Position, ReadingStoppedError
from bulkrm.selection.listfile.nodes import LIST_REMEDY, NodeReader
from bulkrm.selection.listfile.plain import is_item, is_plain, plain_lines
from bulkrm.selection.listfile.yaml_tree import Mapping, Node, Scalar, Sequence, place_of, read_tree
from bulkrm.selection.patterns.pattern import ExcludePattern, ProtectPattern
from bulkrm.selection.selector import KeyLevel

TOP_KEYS = ("registry", "protect", *keys(KeyLevel.FILE), "images")
ENTRY_KEYS = ("image", "tags", "exclude", *keys(KeyLevel.ENTRY), "note")
_WITHOUT_TAGS = frozenset({"match", "untagged"})  # keys of entries whose `image` has no tag
# Replaces a missing host, to find out whether an entry has another mistake too (RFC 2606: no such host exists).
_NO_HOST = "registry.invalid"
_UTF8 = "save the file as text in UTF-8"
_BOM = b"\xef\xbb\xbf"


@valueclass
class InUseFile:
    """The name of a file of images in use, from the key `in-use`. `where`: its place in the list, for messages."""

    name: str
    where: str


@valueclass
class ListFile:
    """The content of a list file, in its order; `protect`, `in_use` and `min_keep` apply to the whole run."""

    entries: tuple[Entry, ...]
    protect: tuple[ProtectPattern, ...] = ()
    in_use: tuple[InUseFile, ...] = ()
    min_keep: int = 0


@valueclass
class Limits:
    """Upper bounds for a list file: its size in bytes, the number of its values, and the number of mistakes shown."""

    size: int = 256 * 1024 * 1024
    values: int = 10_000_000
    mistakes: int = 1000


LIMITS = Limits()


def read_list(content: bytes | str, name: str, *, default_port: int = HTTPS_PORT, limits: Limits = LIMITS) -> ListFile:
    """Parse a list file; `name` is its name in sources and messages, `-` for standard input.

    Raises InputError with every mistake of the file, each with `name:line:column`.
    """
    mistakes = Mistakes(name, limits.mistakes)
    reading = _ListReader(name, default_port, mistakes)
    try:
        text = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        decoded = _decoded(text, mistakes, limits)
        if is_plain(decoded, name):
            reading.read_plain(decoded)
        else:
            reading.read(text.removeprefix(_BOM), limits.values)
    except ReadingStoppedError:
        pass
    if mistakes:
        raise InputError(*mistakes.problems())
    return ListFile(tuple(reading.entries), tuple(reading.protect), tuple(reading.in_use), reading.min_keep)


def _decoded(content: bytes, mistakes: Mistakes, limits: Limits) -> str:
    if len(content) > limits.size:
        mistakes.stop(Position(1, 1), f"larger than {limits.size} bytes", "cut it into several files")
    try:
        return content.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        mistakes.stop(place_of(content, error.start), "not UTF-8", _UTF8)


@valueclass
class _Draft:
    """An entry whose reference is not parsed yet, because `registry` may follow later in the file. `line`: its line."""

    image: Scalar
    detail: LongForm
    line: int


@dataclass(slots=True)
class _EntryFields:
    """The keys of an entry in long form that were read so far. `seen`: their names; of a misspelt key the right one too."""

    seen: set[str] = field(default_factory=set)
    image: list[Scalar] = field(default_factory=list)
    tags: tuple[TagItem, ...] | None = None
    exclude: tuple[ExcludePattern, ...] = ()
    note: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)

    @property
    def has_no_tag_in_image(self) -> bool:
        """Tell whether the tags were to come from another key than `image`, be it one that could not be read."""
        return bool(self.seen & _WITHOUT_TAGS) or ("tags" in self.seen and self.tags is None)

    @property
    def detail(self) -> LongForm:
        """The keys beside `image`."""
        return LongForm(self.tags, self.exclude, self.note, self.values, self.written)


class _ListReader(NodeReader):
    """Parses one file in one pass, and goes on after a mistake."""

    def __init__(self, name: str, default_port: int, mistakes: Mistakes) -> None:
        self.entries: list[Entry] = []
        self.protect: list[ProtectPattern] = []
        super().__init__(mistakes)
        self.in_use: list[InUseFile] = []
        self.min_keep = 0
        self._name = name
        self._default_port = default_port
        self._registry: str | None = None
        self._advice = "set `registry:` at the top of the file"

    def read(self, content: bytes, most: int) -> None:
        """Parse the one YAML document of the file, of at most `most` values."""
        roots = read_tree(content, self.mistakes, most)
        root = next(roots, None)
        match root:
            case None:
                self.mistakes.add(Position(1, 1), "an empty file", LIST_REMEDY)
            case Sequence(place):
                self._advice = "use the long form, with `registry:` at the top and the list under `images:`"
                self._finish_all(root)
            case Mapping(place, pairs):
                self._long_form(place, pairs)
            case Scalar(place=place):
                self.mistakes.add(place, "a text, where a list of images should be", LIST_REMEDY)
            case _:  # UnreadableNode: its mistake is noted already
                pass
        match next(roots, None):
            case Scalar(place=place) | Sequence(place=place) | Mapping(place=place):
                self.mistakes.stop(place, "a second document (---) in one file", "make it a file of its own")
            case _:
                pass

    def read_plain(self, content: str) -> None:
        """Parse a plain list: one reference or glob a line."""
        self._advice = "write a YAML list, with `registry:` at the top and the list under `images:`"
        empty = True
        for scalar in plain_lines(content):
            empty = False
            if "\0" in scalar.text:  # the YAML reader refuses control characters by itself
                self.mistakes.stop(scalar.place, "a NUL character, as UTF-16 and binary files have", _UTF8)
            if is_item(scalar.text):
                remedy = "write one reference a line, without '- '; a YAML list has a name that ends with .yaml"
                self.mistakes.add(scalar.place, "a line of a YAML list in a plain list", remedy)
            else:
                self._finish(_Draft(scalar, SHORT_FORM, scalar.place.line))
        if empty:
            self.mistakes.add(Position(1, 1), "an empty file", "write one reference a line")

    def _finish_all(self, node: Node) -> None:
        for draft in self._drafts(node):
            self._finish(draft)

    def _long_form(self, place: Position, pairs: Iterator[tuple[Scalar, Node]]) -> None:
        waiting: list[_Draft] = []
        keys: set[str] = set()
        try:
            for key, node in pairs:
                keys.add(key.text)
                self._top_value(key, node, waiting)
            if "images" not in keys:
                self.mistakes.add(place, "no `images:` in the file", "write the list of images under it")
        except ReadingStoppedError:
            # `registry` may stand in the part that was not read, so a missing host is not a mistake.
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
                self.mistakes.stop(key.place, "a plan, not a list", f"`bulkrm apply {self._name}` carries it out")
            case name if name in keys(KeyLevel.FILE):
                self._read_run_key(name, node)
            case _:
                self.refuse_key(key, node, TOP_KEYS)

    def _read_run_key(self, name: str, node: Node) -> None:
        """Parse `in-use` or `min-keep`, which apply to the whole run."""
        if name == "in-use":
            for scalar in self.texts(node, name, may_be_empty=False):
                where = f"{self._name}:{scalar.place.line}:{scalar.place.column}"
                self.in_use.append(InUseFile(scalar.text, where))
        elif name == "min-keep" and (found := self.value(keys(KeyLevel.FILE)[name], node)):
            self.min_keep = found[0]

    def _read_registry(self, node: Node) -> None:
        self._registry = _NO_HOST
        for scalar in self.text(node):
            try:
                self._registry = parse_host(scalar.text, self._default_port)
            except InputError as error:
                self.note(scalar.place, error)

    def _read_protect(self, node: Node) -> None:
        port = self._default_port
        self.protect += self.parse_all(self.texts(node, "protect"), lambda text: ProtectPattern.parse(text, port))

    def _drafts(self, node: Node) -> Iterator[_Draft]:
        for item in self.items(node, "images"):
            match item:
                case Scalar(place=place):
                    yield _Draft(item, SHORT_FORM, place.line)
                case Mapping(place, pairs):
                    yield from self._draft_of(place, pairs)
                case Sequence(place):
                    self.mistakes.add(place, "a list inside the list of images", "put a pattern like [a-z]* in quotes")
                case _:  # UnreadableNode: its mistake is noted already
                    pass

    def _draft_of(self, place: Position, pairs: Iterator[tuple[Scalar, Node]]) -> Iterator[_Draft]:
        """Parse the long form of one entry; yield one draft, or none if `image` is missing."""
        entry = _EntryFields()
        before = len(self.mistakes)
        for key, node in pairs:
            entry.seen.add(key.text)
            self._entry_value(key, node, entry)
        has_mistakes = len(self.mistakes) > before
        if has_mistakes and entry.has_no_tag_in_image:
            return  # `image` alone, without tags, would be reported as a second mistake
        if "image" not in entry.seen and entry.seen.issubset(ENTRY_KEYS):
            self.mistakes.add(place, "an entry without `image:`", "write `image: host/repository:tag`")
        # After a mistake in one key the others cannot be checked against each other.
        detail = LongForm(entry.tags, note=entry.note) if has_mistakes else entry.detail
        yield from (_Draft(scalar, detail, place.line) for scalar in entry.image)

    def _entry_value(self, key: Scalar, node: Node, entry: "_EntryFields") -> None:
        match key.text:
            case "image":
                entry.image = self.text(node)
            case "tags":
                entry.tags = self.parse_all(self.texts(node, "tags", may_be_empty=False), parse_tag)
            case "exclude":
                entry.exclude = self.parse_all(self.texts(node, "exclude"), ExcludePattern)
            case "note":
                entry.note = next((scalar.text for scalar in self.text(node)), None)
            case name if name in keys(KeyLevel.ENTRY):
                found = self.value(keys(KeyLevel.ENTRY)[name], node)
                if found is not None:
                    entry.values[name], entry.written[name] = found
            case _:
                entry.seen.update(self.refuse_key(key, node, ENTRY_KEYS))

    def _finish(self, draft: _Draft) -> None:
        """Parse a draft into entries, now that `registry` is known or known to be missing."""
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
                    self.note(draft.image.place, without_host)
                else:
                    remedy = f"write docker.io/{text} in full, or {self._advice}"
                    self.mistakes.add(draft.image.place, f"{text!r} does not name its registry", remedy)
            else:
                self.note(draft.image.place, error)
