"""`kill -9` while many DELETEs are in flight, of the client and of the registry: no tag is left that no report names.

distribution unlinks a manifest first and its tags after it, and stops in between when its client goes or it is killed.
BULKRM_TEST_KILLS=100 makes it the full number of kills of the client; by default it is a tenth.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, oci_image
from bulkrm.state.known import known_runs
from tests.cli.command import Result, bulkrm, start
from tests.support.admin import Admin, many_images
from tests.support.executables import distribution_3_binary, real_registry_binary
from tests.support.giving_up import SECONDS
from tests.support.process import watched
from tests.support.proxy import Harm, proxied
from tests.support.real import RealRegistry, RealSettings

KILLS = int(os.environ.get("BULKRM_TEST_KILLS", "10"))
SEED = os.environ.get("BULKRM_TEST_SEED", "1")
IMAGES, TAGS = 300, 3
SETTINGS = RealSettings(auth=Auth.NONE)

pytestmark = pytest.mark.slow


async def fill(admin: Admin, repository: str, images: int, tags: int) -> set[str]:
    """Push images with so many tags each, and one to keep; return the tags that are to go."""
    each = many_images(f"pr-{number}" for number in range(images))
    await admin.push_many(repository, each)
    for more in range(1, tags):
        await admin.push_many(repository, {f"{tag}-{more}": image for tag, image in each.items()})
    await admin.push(repository, oci_image(9999, config_seed=0), "latest")
    return await admin.tags(repository) - {"latest"}


async def until(happened: Callable[[], bool], process: asyncio.subprocess.Process) -> bool:
    """Wait until something happened, or a process is over; tell whether it happened."""
    async with asyncio.timeout(SECONDS):
        return await watched(process, happened)


def named(result: Result) -> set[str]:
    """The tags that a report says are there still."""
    return {image["image"].rpartition(":")[2] for image in result.images if image["status"] != "deleted"}


async def test_the_client_is_killed(tmp_path: Path) -> None:
    """With 32 DELETEs in flight on 3.1.1, whenever it is killed, `resume` leaves no tag that its report does not name."""
    chance = random.Random(SEED)  # noqa: S311 (moments, no secrets)
    left_by_kill: list[int] = []
    async with (
        RealRegistry(tmp_path / "registry", SETTINGS, binary=distribution_3_binary()) as registry,
        Admin(registry.url) as admin,
        proxied(registry.host, Harm.DROP, "", 1) as proxy,
    ):
        for number in range(KILLS):
            repository = f"team{number}/app"
            wanted = await fill(admin, repository, IMAGES, TAGS)
            assert len(wanted) == IMAGES * TAGS
            env = {"BULKRM_STATE_DIR": str(tmp_path / f"state-{number}")}
            arguments = [
                f"{proxy.host}/{repository}:pr-*",
                "-y",
                "-q",
                "-o",
                "json",
                "-c",
                "32",
                "--strategy",
                "digest",
            ]
            enough = chance.randint(2, 60)
            process = await start(*arguments, env=env)
            proxy.harm_once("DELETE", f"{repository}/manifests/sha256:(?!0{{64}})", enough, process.kill)
            async with asyncio.timeout(SECONDS):
                await process.communicate()
            assert process.returncode == -signal.SIGKILL
            dangling = [tag for tag in await admin.tags(repository) & wanted if not await admin.digest(repository, tag)]
            left_by_kill.append(len(dangling))

            result = await bulkrm("resume", "-y", "-q", "-o", "json", "-c", "32", env=env)

            assert len(result.images) == len(wanted), result
            left = await admin.tags(repository) - {"latest"}
            assert left <= named(result), (number, enough)
            assert (result.code, left) == (0, set()), (number, enough, result.err)
            assert {image["status"] for image in result.images} == {"deleted"}, (number, enough)
    print(f"{KILLS} kills; tags that dangled after each: {left_by_kill}")  # noqa: T201 (the figure)


@asynccontextmanager
async def killed_while_unlinking(
    registry: RealRegistry, repository: str, *arguments: str
) -> AsyncIterator[asyncio.Task[Result]]:
    """Run bulkrm, and kill the registry as soon as tags begin to go."""
    folder = registry.data / "docker/registry/v2/repositories" / repository / "_manifests/tags"
    before = sum(1 for _ in folder.iterdir())
    process = await start(*arguments, env={"BULKRM_STATE_DIR": str(registry.data.parent / "state")})

    async def result() -> Result:
        out, err = await process.communicate()
        assert process.returncode is not None
        return Result(process.returncode, out.decode(), err.decode())

    running = asyncio.create_task(result())
    assert await until(lambda: sum(1 for _ in folder.iterdir()) < before, process)
    registry.kill()
    yield running


@pytest.mark.parametrize("back", ["at once", "too late"])
@pytest.mark.parametrize("strategy", ["digest", "decoy"])
@pytest.mark.parametrize("version", ["2.8.2", "3.1.1"])
async def test_the_registry_is_killed(version: str, strategy: str, back: str, tmp_path: Path) -> None:
    """While it unlinks tags: the run, or its `resume`, removes what is left over, and never says more than is so."""
    binary = distribution_3_binary() if version == "3.1.1" else real_registry_binary()
    repository, number = "team/app", 200
    async with RealRegistry(tmp_path / "registry", SETTINGS, binary=binary) as registry, Admin(registry.url) as admin:
        images, tags = (1, number) if strategy == "digest" else (number, 1)
        wanted = await fill(admin, repository, images, tags)
        asked = [f"{registry.host}/{repository}:pr-*", "-y", "-q", "-o", "json", "--allow-decoy"]
        asked += ["--strategy", "digest" if strategy == "digest" else "tags-first"]
        async with killed_while_unlinking(registry, repository, *asked) as running:
            if back == "at once":
                await registry.restart()
            first = await running
        if back == "too late":
            await registry.restart()
        left = await admin.tags(repository) & wanted
        assert left <= named(first), "it said more than is so"
        env = {"BULKRM_STATE_DIR": str(registry.data.parent / "state")}
        (run,) = known_runs(registry.data.parent / "state")
        assert run.is_finished == (first.code == 0)
        second = first if run.is_finished else await bulkrm("resume", "-y", "-q", "-o", "json", env=env)

        assert second.code == 0, second
        assert {image["status"] for image in second.images} == {"deleted"}
        assert await admin.tags(repository) == {"latest"}
        assert await admin.pulls(repository, "latest")
