"""Cut short, taken back in part, gone on with and taken back: on every server, and looked at by another client."""

import asyncio
import signal
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.cli.command import Result, bulkrm, start
from tests.support.admin import Admin, many_images
from tests.support.giving_up import SECONDS
from tests.support.proxy import Proxy, proxied
from tests.support.registries import Registry

APP = "team/app"
IMAGES, FIRST, SOME = 24, 5, 2
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}


async def present(admin: Admin, digests: Mapping[str, str]) -> set[str]:
    """The tags whose manifests are there, by their digests."""
    found = {tag: (await admin.get(APP, digest, method="HEAD")).status for tag, digest in digests.items()}
    assert set(found.values()) <= {200, 404}
    return {tag for tag, status in found.items() if status == 200}


async def pulled(admin: Admin, digests: Mapping[str, str], tags: Iterable[str]) -> bool:
    """Tell whether all of these tags lead to their manifests."""
    found = {tag: await admin.digest(APP, tag) for tag in tags}
    return found == {tag: digests[tag] for tag in found}


async def interrupted(proxy: Proxy, env: dict[str, str], *options: str) -> None:
    """Delete all, and press Ctrl-C after the first few outcomes: with the next DELETE, before the registry hears of it."""
    words = (f"{proxy.host}/{APP}:pr-*", "-y", "-c", "1", "-o", "jsonl", *options)
    process = await start(*words, env=env, skips_waits=True)
    proxy.harm_once("DELETE", "sha256:(?!0{64})", FIRST + 1, partial(process.send_signal, signal.SIGINT))
    async with asyncio.timeout(SECONDS):
        out, _ = await process.communicate()
    assert out.count(b'"deleted"') >= FIRST
    assert process.returncode == 130


def tags_with(result: Result, status: str) -> set[str]:
    return {name.rpartition(":")[2] for name, found in result.statuses.items() if found == status}


def through(registry: Registry) -> AbstractAsyncContextManager[Proxy]:
    """A way to the registry on which a moment can be chosen."""
    return proxied(registry.host, None, "", 1)


@pytest.mark.parametrize("strategy", ["digest", "tags-first"])
async def test_all_the_way(strategy: str, registry: Registry, tmp_path: Path) -> None:
    """What was put back stays, the rest goes, and at last everything is there again; each outcome is true."""
    env = {**LOGIN, "BULKRM_STATE_DIR": str(tmp_path / "state")}
    admin = registry.admin
    images = many_images(f"pr-{seed:02}" for seed in range(IMAGES))
    await admin.push_many(APP, images)
    digests = {tag: image.digest for tag, image in images.items()}

    async with through(registry) as proxy:
        host = proxy.host
        await interrupted(proxy, env, "--strategy", strategy)
        gone = set(digests) - await present(admin, digests)
        wanted = sorted(gone)[:SOME]
        undone = await bulkrm("undo", "-y", *(f"{host}/{APP}:{tag}" for tag in wanted), "-o", "json", env=env)
        assert undone.code == 0
        assert await present(admin, digests) == (set(digests) - gone) | set(wanted)

        resumed = await bulkrm("resume", "-y", "-o", "json", env=env)
        assert {image["image"].rpartition(":")[2] for image in resumed.images if image["reason"] == "undone"} == set(
            wanted
        )
        assert tags_with(resumed, "deleted") == set(digests) - set(wanted)
        assert await present(admin, digests) == set(wanted)
        assert await pulled(admin, digests, wanted)

        back = await bulkrm("undo", "-y", "-o", "json", env=env)
        none = await bulkrm("resume", "-y", env=env)
        assert back.code == 0
        assert await present(admin, digests) == set(digests)
        assert await pulled(admin, digests, digests)
        assert none.code == 2


async def test_wholly(registry: Registry, tmp_path: Path) -> None:
    """A run that was undone is over: nothing of it is deleted by a resume."""
    env = {**LOGIN, "BULKRM_STATE_DIR": str(tmp_path / "state")}
    admin = registry.admin
    images = many_images(f"pr-{seed:02}" for seed in range(IMAGES))
    await admin.push_many(APP, images)
    digests = {tag: image.digest for tag, image in images.items()}

    async with through(registry) as proxy:
        await interrupted(proxy, env)
        undone = await bulkrm("undo", "-y", "-o", "json", env=env)
        resumed = await bulkrm("resume", "-y", env=env)

        assert (undone.code, resumed.code) == (0, 2)
        assert await present(admin, digests) == set(digests)
        assert await pulled(admin, digests, digests)
