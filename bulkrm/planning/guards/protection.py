"""The protect patterns of a run, and those that let damaged tags hold nothing back, and which of them never matched."""

from collections.abc import Iterable, Iterator, Sequence

from bulkrm.model.reference import Repository
from bulkrm.planning.facts import RepositoryFacts, Seen
from bulkrm.selection.patterns.pattern import ProtectPattern


class TrackedPatterns:
    """Answers which pattern protects a tag, or says that it holds nothing back."""

    def __init__(self, patterns: Sequence[ProtectPattern], kind: str = "protect") -> None:
        """Begin with none of them used. `kind`: what they are called in a warning."""
        self._kind = kind
        self._patterns = tuple(dict.fromkeys(patterns))
        self._unused = dict.fromkeys(self._patterns)
        self._read = False

    def of(self, repository: Repository, tag: str) -> str | None:
        """Return the text of the first pattern that protects the tag."""
        return next((str(pattern) for pattern in self._patterns if pattern.protects(repository, tag)), None)

    def look_at(self, facts: Iterable[RepositoryFacts]) -> None:
        """Strike off the patterns that match any tag of the touched repositories, also one that cannot be read."""
        for entry in facts:
            self._read = self._read or bool(isinstance(entry.tags, Seen) and entry.tags.tags)
            here = [pattern for pattern in self._unused if pattern.holds_in(entry.repository)]
            for tag in _tags(entry) if here else ():
                for pattern in here:
                    if pattern in self._unused and pattern.protects(entry.repository, tag):
                        del self._unused[pattern]

    def unused(self) -> Iterator[str]:
        """Yield a warning for each pattern that protected nothing, unless there was nothing to be seen at all."""
        for pattern in self._unused if self._read else ():
            yield f"the {self._kind} pattern {pattern} matches no tag of the touched repositories"


def _tags(entry: RepositoryFacts) -> Iterator[str]:
    yield from entry.dangling
    if isinstance(entry.tags, Seen):
        yield from entry.tags.tags
        yield from entry.tags.ignored
