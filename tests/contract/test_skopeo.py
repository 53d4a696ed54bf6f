"""skopeo, a client that is not ours, works with the sandbox as with the real registry."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Image, docker_image, docker_list, oci_image, oci_index
from tests.support.layout import write_layout
from tests.support.registries import CRANE, Registry, servers

APP = "team/app"


async def skopeo(registry: Registry, command: str, *arguments: str) -> str:
    """Run skopeo with the admin's credentials against a registry that speaks plain HTTP; return its output."""
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("no skopeo: apt-get install skopeo")
    side = "dest-" if command == "copy" else ""
    options = (f"--{side}tls-verify=false", f"--{side}creds=admin:admin")
    process = await asyncio.create_subprocess_exec(
        found, "--insecure-policy", command, *options, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, problems = await process.communicate()
    assert process.returncode == 0, f"{registry.kind}: {problems.decode()}"
    return output.decode()


async def inspect(registry: Registry, reference: str) -> dict[str, Any]:
    """Return skopeo's view of an image."""
    return dict(json.loads(await skopeo(registry, "inspect", f"docker://{registry.host}/{reference}")))


@pytest.mark.parametrize("make", [oci_image, oci_index])
async def test_copy_from_a_layout(registry: Registry, tmp_path: Path, make: Callable[[int], Image]) -> None:
    """`skopeo copy --all` puts an image under its tag with the digest that it had, and it pulls."""
    image = make(1)
    source = write_layout(tmp_path / "layout", image)

    await skopeo(registry, "copy", "--all", source, f"docker://{registry.host}/{APP}:1.0")

    assert await registry.admin.digest(APP, "1.0") == image.digest
    assert await registry.admin.pulls(APP, "1.0")


@pytest.mark.parametrize("make", [docker_image, docker_list])
async def test_copy_between_repositories(registry: Registry, make: Callable[[int], Image]) -> None:
    """Docker's kinds copy from one repository to another and keep their digest."""
    image = make(1)
    await registry.admin.push(APP, image, "1.0")
    here, there = f"docker://{registry.host}/{APP}:1.0", f"docker://{registry.host}/other/app:copy"

    await skopeo(registry, "copy", "--all", "--src-tls-verify=false", "--src-creds=admin:admin", here, there)

    assert await registry.admin.digest("other/app", "copy") == image.digest
    assert await registry.admin.pulls("other/app", "copy")


@pytest.mark.parametrize("make", [docker_image, oci_image, docker_list, oci_index])
async def test_inspect(registry: Registry, make: Callable[[int], Image]) -> None:
    """`skopeo inspect` sees digest, labels and the other tags."""
    image = make(7)
    await registry.admin.push(APP, image, "a", "b")

    seen = await inspect(registry, f"{APP}:a")

    assert (seen["Digest"], seen["Labels"], sorted(seen["RepoTags"])) == (image.digest, {"seed": "7"}, ["a", "b"])


@servers(without={CRANE: "it deletes by digest alone, and keeps the tags"})
async def test_delete(registry: Registry) -> None:
    """`skopeo delete` deletes the digest behind a tag, and so the other tags on it."""
    await registry.admin.push(APP, docker_image(1), "a", "b")
    await registry.admin.push(APP, docker_image(2), "c")

    await skopeo(registry, "delete", f"docker://{registry.host}/{APP}:a")

    assert await registry.admin.tags(APP) == {"c"}


async def test_list_tags(registry: Registry) -> None:
    """`skopeo list-tags` reads the list."""
    await registry.admin.push(APP, docker_image(1), "a", "b")

    seen = json.loads(await skopeo(registry, "list-tags", f"docker://{registry.host}/{APP}"))

    assert sorted(seen["Tags"]) == ["a", "b"]
