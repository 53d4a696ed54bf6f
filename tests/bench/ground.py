"""The ground that all contenders run on: one real registry with signed tokens, and a fresh set of images for each run."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bulkrm.sandbox import TokenSettings
from tests.support.admin import Admin, many_images
from tests.support.real import RealRegistry, RealSettings

# Tokens outlive every run: what renewing them costs is not measured here.
_LIFETIME = 24 * 3600


@dataclass(frozen=True, slots=True)
class Size:
    """So many repositories with so many tags each, every tag on a manifest of its own."""

    repositories: int
    tags: int

    @property
    def images(self) -> int:
        return self.repositories * self.tags

    def __str__(self) -> str:
        return f"{self.repositories}x{self.tags}"


@dataclass(frozen=True, slots=True)
class Plot:
    """Images that no other run touches: the tags of each repository."""

    url: str
    realm: str
    tags: Mapping[str, tuple[str, ...]]

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]

    @property
    def images(self) -> list[tuple[str, str]]:
        """Repository and tag of each image, repository by repository."""
        return [(repository, tag) for repository, tags in self.tags.items() for tag in tags]

    def sample(self, number: int) -> Self:
        """Return the first tags of every repository, so many in all as fit."""
        each = max(1, number // len(self.tags))
        chosen = {repository: tags[:each] for repository, tags in list(self.tags.items())[:number]}
        return type(self)(self.url, self.realm, chosen)


class Ground:
    """A running registry that was filled once. A plot is a copy of those files: what a push would leave, without one.

    distribution keeps nothing about a repository outside its folder, and no name of it inside.
    """

    def __init__(self, registry: RealRegistry, admin: Admin, folder: Path) -> None:
        self.admin = admin
        self._registry = registry
        self._repositories = folder / "data/docker/registry/v2/repositories"
        self._filled: Size | None = None
        self._plots = 0

    async def fill(self, size: Size) -> None:
        """Push all images, each with a digest of its own."""
        for number in range(size.repositories):
            images = many_images(_tags(size.tags), start=number * size.tags)
            await self.admin.push_many(f"template/{_repository(number)}", images)
        self._filled = size

    @asynccontextmanager
    async def plot(self, size: Size | None = None) -> AsyncIterator[Plot]:
        """Lay out a fresh set of images, and clear it away; at most of the size that was filled."""
        assert self._filled is not None
        wanted = size or self._filled
        self._plots += 1
        name = f"plot-{self._plots}"
        tags = {f"{name}/{_repository(number)}": _tags(wanted.tags) for number in range(wanted.repositories)}
        await asyncio.to_thread(self._copy, name, wanted)
        try:
            yield Plot(self._registry.url, self._registry.realm, tags)
        finally:
            await asyncio.to_thread(shutil.rmtree, self._repositories / name)

    def _copy(self, name: str, size: Size) -> None:
        for number in range(size.repositories):
            source = self._repositories / "template" / _repository(number)
            target = self._repositories / name / _repository(number)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("tags"))
            for tag in _tags(size.tags):
                shutil.copytree(source / "_manifests/tags" / tag, target / "_manifests/tags" / tag)

    async def tokens(self, plot: Plot) -> dict[str, str]:
        """Fetch a token for each repository, as bulkrm would."""
        return {
            repository: await self.admin.token(plot.realm, f"repository:{repository}:pull,delete")
            for repository in plot.tags
        }

    async def left(self, plot: Plot) -> list[tuple[str, str]]:
        """Return the images of a plot that are still there."""
        there = {repository: await self.admin.tags(repository) for repository in plot.tags}
        return [(repository, tag) for repository, tag in plot.images if tag in there[repository]]


@asynccontextmanager
async def open_ground(folder: Path, size: Size, binary: str | None = None) -> AsyncIterator[Ground]:
    """Start a registry with its files in an empty folder, and fill it. `binary`: another one than 2.8.2."""
    settings, tokens = RealSettings(realm_host="localhost"), TokenSettings(lifetime=_LIFETIME)
    registry = RealRegistry(folder, settings, token_settings=tokens, binary=binary)
    async with registry, Admin(registry.url) as admin:
        ground = Ground(registry, admin, folder)
        await ground.fill(size)
        yield ground


def _repository(number: int) -> str:
    return f"app-{number:03}"


def _tags(number: int) -> tuple[str, ...]:
    return tuple(f"1.0.{patch}" for patch in range(number))
