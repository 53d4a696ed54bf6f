"""From listings to targets: what a glob chooses of what a registry lists."""

from collections.abc import Iterable

from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Target
from bulkrm.selection.entry import Glob
from bulkrm.selection.pattern import RepositoryPattern


def match_tags(glob: Glob, repository: Repository, tags: Iterable[str]) -> list[Target]:
    """Return the targets that the glob chooses among the tags of one repository, sorted by tag."""
    chosen = sorted({tag for tag in tags if glob.tags.matches(tag)})
    return [
        Target(TagRef(repository, tag), glob.source, glob.note)
        for tag in chosen
        if not any(pattern.matches(tag) for pattern in glob.exclude)
    ]


def match_repositories(pattern: RepositoryPattern, paths: Iterable[str]) -> list[Repository]:
    """Return the repositories that the pattern chooses among the paths of its host's catalog, sorted."""
    return [Repository(pattern.host, path) for path in sorted(set(paths)) if pattern.matches(path)]


def merge(targets: Iterable[Target]) -> list[Target]:
    """Drop targets whose reference came before: the first one stays, with its source and its place."""
    first: dict[object, Target] = {}
    for target in targets:
        first.setdefault(target.reference, target)
    return list(first.values())
