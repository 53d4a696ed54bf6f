"""A deletion on a real registry is taken back: byte for byte before garbage collection, and truly reported after it.

BULKRM_TEST_UNDO=1000 makes it the full one; the slow tests do a tenth of it, and every run of the tests a twenty-fifth.
"""

from pathlib import Path

import pytest

from bulkrm.sandbox import Image, artifact, docker_image, fallback_index, fallback_tag, index_of, oci_image, oci_index
from tests.cli.command import Result, bulkrm
from tests.support.admin import Admin
from tests.support.amounts import amounts
from tests.support.real import RealRegistry
from tests.support.skopeo import copy

REPOSITORIES = ("team/app", "team/web")
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}
Content = dict[tuple[str, str], tuple[str, bytes]]


def images(number: int) -> dict[str, tuple[Image, tuple[str, ...]]]:
    """So many images, of every kind: with one tag and with three, indexes, nested ones, some with what is attached."""
    found: dict[str, tuple[Image, tuple[str, ...]]] = {}
    for seed in range(number):
        kind = seed % 5
        if kind == 0:
            image = docker_image(20_000 + seed)
        elif kind == 1:
            image = oci_index(seed)
        elif kind == 2:
            image = index_of([oci_index(seed), oci_image(10_000 + seed)])
        else:
            # It shares its blobs with an image that stays.
            image = oci_image(seed, config_seed=0)
        tags = (f"pr-{seed}", f"pr-{seed}-slim", f"pr-{seed}-again") if seed % 3 == 0 else (f"pr-{seed}",)
        found[f"pr-{seed}"] = image, tags
    return found


def sample(number: int) -> list[int]:
    """Which of so many images are copied; skopeo copies no index in an index, so none of those."""
    return [seed for seed in range(0, number, max(1, number // 10)) if seed % 5 != 2]


async def fill(admin: Admin, repository: str, number: int) -> set[str]:
    """Push so many images and one that stays; return all digests."""
    digests = set()
    await admin.push(repository, oci_image(90_000, config_seed=0), "latest")
    for seed, (image, tags) in enumerate(images(number).values()):
        digests.add(await admin.push(repository, image, *tags))
        digests |= {child.digest for child in image.children}
        if seed % 4 == 0:
            attached = artifact(seed, image)
            digests.add(await admin.push(repository, attached))
            digests.add(await admin.push(repository, fallback_index([attached]), fallback_tag(image)))
    return digests


async def content(admin: Admin, digests: dict[str, set[str]]) -> Content:
    """Read every tag and every one of these digests: media type and bytes."""
    found: Content = {}
    for repository in REPOSITORIES:
        for reference in (await admin.tags(repository)) | digests[repository]:
            reply = await admin.get(repository, reference)
            if reply.status == 200:
                found[repository, reference] = reply.headers["Content-Type"], reply.body
    return found


async def delete(registry: RealRegistry, env: dict[str, str]) -> Result:
    wanted = [f"{registry.host}/{repository}:pr-*" for repository in REPOSITORIES]
    return await bulkrm(*wanted, "-r", "-y", "-q", "-o", "json", env=env)


@pytest.mark.parametrize("number", amounts("BULKRM_TEST_UNDO", 40, 100))
async def test_it_comes_back(number: int, tmp_path: Path) -> None:
    """Tags, indexes, children and referrers are what they were, for bulkrm and for skopeo; then the garbage is gone."""
    env = {**LOGIN, "BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        digests = {repository: await fill(admin, repository, number // 2) for repository in REPOSITORIES}
        before = await content(admin, digests)
        kept = {key: entry for key, entry in before.items() if key[1] == "latest"}

        assert (await delete(registry, env)).code == 0
        assert await content(admin, digests) == kept
        undone = await bulkrm("undo", "-y", "-q", "-o", "json", env=env)

        assert undone.code == 0
        assert {image["status"] for image in undone.images} == {"restored"}
        assert await content(admin, digests) == before
        for repository in REPOSITORIES:
            for seed in sample(number // 2):
                await copy(f"{registry.host}/{repository}:pr-{seed}", tmp_path / f"{repository[5:]}-{seed}")

        # Once more, and this time the registry collects before anybody changes their mind.
        assert (await delete(registry, env)).code == 0
        await registry.collect_garbage()
        late = await bulkrm("undo", "-y", "-q", "-o", "json", env=env)

        after = await content(admin, digests)
        assert late.code == 1
        words = {image["image"].partition("/")[2]: image for image in late.images}
        assert {str(image["error"]["code"]) for image in late.images if image["error"]} == {"blobs-missing"}
        for name, image in words.items():
            repository, _, tag = name.partition("@" if "@" in name else ":")
            if image["status"] == "restored":
                assert after[repository, tag] == before[repository, tag]
            else:
                assert image["status"] == "failed"
                assert (repository, tag) not in after
                assert "sha256:" in image["error"]["message"]
        # What shares its blobs with an image that stayed still comes back, the others cannot.
        for repository in REPOSITORIES:
            assert [words[f"{repository}:pr-{seed}"]["status"] for seed in (0, 1, 2, 3, 4)] == [
                "failed",
                "failed",
                "failed",
                "restored",
                "restored",
            ]
