"""Brings the results of a run, which are recorded in the order in which they happened, into the order of its list."""

from collections.abc import Iterator, Mapping
from typing import Any

from bulkrm.codec.journal_events import ImageOutcome
from bulkrm.codec.run_record import named_entries
from bulkrm.model.target import Source

_Key = tuple[int, str, int, int, str]


class ListOrder:
    """Sorts results as the run's report has them: by the list's files, lines and entries, globs' matches by name."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        """Take what `run.json` says; the list of a run that applied a plan is in the plan, and sorted by its files' names."""
        self._files: dict[str, int] = {}
        self._images: dict[str, int] = {}
        self._patterns: dict[Source, int] = {}
        for position, (image, source) in enumerate(_entries(asked)):
            self._files.setdefault(source.name, len(self._files))
            self._images.setdefault(image, position)
            self._patterns.setdefault(source, position)

    def key(self, told: ImageOutcome) -> _Key:
        """Return what results are sorted by. What only belongs to something that the list names comes last."""
        source = told.source
        if source is None:
            return len(self._files) + 1, "", 0, 0, told.image
        file = self._files.get(source.name, len(self._files))
        entry = self._images.get(told.image, self._patterns.get(source, 0))
        return file, source.name, source.line, entry, told.image


def _entries(asked: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    """Yield the image and the place of each entry; malformed entries are left out."""
    for image, source in named_entries(asked):
        try:
            yield image, Source.parse(source)
        except ValueError:
            continue
