"""Things by the place on which they are: a repository, or a registry host."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from bulkrm.model.reference import Repository


class Placed(Protocol):
    """A thing that is in a repository."""

    @property
    def repository(self) -> Repository:
        """Where it is."""
        ...


Key = TypeVar("Key")
Thing = TypeVar("Thing")
# A repository itself, what has one, or a pair that begins with one, such as a repository and a tag.
PlacedThing = TypeVar("PlacedThing", bound=Repository | Placed | tuple[Repository, object])


def grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """Group things by a key; keys and things keep their order."""
    groups: dict[Key, list[Thing]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return dict(groups)


def by_repository(things: Iterable[PlacedThing]) -> dict[Repository, list[PlacedThing]]:
    """Group things by their repository."""
    return grouped(things, _repository_of)


def by_host(things: Iterable[PlacedThing]) -> dict[str, list[PlacedThing]]:
    """Group things by their registry host."""
    return grouped(things, _host_of)


def _host_of(thing: Repository | Placed | tuple[Repository, object]) -> str:
    return _repository_of(thing).host


def _repository_of(thing: Repository | Placed | tuple[Repository, object]) -> Repository:
    if isinstance(thing, Repository):
        return thing
    return thing[0] if isinstance(thing, tuple) else thing.repository
