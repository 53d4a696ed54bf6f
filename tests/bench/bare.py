"""The bare loop: the requests of a run and nothing else, with tokens that are ready. It is what the client could reach.

    python -m tests.bench.bare WORK.json

No plan, no retries, no checks of what comes back but its status. Three phases, as bulkrm has them: read each manifest,
list the tags of each repository, delete each digest with the repositories in turn.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from tests.support.admin import ALL_TYPES

T = TypeVar("T")


async def delete_all(work: dict[str, Any]) -> int:
    """Delete; return how many manifests the registry said to have deleted."""
    base, parallel = work["url"], work["concurrency"]
    tags: dict[str, list[str]] = work["tags"]
    found: dict[str, list[str]] = {repository: [] for repository in tags}
    bearer = {repository: f"Bearer {token}" for repository, token in work["tokens"].items()}
    deleted = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=parallel)) as session:

        async def read(image: tuple[str, str]) -> None:
            repository, tag = image
            headers = {"Authorization": bearer[repository], "Accept": ALL_TYPES}
            url = f"{base}/v2/{repository}/manifests/{tag}"
            async with session.get(url, headers=headers) as answer:
                await answer.read()
                assert answer.status == 200, answer.status
                found[repository].append(answer.headers["Docker-Content-Digest"])

        async def list_tags(repository: str) -> None:
            headers = {"Authorization": bearer[repository]}
            async with session.get(f"{base}/v2/{repository}/tags/list?n=1000", headers=headers) as answer:
                await answer.read()
                assert answer.status == 200, answer.status

        async def delete(image: tuple[str, str]) -> None:
            nonlocal deleted
            repository, digest = image
            headers = {"Authorization": bearer[repository]}
            async with session.delete(f"{base}/v2/{repository}/manifests/{digest}", headers=headers) as answer:
                await answer.read()
                assert answer.status == 202, answer.status
                deleted += 1

        await _work_through([(name, tag) for name, all_tags in tags.items() for tag in all_tags], read, parallel)
        await _work_through(tags, list_tags, parallel)
        await _work_through(list(_in_turn(found)), delete, parallel)
    return deleted


def _in_turn(found: dict[str, list[str]]) -> Iterable[tuple[str, str]]:
    rounds = zip_longest(*([(repository, digest) for digest in digests] for repository, digests in found.items()))
    return (image for image in chain.from_iterable(rounds) if image is not None)


async def _work_through(jobs: Iterable[T], work: Callable[[T], Awaitable[None]], parallel: int) -> None:
    queue = iter(jobs)

    async def worker() -> None:
        for job in queue:
            await work(job)

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(worker())


if __name__ == "__main__":
    print(asyncio.run(delete_all(json.loads(Path(sys.argv[1]).read_bytes()))))  # noqa: T201 (the one line of result)
