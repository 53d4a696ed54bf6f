"""From listings to targets."""

from bulkrm.model.reference import Repository, TagRef
from bulkrm.model.target import Source, Target
from bulkrm.selection.patterns.glob import Glob, match_repositories, match_tags, merge
from bulkrm.selection.patterns.pattern import ExcludePattern, RepositoryPattern, TagPattern

SOURCE = Source("images.yaml", 2)
REPOSITORY = Repository("a.b", "team/app")


def test_matching_tags() -> None:
    """Matches are sorted, each once, without what is excluded, and carry source and note."""
    glob = Glob(REPOSITORY, TagPattern("pr-*"), SOURCE, (ExcludePattern("*-keep"), ExcludePattern("pr-3")), "old")
    chosen = match_tags(glob, REPOSITORY, ["pr-2", "pr-10", "pr-1-keep", "pr-3", "latest", "pr-2"])

    assert chosen == [
        Target(TagRef(REPOSITORY, "pr-10"), SOURCE, "old"),
        Target(TagRef(REPOSITORY, "pr-2"), SOURCE, "old"),
    ]


def test_matching_repositories() -> None:
    """Repositories are sorted, each once, on the pattern's host."""
    chosen = match_repositories(RepositoryPattern("a.b", "team/*"), ["team/b", "x", "team/a", "team/b", "team/a/c"])

    assert chosen == [Repository("a.b", "team/a"), Repository("a.b", "team/b")]


def test_merging() -> None:
    """Of one reference the first target stays, in its place."""
    one, two = TagRef(REPOSITORY, "1"), TagRef(REPOSITORY, "2")
    first, second = Target(one, Source("images.yaml", 1), "a"), Target(two, Source("images.yaml", 2))

    assert merge([first, second, Target(one, Source("images.yaml", 3), "b")]) == [first, second]
