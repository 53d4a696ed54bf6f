"""Groups items, targets, tags and the like by their repository or registry host."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from bulkrm.model.reference import Repository


class InRepository(Protocol):
    """A thing that belongs to a repository, such as an item of a plan."""

    @property
    def repository(self) -> Repository:
        """The repository that it belongs to."""
        ...


Key = TypeVar("Key")
Thing = TypeVar("Thing")
# A repository itself, a thing that has one, or a pair that begins with one, such as a repository and a tag.
Member = TypeVar("Member", bound=Repository | InRepository | tuple[Repository, object])


def grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """Group things by a key; keys and things keep their order."""
    groups: dict[Key, list[Thing]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return dict(groups)


def by_repository(things: Iterable[Member]) -> dict[Repository, list[Member]]:
    """Group things by their repository; both keep their order."""
    return grouped(things, _repository_of)


def by_host(things: Iterable[Member]) -> dict[str, list[Member]]:
    """Group things by their registry host, in normal form; both keep their order."""
    return grouped(things, _host_of)


def _host_of(thing: Repository | InRepository | tuple[Repository, object]) -> str:
    return _repository_of(thing).host


def _repository_of(thing: Repository | InRepository | tuple[Repository, object]) -> Repository:
    if isinstance(thing, Repository):
        return thing
    return thing[0] if isinstance(thing, tuple) else thing.repository
