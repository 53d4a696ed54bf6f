"""Brings the results of a run, which are recorded in the order in which they happened, into the order of its list."""

from collections.abc import Iterator, Mapping
from typing import Any

from bulkrm.codec.journal_events import ImageOutcome
from bulkrm.codec.run_record import named_entries
from bulkrm.model.target import Source

_Key = tuple[int, str, int, int, str]


class ListOrder:
    """Sorts results as the report of the run has them: by file, line and entry of the list; matches of a glob by name."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        """`asked`: the content of `run.json`. A run that applied a plan has no list there: its files sort by their names."""
        self._files: dict[str, int] = {}
        self._images: dict[str, int] = {}
        self._patterns: dict[Source, int] = {}
        for position, (image, source) in enumerate(_entries(asked)):
            self._files.setdefault(source.name, len(self._files))
            self._images.setdefault(image, position)
            self._patterns.setdefault(source, position)

    def key(self, result: ImageOutcome) -> _Key:
        """Return the sort key of a result. Attached manifests, which the list does not name, come last."""
        source = result.source
        if source is None:
            return len(self._files) + 1, "", 0, 0, result.image
        file = self._files.get(source.name, len(self._files))
        entry = self._images.get(result.image, self._patterns.get(source, 0))
        return file, source.name, source.line, entry, result.image


def _entries(asked: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    """Yield the image and the place of each entry; malformed entries are left out."""
    for image, source in named_entries(asked):
        try:
            yield image, Source.parse(source)
        except ValueError:
            continue
