"""`ImageList`: the images that a run is about, and the patterns and references that keep others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Self

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import HTTPS_PORT, parse_host
from bulkrm.model.target import ARGUMENT, Source
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.conditional import ConditionalEntry, RunConditions
from bulkrm.selection.entry import Entry, parse_entry
from bulkrm.selection.in_use.reading import read_in_use
from bulkrm.selection.listfile.document import InUseFile, read_list
from bulkrm.selection.patterns.pattern import ProtectPattern

ReadFile = Callable[[str], bytes]


@valueclass
class ImageList:
    """The images that may be deleted, and those that are kept. `parse_list` and `parse_images` make it; `+` joins two.

    `entries`: images, patterns and entries with conditions, in their order. `protect`: patterns of images that are kept
    whatever an entry says. `ignore_unreadable`: patterns of damaged tags that do not keep their repository. `in_use`:
    references of running images, in normal form, which are kept. `min_keep`: this many tagged images of each repository
    are kept. `default_port`: the port of hosts that were written without one (443, or 80 for a connection with
    `plain_http`).
    """

    entries: tuple[Entry, ...] = ()
    protect: tuple[ProtectPattern, ...] = ()
    ignore_unreadable: tuple[ProtectPattern, ...] = ()
    in_use: tuple[str, ...] = ()
    min_keep: int = 0
    default_port: int = HTTPS_PORT

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registry hosts of all entries, each once, in the order of the entries."""
        return tuple(dict.fromkeys(entry.host for entry in self.entries))

    @property
    def conditions(self) -> RunConditions:
        """The conditions of the entries, with `in_use` and `min_keep`."""
        conditional = tuple(entry for entry in self.entries if isinstance(entry, ConditionalEntry))
        return RunConditions(conditional, self.in_use, self.min_keep)

    def protecting(self, *patterns: str) -> Self:
        """Return the list with further protect patterns (`*:latest`, `**/prod-*:*`). Raises InputError."""
        return replace(self, protect=(*self.protect, *read_patterns("protect", patterns, self.default_port)))

    def ignoring_unreadable(self, *patterns: str) -> Self:
        """Return the list with further patterns of damaged tags that do not keep their repository. Raises InputError."""
        found = read_patterns("ignore_unreadable", patterns, self.default_port)
        return replace(self, ignore_unreadable=(*self.ignore_unreadable, *found))

    def keeping_in_use(self, content: bytes, name: str = "in-use") -> Self:
        """Return the list with further images in use, which are kept.

        `content`: the output of `kubectl get pods -A -o json` and the like, or one reference a line; `name` is for
        messages. Raises InputError.
        """
        found = read_in_use(content, name, self.default_port)
        return replace(self, in_use=tuple(sorted({*self.in_use, *found})))

    def __add__(self, other: "ImageList") -> Self:
        """Return both as one list: the patterns of both apply, and the larger `min_keep`.

        Raises InputError where their default ports differ, because one host would have two names.
        """
        if self.default_port != other.default_port:
            what = f"one list was read with the port {self.default_port}, the other with {other.default_port}"
            raise InputError(Problem("", what, "read both with the same default_port"))
        return replace(
            self,
            entries=self.entries + other.entries,
            protect=self.protect + other.protect,
            ignore_unreadable=self.ignore_unreadable + other.ignore_unreadable,
            in_use=tuple(sorted({*self.in_use, *other.in_use})),
            min_keep=max(self.min_keep, other.min_keep),
        )


def parse_list(
    text: str | bytes, name: str = "list", *, read_file: ReadFile | None = None, default_port: int = HTTPS_PORT
) -> ImageList:
    """Parse the text of a list file: YAML, or one reference or pattern a line. Nothing is sent and no file is opened.

    `name` is the name of the list in messages and in the report (`images.yaml`). `read_file` returns the content of a
    file that the list names under `in-use`, and may raise OSError; without it such a list is refused. Raises InputError
    with every mistake, each with `name:line:column`.
    """
    listed = read_list(text, name, default_port=default_port)
    problems: list[Problem] = []
    in_use: dict[str, None] = {}
    for file in listed.in_use:
        try:
            in_use.update(dict.fromkeys(_running(file, read_file, default_port)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return ImageList(listed.entries, listed.protect, (), tuple(sorted(in_use)), listed.min_keep, default_port)


def parse_images(images: Iterable[str], *, registry: str | None = None, default_port: int = HTTPS_PORT) -> ImageList:
    """Parse references and patterns (`host/team/app:pr-*`), as the command line takes them.

    `registry` is the host of those without one. In the report their source is their position, `argument 1`. Raises
    InputError with every mistake.
    """
    problems: list[Problem] = []
    entries: list[Entry] = []
    host = None if registry is None else parse_host(registry, default_port)
    for number, text in enumerate(images, 1):
        source = Source(ARGUMENT, number)
        try:
            entries += parse_entry(text, source=source, default_host=host, default_port=default_port)
        except InputError as error:
            problems += (Problem(str(source), problem.what, problem.remedy) for problem in error.problems)
    if not problems and not entries:
        problems.append(Problem("", "no image was named", "give references such as host/repository:tag"))
    if problems:
        raise InputError(*problems)
    return ImageList(tuple(entries), default_port=default_port)


def read_patterns(where: str, patterns: Iterable[str], default_port: int) -> tuple[ProtectPattern, ...]:
    """Parse patterns of tags; `where` is their place in messages. Raises InputError with all mistakes."""
    problems: list[Problem] = []
    found = tuple(valid_patterns(where, patterns, default_port, problems))
    if problems:
        raise InputError(*problems)
    return found


def valid_patterns(
    where: str, patterns: Iterable[str], default_port: int, problems: list[Problem]
) -> Iterator[ProtectPattern]:
    """Yield the patterns that can be parsed; the mistakes in the others are added to `problems`."""
    for text in patterns:
        try:
            yield ProtectPattern.parse(text, default_port)
        except InputError as error:
            problems += (Problem(where, problem.what, problem.remedy) for problem in error.problems)


def _running(file: InUseFile, read_file: ReadFile | None, default_port: int) -> tuple[str, ...]:
    if read_file is None:
        remedy = "give read_file, which returns its content"
        raise InputError(Problem(file.where, f"the list names the file {file.name!r} of images in use", remedy))
    try:
        return read_in_use(read_file(file.name), file.name, default_port)
    except OSError as error:
        what = f"{file.name!r} cannot be read: {error.strerror or error}"
        raise InputError(Problem(file.where, what, "give a readable file that lists running images")) from error
