"""The patterns of `--protect` or `--ignore-unreadable`, with a warning for each that matches no tag."""

from collections.abc import Iterable, Iterator, Sequence

from bulkrm.model.reference import Repository
from bulkrm.planning.facts import RepositoryFacts, TagsRead
from bulkrm.selection.patterns.pattern import ProtectPattern


class TrackedPatterns:
    """Matches tags against patterns, and tracks which patterns matched a tag of the touched repositories."""

    def __init__(self, patterns: Sequence[ProtectPattern], kind: str = "protect") -> None:
        """`kind`: the name of the patterns in a warning."""
        self._kind = kind
        self._patterns = tuple(dict.fromkeys(patterns))
        self._unused = dict.fromkeys(self._patterns)
        self._read = False

    def match(self, repository: Repository, tag: str) -> str | None:
        """Return the text of the first pattern that matches the tag, None where none does."""
        return next((str(pattern) for pattern in self._patterns if pattern.protects(repository, tag)), None)

    def mark_used(self, facts: Iterable[RepositoryFacts]) -> None:
        """Mark the patterns as used that match any tag of these repositories; a tag that cannot be read counts too."""
        for entry in facts:
            self._read = self._read or bool(isinstance(entry.tags, TagsRead) and entry.tags.tags)
            here = [pattern for pattern in self._unused if pattern.holds_in(entry.repository)]
            for tag in _tags(entry) if here else ():
                for pattern in here:
                    if pattern in self._unused and pattern.protects(entry.repository, tag):
                        del self._unused[pattern]

    def unused_warnings(self) -> Iterator[str]:
        """Yield a warning for each pattern that matched no tag, unless no tags were read at all."""
        for pattern in self._unused if self._read else ():
            yield f"the {self._kind} pattern {pattern} matches no tag of the touched repositories"


def _tags(entry: RepositoryFacts) -> Iterator[str]:
    yield from entry.dangling
    if isinstance(entry.tags, TagsRead):
        yield from entry.tags.tags
        yield from entry.tags.ignored
