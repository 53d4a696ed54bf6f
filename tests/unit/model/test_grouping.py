"""Things by the place on which they are."""

from dataclasses import dataclass

from bulkrm.model.grouping import by_host, by_repository, grouped
from bulkrm.model.reference import Repository

ONE, OTHER, ELSEWHERE = Repository("a.example", "one"), Repository("a.example", "other"), Repository("b.example", "one")


@dataclass(frozen=True)
class Thing:
    """Something in a repository."""

    repository: Repository
    number: int = 0


def test_repositories() -> None:
    """A repository is its own place; places and things keep their order."""
    assert by_host([OTHER, ELSEWHERE, ONE]) == {"a.example": [OTHER, ONE], "b.example": [ELSEWHERE]}
    assert list(by_host([ELSEWHERE, ONE])) == ["b.example", "a.example"]


def test_things() -> None:
    """A thing is where its repository is."""
    first, second, third = Thing(ONE), Thing(ELSEWHERE), Thing(ONE, 1)

    assert by_repository([first, second, third]) == {ONE: [first, third], ELSEWHERE: [second]}
    assert by_host([first, second, third]) == {"a.example": [first, third], "b.example": [second]}


def test_pairs() -> None:
    """A pair that begins with a repository is there."""
    assert by_repository([(ONE, "a"), (OTHER, "a")]) == {ONE: [(ONE, "a")], OTHER: [(OTHER, "a")]}


def test_any_key() -> None:
    """A key that nothing has is not there."""
    assert grouped(["a", "bb", "c"], len) == {1: ["a", "c"], 2: ["bb"]}
