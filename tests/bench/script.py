"""The six requests that `remove_image_from_registry` sent for one image, with a connection for each, as its curl had.

    python -m tests.bench.script WORK.json

GET of the manifest without a token, the token, GET with it, for its digest; and the same for DELETE. Eight images at a
time, which the script never did, so that no more than the requests is compared.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.admin import ALL_TYPES

_PARALLEL = 8


async def delete_all(work: dict[str, Any]) -> int:
    """Delete; return how many manifests the registry said to have deleted."""
    images = iter([(repository, tag) for repository, tags in work["tags"].items() for tag in tags])
    login = aiohttp.encode_basic_auth(work["user"], work["password"])
    deleted = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:

        async def ask(method: str, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
            async with session.request(method, url, headers=headers) as answer:
                await answer.read()
                return answer

        async def with_token(method: str, url: str) -> aiohttp.ClientResponse:
            refused = await ask(method, url, {"Accept": ALL_TYPES})
            found = dict(re.findall(r'(\w+)="([^"]*)"', refused.headers["WWW-Authenticate"]))
            query = f"{found['realm']}?service={found['service']}&scope={found['scope']}"
            async with session.get(query, headers={"Authorization": login}) as answer:
                token = (await answer.json())["token"]
            return await ask(method, url, {"Accept": ALL_TYPES, "Authorization": f"Bearer {token}"})

        async def worker() -> None:
            nonlocal deleted
            for repository, tag in images:
                base = f"{work['url']}/v2/{repository}/manifests"
                read = await with_token("GET", f"{base}/{tag}")
                gone = await with_token("DELETE", f"{base}/{read.headers['Docker-Content-Digest']}")
                assert gone.status == 202, gone.status
                deleted += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(_PARALLEL):
                group.create_task(worker())
    return deleted


if __name__ == "__main__":
    print(asyncio.run(delete_all(json.loads(Path(sys.argv[1]).read_bytes()))))  # noqa: T201 (the one line of result)
