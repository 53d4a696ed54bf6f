"""Brings the images of a run or a plan, which are recorded in another order, into the order of its list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from bulkrm.codec.run_record import named_entries
from bulkrm.model.target import ARGUMENT, Line, Source, Target

_Key = tuple[int, str, int, int, str]


class ListOrder:
    """Sorts images as the report of the run has them: by file, line and entry of the list; matches of a glob by name."""

    def __init__(self, files: Sequence[str] = (), entries: Iterable[tuple[str, Source]] = ()) -> None:
        """`files`: the files of the list in their order; others follow, by name. `entries`: its images, as far as known."""
        self._files = {ARGUMENT: 0}  # arguments come before all files
        for name in files:
            self._files.setdefault(name, len(self._files))
        self._images: dict[str, int] = {}
        self._patterns: dict[Source, int] = {}
        for position, (image, source) in enumerate(entries):
            self._files.setdefault(source.name, len(self._files))
            self._images.setdefault(image, position)
            self._patterns.setdefault(source, position)

    @classmethod
    def of_run(cls, asked: Mapping[str, Any]) -> Self:
        """Return the order of a run. `asked`: the content of `run.json`, of which malformed parts are left out."""
        files = asked.get("lists")
        named = [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
        return cls(named, _entries(asked))

    def key(self, image: str, source: Source | None) -> _Key:
        """Return the sort key of an image, or of a pattern. What the list does not name (`source` None) comes last."""
        if source is None:
            return len(self._files) + 1, "", 0, 0, image
        file = self._files.get(source.name, len(self._files))
        entry = self._images.get(image, self._patterns.get(source, 0))
        return file, source.name, source.line, entry, image

    def key_of(self, line: Line) -> _Key:
        """Return the sort key of a line of a report."""
        return self.key(str(line.reference) if isinstance(line, Target) else line.text, line.source)


def files_to_record(lines: Iterable[Line]) -> tuple[str, ...]:
    """Return the files of a list in the order of its lines; () where that is the order of their names."""
    names = (line.source.name for line in lines if line.source is not None)
    files = tuple(dict.fromkeys(name for name in names if name != ARGUMENT))
    return files if list(files) != sorted(files) else ()


def _entries(asked: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    """Yield the image and the place of each entry; malformed entries are left out."""
    for image, source in named_entries(asked):
        try:
            yield image, Source.parse(source)
        except ValueError:
            continue
