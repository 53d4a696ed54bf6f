"""A registry as the state machine sees it: something to push into, and to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bulkrm.sandbox import Image, Sandbox, put_image
from tests.support.registries import Registry


@dataclass(frozen=True)
class State:
    """What a repository holds: tags with their digests, and the manifests that are there by digest."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: frozenset[str] = frozenset()


class World(Protocol):
    """A registry."""

    host: str
    has_referrers: bool

    async def push(self, repository: str, image: Image, tags: Iterable[str]) -> None:
        """Push an image with all its parts, under the tags or by its digest."""
        ...

    async def look(self, repository: str, known: Iterable[str]) -> State:
        """Return what the repository holds of the known manifests."""
        ...


class SandboxWorld:
    """The embedded registry; its store is filled and read directly."""

    def __init__(self, sandbox: Sandbox, *, has_referrers: bool) -> None:
        self._store = sandbox.store
        self.host = sandbox.host
        self.has_referrers = has_referrers

    async def push(self, repository: str, image: Image, tags: Iterable[str]) -> None:
        put_image(self._store, repository, tags, image)

    async def look(self, repository: str, known: Iterable[str]) -> State:  # noqa: ARG002 (it knows all)
        tags = {tag: self._store.digest_of(repository, tag) or "" for tag in self._store.tags(repository) or ()}
        return State(tags, self._store.digests(repository))


class RealWorld:
    """A real registry, through a client that shares no code with bulkrm's."""

    has_referrers = False

    def __init__(self, registry: Registry) -> None:
        self._admin = registry.admin
        self.host = registry.host

    async def push(self, repository: str, image: Image, tags: Iterable[str]) -> None:
        await self._admin.push(repository, image, *tags)

    async def look(self, repository: str, known: Iterable[str]) -> State:
        tags = {}
        for tag in await self._admin.tags(repository) or ():
            digest = await self._admin.digest(repository, tag)
            if digest is not None:
                tags[tag] = digest
        there = [digest for digest in known if (await self._admin.get(repository, digest, method="HEAD")).status == 200]
        return State(tags, frozenset(there))
