"""Conditions on a real registry, and another program that works out the same from what `skopeo inspect` says.

The number of tags is BULKRM_TEST_CONDITIONS: 200, or 2000 where there is time.
"""

import asyncio
import json
import random
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, built_image
from tests.cli.command import bulkrm
from tests.support.admin import Admin
from tests.support.amounts import amounts
from tests.support.real import RealRegistry, RealSettings

BRANCHES = 8
APP = "team/app"
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}


async def fill(admin: Admin, now: datetime, number_of_tags: int) -> dict[str, str]:
    """Push images of all ages: tags `b3-17`, and of some a second one, `rel-...`; return the digest of each tag."""
    chance = random.Random(16)  # noqa: S311 (ages of test images)
    digests: dict[str, str] = {}
    for number in range(number_of_tags):
        tag = f"b{number % BRANCHES}-{number // BRANCHES}"
        age = timedelta(minutes=chance.randrange(90 * 24 * 60))
        created = chance.choice([f"{now - age:%Y-%m-%dT%H:%M:%SZ}"] * 30 + ["1970-01-01T00:00:00Z"])
        image = built_image({"os": "linux", "architecture": "amd64", "created": created, "config": {}}, {"tag": tag})
        more = [f"rel-{number}"] if number % 23 == 0 else []
        digest = await admin.push(APP, image, tag, *more)
        digests.update(dict.fromkeys([tag, *more], digest))
    return digests


def pods(host: str, digests: dict[str, str]) -> dict[str, Any]:
    """The output of `kubectl get pods -A -o json`: half name tags, half only what the node resolved."""
    chance = random.Random(17)  # noqa: S311 (as above)
    items = []
    for number, tag in enumerate(chance.sample(sorted(digests), len(digests) // 4)):
        image = f"{host}/{APP}:{tag}" if number % 2 else "registry.k8s.io/pause:3.9"
        resolved = f"{host}/{APP}@{digests[tag]}"
        container = {"name": "main", "image": image}
        status = {"name": "main", "image": image, "imageID": resolved if number % 3 or not number % 2 else ""}
        items.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"pod-{number}", "namespace": "shop"},
                "spec": {"containers": [container]},
                "status": {"phase": "Running", "containerStatuses": [status]},
            }
        )
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


async def inspect(host: str, tag: str, limit: asyncio.Semaphore) -> dict[str, Any]:
    """What skopeo says of a tag."""
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("no skopeo: apt-get install skopeo")
    async with limit:
        process = await asyncio.create_subprocess_exec(
            found, "inspect", "--no-tags", "--tls-verify=false", "--creds=admin:admin", f"docker://{host}/{APP}:{tag}",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
    assert process.returncode == 0
    found_fields: dict[str, Any] = json.loads(output)
    return found_fields


def other_program(seen: dict[str, dict[str, Any]], used: dict[str, Any], now: datetime) -> set[str]:
    """Return the tags that go: of each branch all but the five newest, older than 30 days, not in use, with no other tag."""
    text = json.dumps(used)
    holders: dict[str, list[str]] = {}
    for tag, fields in seen.items():
        holders.setdefault(fields["Digest"], []).append(tag)
    in_use = {
        digest
        for digest, tags in holders.items()
        if f"@{digest}" in text or any(f'/{APP}:{tag}"' in text for tag in tags)
    }
    gone = set()
    for branch in {tag.partition("-")[0] for tag in seen if re.fullmatch(r"b\d+-\d+", tag)}:
        members = [tag for tag in seen if tag.startswith(f"{branch}-")]
        dated = [tag for tag in members if seen[tag]["Created"] > "1981"]
        newest = sorted(dated, key=lambda tag: str(seen[tag]["Created"]), reverse=True)[:5]
        last = min((seen[tag]["Created"] for tag in newest), default="")
        for tag in dated:
            created = datetime.fromisoformat(seen[tag]["Created"])
            alone = holders[seen[tag]["Digest"]] == [tag]
            old = now - created > timedelta(days=30)
            if seen[tag]["Created"] < last and old and alone and seen[tag]["Digest"] not in in_use:
                gone.add(tag)
    return gone


@pytest.mark.parametrize("number_of_tags", amounts("BULKRM_TEST_CONDITIONS", 130, 200))
async def test_ages_the_newest_and_what_is_in_use(number_of_tags: int, tmp_path: Path) -> None:
    """What goes of a real registry is what another program works out from `skopeo inspect`, tag for tag."""
    now = datetime.now(UTC)
    settings = RealSettings(auth=Auth.BASIC)
    async with RealRegistry(tmp_path / "registry", settings) as registry, Admin(registry.url) as admin:
        digests = await fill(admin, now, number_of_tags)
        used = pods(registry.host, digests)
        (tmp_path / "pods.json").write_text(json.dumps(used))
        path = tmp_path / "list.yaml"
        path.write_text(
            f"registry: {registry.host}\nin-use: [pods.json]\nimages:\n- image: {APP}\n  match: 'b\\d+-\\d+'\n"
            "  older-than: 30d\n  keep-newest: 5\n  group-by: '(b\\d+)-.*'\n"
        )
        limit = asyncio.Semaphore(4)
        async with asyncio.TaskGroup() as group:
            tasks = {tag: group.create_task(inspect(registry.host, tag, limit)) for tag in digests}
        seen = {tag: task.result() for tag, task in tasks.items()}
        expected = other_program(seen, used, now)

        result = await bulkrm("-y", "--plain-http", "-f", str(path), "-o", "json", env=LOGIN)

        images = {image["image"].rpartition(":")[2]: image for image in result.images}
        assert result.code == 3  # some have a second tag
        assert {tag for tag, image in images.items() if image["status"] == "deleted"} == expected
        assert await admin.tags(APP) == set(digests) - expected
        assert len(expected) > number_of_tags // 10
        reasons = {image["reason"] for image in images.values()}
        assert reasons == {None, "in-use", "newest", "no-date", "shared", "too-young"}
