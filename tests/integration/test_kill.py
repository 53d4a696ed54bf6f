"""`kill -9` at random moments, then `resume`: everything comes to its end, once, and the report is complete and true.

BULKRM_TEST_KILLS=50 and BULKRM_TEST_KILL_IMAGES=2000 make it the full one, for each order of requests; the slow tests do
a tenth of it, and every run of the tests one kill.
"""

import asyncio
import json
import os
import random
from contextlib import suppress
from pathlib import Path

import pytest

from bulkrm.sandbox import docker_image, docker_list
from bulkrm.state.journal.file import read_journal
from bulkrm.state.known import known_runs
from tests.cli.command import Result, bulkrm, start
from tests.support.admin import Admin
from tests.support.amounts import amounts
from tests.support.real import RealRegistry

IMAGES = int(os.environ.get("BULKRM_TEST_KILL_IMAGES", "200"))
REPOSITORIES = 4
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}


async def fill(admin: Admin, name: str) -> tuple[set[str], set[str]]:
    """Push images to delete and a few to keep; return both as `repository:tag`."""
    each = IMAGES // REPOSITORIES
    wanted, kept = set(), set()
    for number in range(REPOSITORIES):
        repository = f"{name}/app-{number}"
        first = number * each
        await admin.push_many(
            repository, {f"pr-{seed}": docker_image(first + seed, config_seed=0) for seed in range(each - 1)}
        )
        await admin.push(repository, docker_list(first), f"pr-{each - 1}")
        await admin.push(repository, docker_image(first + each, config_seed=0), "latest", "stable")
        wanted |= {f"{repository}:pr-{seed}" for seed in range(each)}
        kept |= {f"{repository}:latest", f"{repository}:stable"}
    return wanted, kept


async def present(admin: Admin, name: str) -> set[str]:
    """What is there."""
    found = set()
    for number in range(REPOSITORIES):
        repository = f"{name}/app-{number}"
        found |= {f"{repository}:{tag}" for tag in await admin.tags(repository) or ()}
    return found


async def killed(arguments: list[str], env: dict[str, str], after: float) -> bool:
    """Start it and kill it after so many seconds; tell whether it was still running."""
    process = await start(*arguments, env=env)
    communicating = asyncio.create_task(process.communicate())
    done, _ = await asyncio.wait([communicating], timeout=after)
    if done:
        return False
    with suppress(ProcessLookupError):  # it has ended just now
        process.kill()
    await communicating
    return True


def twice_deleted(state: Path) -> set[str]:
    """Digests that were to be deleted again after a success was in the journal."""
    (run,) = known_runs(state)
    done: set[tuple[str, str]] = set()
    again = set()
    for event in read_journal(run.path / "journal.jsonl"):
        if event["event"] == "delete" and (event["repository"], event["digest"]) in done:
            again.add(event["digest"])
        if event["event"] == "outcome" and event["status"] == "deleted":
            done.add((event["image"].rpartition(":")[0], event["digest"]))
    return again


@pytest.mark.parametrize("strategy", ["digest", "tags-first"])
@pytest.mark.parametrize("kills", amounts("BULKRM_TEST_KILLS", 1, 5))
async def test_killed_at_random_moments(strategy: str, kills: int, tmp_path: Path) -> None:
    """Whenever it is killed, resume deletes what is left, asks for nothing twice, and reports every image as deleted."""
    chance = random.Random(os.environ.get("BULKRM_TEST_SEED", "1"))  # noqa: S311 (moments, no secrets)
    moments = []
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        for number in range(kills):
            name = f"team{number}"
            wanted, kept = await fill(admin, name)
            state = tmp_path / f"state-{number}"
            env = {**LOGIN, "BULKRM_STATE_DIR": str(state)}
            listed = tmp_path / "images.yaml"
            listed.write_text("".join(f"- {registry.host}/{name}/app-{index}:pr-*\n" for index in range(REPOSITORIES)))
            moment = chance.uniform(0.25, 0.7 + IMAGES / 300)
            arguments = ["-f", str(listed), "-y", "-q", "-o", "json", "--strategy", strategy, "--allow-decoy"]
            await killed(arguments, env, moment)
            result = await finish(arguments, env, state)

            moments.append(moment)
            assert result.code == 0, result
            assert {image["image"].partition("/")[2] for image in result.images} == wanted, moment
            assert {image["status"] for image in result.images} == {"deleted"}, moment
            assert await present(admin, name) == kept, moment
            assert twice_deleted(state) == set()
    assert len(moments) == kills


async def finish(arguments: list[str], env: dict[str, str], state: Path) -> Result:
    """Go on with the run, or begin it where it had not come as far as its folder; show one that was already over."""
    runs = known_runs(state)
    if not runs:
        return await bulkrm(*arguments, env=env)
    if runs[0].is_finished:
        events = [event for event in read_journal(runs[0].path / "journal.jsonl") if event["event"] == "outcome"]
        return Result(0, json.dumps({"images": events}), "")
    return await bulkrm("resume", "-y", "-q", "-o", "json", env=env)
