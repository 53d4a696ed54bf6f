"""A glob: a pattern of images, which is matched against the listings of registries; the result is targets."""

from collections.abc import Iterable
from dataclasses import replace

from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Source, Target
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.selection.selector import TagFilter


@valueclass
class Glob:
    """A pattern of images.

    If `repository` is a Repository, its tag listing is enough; a RepositoryPattern needs the catalog of the host first.
    `exclude`: tags that the glob does not choose.
    """

    repository: Repository | RepositoryPattern
    tags: TagFilter
    source: Source
    exclude: tuple[TagFilter, ...] = ()
    note: str | None = None

    @property
    def host(self) -> str:
        """The registry host, in normal form."""
        return self.repository.host

    @property
    def text(self) -> str:
        """The normal form: `host/team/app:pr-*`."""
        return f"{self.repository}:{self.tags.text}"

    def matches(self, tag: str) -> bool:
        """Tell whether the glob chooses a tag of its repositories."""
        return self.tags.matches(tag) and not any(pattern.matches(tag) for pattern in self.exclude)


def match_tags(glob: Glob, repository: Repository, tags: Iterable[str]) -> list[Target]:
    """Return the targets that the glob chooses among the tags of one repository, sorted by tag."""
    chosen = sorted({tag for tag in tags if glob.matches(tag)})
    return [Target(TagRef(repository, tag), glob.source, glob.note) for tag in chosen]


def match_repositories(pattern: RepositoryPattern, paths: Iterable[str]) -> list[Repository]:
    """Return the repositories that the pattern chooses among the paths of its host's catalog, sorted."""
    return [Repository(pattern.host, path) for path in sorted(set(paths)) if pattern.matches(path)]


def merge(targets: Iterable[Target]) -> list[Target]:
    """Return the targets without duplicates; of equal references the first one remains, with its source and note.

    Its `bound` has the entries of all of them; it is empty if that of any of them is.
    """
    first: dict[object, Target] = {}
    for target in targets:
        known = first.setdefault(target.reference, target)
        if known is not target and known.bound != target.bound:
            bound = tuple(dict.fromkeys((*known.bound, *target.bound))) if known.bound and target.bound else ()
            first[target.reference] = replace(known, bound=bound)
    return list(first.values())
