"""A registry as the state machine sees it: something to push into, and to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bulkrm.remote.registries import open_registries
from bulkrm.sandbox import Call, Drop, DropAfter, Image, ServerRequest, put_image
from tests.support.fake_registry import FakeRegistry, Opened
from tests.support.registries import Registry

_REAL_DIGEST = "manifests/sha256:(?!0{64})"  # not a probe's
_NOBODY = "sha256:" + "dead" * 16  # of no manifest


@dataclass(frozen=True)
class State:
    """What a repository holds: tags with their digests, and the manifests that are there by digest."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: frozenset[str] = frozenset()


class World(Protocol):
    """A registry."""

    host: str
    has_referrers: bool
    opened: Opened  # how a run reaches it

    async def push(self, repository: str, image: Image, tags: Iterable[str]) -> None:
        """Push an image with all its parts, under the tags or by its digest."""
        ...

    async def look(self, repository: str, known: Iterable[str]) -> State:
        """Return what the repository holds of the known manifests."""
        ...


class MemoryWorld:
    """A registry in memory; its store is filled and read directly."""

    def __init__(self, registry: FakeRegistry, *, has_referrers: bool) -> None:
        self._store = registry.store
        self._faults = registry.faults
        self.host = registry.host
        self.has_referrers = has_referrers
        self.opened: Opened = registry.opened

    async def push(self, repository: str, image: Image, tags: Iterable[str]) -> None:
        put_image(self._store, repository, tags, image)

    def stop_half_way(self, tags: int) -> None:
        """Let the next DELETE of a manifest remove it with so many of its tags, and its connection end.

        distribution does so when it is killed, or when its client goes (registry/handlers/manifests.go, DeleteManifest:
        the manifest first, then one tag after the other).
        """

        async def half(asked: ServerRequest) -> None:
            repository, _, digest = asked.path.removeprefix("/v2/").rpartition("/manifests/")
            self._store.delete_manifest(repository, digest, only=tags)

        self._faults.add(Call(half), method="DELETE", path=_REAL_DIGEST)
        self._faults.add(Drop(), method="DELETE", path=_REAL_DIGEST)

    def lose_connections(self, every: int) -> None:
        """Let each so-manieth request end without an answer, half of those after they took effect."""
        self._faults.add(Drop(), every=2 * every, times=None)
        self._faults.add(DropAfter(), every=2 * every, skip=every, times=None)

    def recover(self) -> None:
        """Be a good registry again; what is damaged stays so."""
        self._faults.clear()

    def dangle(self, repository: str, tag: str) -> None:
        """Let a tag lead nowhere: it is listed, and answers 404."""
        self._store.tag(repository, tag, _NOBODY)

    async def look(self, repository: str, known: Iterable[str]) -> State:  # noqa: ARG002 (it knows all)
        tags = {tag: self._store.digest_of(repository, tag) or "" for tag in self._store.tags(repository) or ()}
        return State(tags, self._store.digests(repository))


class RealWorld:
    """A real registry, through a client that shares no code with bulkrm's."""

    has_referrers = False

    def __init__(self, registry: Registry) -> None:
        self.opened: Opened = open_registries
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
