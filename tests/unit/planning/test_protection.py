"""Which pattern protects a tag, and which never did."""

from dataclasses import replace

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.reference import Repository
from bulkrm.planning.facts import RepositoryFacts, TagFacts, TagsNotRead, TagsRead
from bulkrm.planning.guards.rules import TrackedPatterns
from bulkrm.selection.patterns.pattern import ProtectPattern

APP, WEB = Repository("one.example", "team/app"), Repository("one.example", "team/web")
SOME = Resolved(Digest.of(b"one"), OCI_MANIFEST, 3)


def protection(*patterns: str) -> TrackedPatterns:
    """Protection by these patterns."""
    return TrackedPatterns([ProtectPattern.parse(pattern) for pattern in patterns])


def facts(repository: Repository, *tags: str, seen: TagFacts | None = None) -> RepositoryFacts:
    """A repository with these tags."""
    return RepositoryFacts(repository, (), seen or TagsRead(dict.fromkeys(tags, SOME)))


def test_first_pattern_that_fits() -> None:
    """The first pattern that fits is the one that is reported; nothing fits an ordinary tag."""
    found = protection("web:*", "*:latest", "**:latest")

    assert [found.match(APP, "latest"), found.match(WEB, "latest"), found.match(APP, "1.0")] == [
        "*:latest",
        "web:*",
        None,
    ]


def test_unused() -> None:
    """Patterns that match no tag of the touched repositories are told, each once."""
    found = protection("*:latest", "web:*", "*:lastet", "*:lastet", "app:prod")

    found.mark_used([facts(APP, "latest", "1.0")])

    assert [line.split()[3] for line in found.unused_warnings()] == ["web:*", "*:lastet", "app:prod"]


def test_nothing_to_be_seen() -> None:
    """Where no tag was read at all it is not known whether a pattern is misspelt: no warning."""
    found = protection("*:latest")

    found.mark_used([facts(APP), facts(WEB, seen=TagsNotRead(7))])

    assert list(found.unused_warnings()) == []


def test_patterns_for_damaged_tags() -> None:
    """A pattern that lets damaged tags hold nothing back is told in its own words; damaged tags and readable ones count."""
    found = TrackedPatterns([ProtectPattern.parse(text) for text in ("*:bad", "*:1.0", "*:bda")], "--ignore-unreadable")

    found.mark_used([facts(APP, seen=TagsRead({"1.0": SOME}, ignored=("bad",)))])

    assert list(found.unused_warnings()) == [
        "the --ignore-unreadable pattern *:bda matches no tag of the touched repositories"
    ]


def test_a_tag_that_leads_nowhere() -> None:
    """A pattern that keeps a tag which leads nowhere is of use."""
    found = protection("*:bad")

    found.mark_used([replace(facts(APP, "1.0"), dangling=frozenset({"bad"}))])

    assert list(found.unused_warnings()) == []
