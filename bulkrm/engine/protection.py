"""The protect patterns of a run, and which of them never matched."""

from collections.abc import Iterable, Iterator, Sequence

from bulkrm.model.reference import Repository
from bulkrm.planning.facts import RepositoryFacts, Seen
from bulkrm.selection.pattern import ProtectPattern


class Protection:
    """Answers which pattern protects a tag."""

    def __init__(self, patterns: Sequence[ProtectPattern]) -> None:
        """Begin with none of them used."""
        self._patterns = tuple(dict.fromkeys(patterns))
        self._unused = dict.fromkeys(self._patterns)
        self._read = False

    def of(self, repository: Repository, tag: str) -> str | None:
        """Return the text of the first pattern that protects the tag."""
        return next((str(pattern) for pattern in self._patterns if pattern.protects(repository, tag)), None)

    def look_at(self, facts: Iterable[RepositoryFacts]) -> None:
        """Strike off the patterns that match any tag of the touched repositories."""
        for entry in facts:
            self._read = self._read or bool(isinstance(entry.tags, Seen) and entry.tags.tags)
            here = [pattern for pattern in self._unused if pattern.holds_in(entry.repository)]
            for tag in entry.tags.tags if isinstance(entry.tags, Seen) and here else ():
                for pattern in here:
                    if pattern in self._unused and pattern.protects(entry.repository, tag):
                        del self._unused[pattern]

    def unused(self) -> Iterator[str]:
        """Yield a warning for each pattern that protected nothing, unless there was nothing to be seen at all."""
        for pattern in self._unused if self._read else ():
            yield f"the protect pattern {pattern} matches no tag of the touched repositories"
