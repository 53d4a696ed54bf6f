"""The main job on a real registry with signed tokens: 500 images of 20 repositories, and what is there afterwards."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from bulkrm.sandbox import Image, User, docker_image, docker_list, oci_image, oci_index
from tests.cli.command import bulkrm
from tests.support.admin import Admin, many_images
from tests.support.real import RealRegistry

PASSWORD = "of the cleaner"
LOGIN = {"REGISTRY_USERNAME": "cleaner", "REGISTRY_PASSWORD": PASSWORD}
CLOSED = "closed/app"
USERS = {
    "admin": User("admin"),
    "cleaner": User.allowed(PASSWORD, {CLOSED: ["pull", "push"], "*": ["pull", "delete"]}),
}


@dataclass
class Content:
    """What was pushed: the digest behind every tag, and manifests without a tag."""

    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    untagged: dict[str, set[str]] = field(default_factory=dict)

    def add(self, repository: str, tags: Iterable[str], digest: str) -> None:
        self.tags.setdefault(repository, {}).update(dict.fromkeys(tags, digest))

    def digests(self) -> set[tuple[str, str]]:
        """Repository and digest of every manifest that was pushed for itself."""
        found = {(repository, digest) for repository, tags in self.tags.items() for digest in tags.values()}
        return found | {(repository, digest) for repository, more in self.untagged.items() for digest in more}


class Push(Protocol):
    """Pushes an image under some tags and takes note of it."""

    async def __call__(self, repository: str, image: Image, /, *tags: str) -> str: ...


class PushMany(Protocol):
    """Pushes a different image under each tag and takes note of them."""

    async def __call__(self, repository: str, /, *tags: str, seed: int = 0) -> None: ...


async def fill_all(admin: Admin) -> tuple[Content, list[Any]]:
    """Fill the registry; return what is in it, and the list of what is to go."""
    content, wanted = Content(), list[Any]()

    async def push_many(repository: str, *tags: str, seed: int = 0) -> None:
        images = many_images(tags, seed)
        await admin.push_many(repository, images)
        for tag, image in images.items():
            content.add(repository, [tag], image.digest)

    async def push(repository: str, image: Image, *tags: str) -> str:
        digest = await admin.push(repository, image, *tags)
        content.add(repository, tags, digest)
        return digest

    for number in range(10):  # explicit tags, of which one is missing
        repository, tags = f"team/plain-{number}", [f"1.{minor}" for minor in range(24)]
        await push_many(repository, *tags, "stays-1", "stays-2", seed=100)
        wanted += [{"image": repository, "tags": [*tags[:12], "missing"], "note": "old releases"}]
        wanted += [f"{repository}:{tag}" for tag in tags[12:]]
    for number in range(5):  # globs, duplicates, exclusions
        repository = f"team/glob-{number}"
        await push_many(repository, *(f"pr-{pull}" for pull in range(25)), "pr-7-keep", "main", seed=200)
        wanted += [{"image": f"{repository}:pr-*", "exclude": ["*-keep"]}, f"{repository}:pr-3", f"{repository}:pr-3"]
    for number in range(2):  # digests
        repository, images = f"team/digest-{number}", many_images((str(index) for index in range(25)), 300)
        await push_many(repository, "stays", seed=400)
        await admin.push_many(repository, {image.digest: image for image in images.values()})
        content.untagged[repository] = {image.digest for image in images.values()}
        wanted += [f"{repository}@{image.digest}" for image in images.values()]
    await _mixed(push, push_many, wanted)
    await _kinds(push, wanted)
    await push_many(CLOSED, *(f"v{number}" for number in range(25)), "stays", seed=500)
    wanted.append(f"{CLOSED}:v*")
    return content, wanted


async def _mixed(push: Push, push_many: PushMany, wanted: list[Any]) -> None:
    """25 images: a shared digest, one with both its tags listed, a protected tag, a digest under a protected tag."""
    mixed = "team/mixed"
    await push(mixed, docker_image(1), "shared", "elsewhere")
    await push(mixed, oci_image(2), "both-1", "both-2")
    await push(mixed, oci_image(3), "release")
    await push(mixed, docker_image(4), "edge", "latest")
    await push_many(mixed, *(f"t{number}" for number in range(20)), seed=600)
    wanted += [f"{mixed}:{tag}" for tag in ("shared", "both-1", "both-2", "release", "edge")]
    wanted.append({"image": f"{mixed}:t*"})


async def _kinds(push: Push, wanted: list[Any]) -> None:
    """25 images of all kinds; an index and a list of the same kind stay, with all their children."""
    kinds = "team/kinds/of/all"
    makers: list[Callable[[int], Image]] = [docker_image, oci_image, docker_list, oci_index]
    for number in range(25):
        await push(kinds, makers[number % 4](700 + number), f"k{number}")
    for number, make in enumerate(makers):
        await push(kinds, make(800 + number), f"stays-{number}")
    wanted += [f"{kinds}:k{number}" for number in range(25)]


async def present(admin: Admin, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """What every (repository, tag or digest) leads to now, found out by another client than ours."""
    found: dict[tuple[str, str], str | None] = {}
    limit = asyncio.Semaphore(16)

    async def look(pair: tuple[str, str]) -> None:
        async with limit:
            found[pair] = await admin.digest(*pair)

    async with asyncio.TaskGroup() as tasks:
        for pair in pairs:
            tasks.create_task(look(pair))
    return found


async def skopeo(registry: RealRegistry, command: str, name: str) -> Any:
    """Look at the registry with a client that nobody here wrote."""
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("no skopeo: apt-get install skopeo")
    process = await asyncio.create_subprocess_exec(
        found, command, "--tls-verify=false", "--creds=admin:admin", f"docker://{registry.host}/{name}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    return json.loads(output) if process.returncode == 0 else None


def split(image: str, host: str) -> tuple[str, str]:
    """Cut an image of the report into repository and tag or digest."""
    name = image.removeprefix(f"{host}/")
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    repository, _, tag = name.rpartition(":")
    return repository, tag


async def test_five_hundred_images(tmp_path: Path) -> None:
    """A list of 500 images in 20 repositories is carried out, and the registry then holds what the report says."""
    async with RealRegistry(tmp_path / "registry", users=USERS) as registry, Admin(registry.url) as admin:
        content, wanted = await fill_all(admin)
        before = await present(admin, ((name, tag) for name, tags in content.tags.items() for tag in tags))
        assert before == {(name, tag): digest for name, tags in content.tags.items() for tag, digest in tags.items()}
        path = tmp_path / "images.yaml"
        document = {"registry": registry.host, "protect": ["*:latest", "team/**:release"], "images": wanted}
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        asked = len(registry.tokens.log)

        result = await bulkrm("--from-file", str(path), "-o", "json", env=LOGIN)

        images = {split(image["image"], registry.host): image for image in result.images}
        assert result.code == 1
        assert len(images) == len(result.images) == 500
        assert len({repository for repository, _ in images}) == 20
        assert result.report["summary"] == {
            "deleted": 462, "untagged": 0, "would_delete": 0, "would_untag": 0, "restored": 0, "would_restore": 0, "unchanged": 0, "absent": 10, "kept": 3, "failed": 25, "not_attempted": 0, "no_match": 0,
        }  # fmt: skip
        tokens = [request for request in registry.tokens.log[asked:] if request.account == "cleaner"]
        assert len(tokens) == len({request.scope for request in tokens}) == result.report["requests"]["token"] == 20

        await _check_every_image(admin, images, before)
        await _check_the_rest(admin, content, images)
        await _check_by_skopeo(registry, content, images)


async def _check_every_image(
    admin: Admin, images: dict[tuple[str, str], Any], before: dict[tuple[str, str], str | None]
) -> None:
    """What the report calls gone is gone, and what it calls kept or failed is as it was."""
    now = await present(admin, images)
    by_digest = await present(
        admin, ((name, image["digest"]) for (name, _), image in images.items() if image["digest"])
    )
    for (repository, reference), image in images.items():
        status = image["status"]
        if status in ("deleted", "absent"):
            assert now[repository, reference] is None, image
            assert image["digest"] is None or by_digest[repository, image["digest"]] is None, image
            assert image["digest"] == before.get((repository, reference), image["digest"]), image
        else:
            assert now[repository, reference] == before[repository, reference] == image["digest"], image
    reasons = {
        reference: image["reason"]
        for (name, reference), image in images.items()
        if name == "team/mixed" and image["reason"]
    }
    assert reasons == {"shared": "shared", "release": "protected", "edge": "protected"}
    closed = [image for (name, _), image in images.items() if name == CLOSED]
    assert {(image["status"], image["error"]["code"]) for image in closed} == {("failed", "not-permitted")}
    assert {name for (name, tag), image in images.items() if image["status"] == "absent"} == {
        f"team/plain-{number}" for number in range(10)
    }


async def _check_the_rest(admin: Admin, content: Content, images: dict[tuple[str, str], Any]) -> None:
    """Every tag that the list does not name resolves as before and can be pulled; nothing else is there."""
    staying = {pair for pair, image in images.items() if image["status"] in ("kept", "failed")}
    for repository, tags in content.tags.items():
        left = {
            tag: digest
            for tag, digest in tags.items()
            if (repository, tag) not in images or (repository, tag) in staying
        }
        assert await admin.tags(repository) == set(left)
        assert await present(admin, ((repository, tag) for tag in left)) == {
            (repository, tag): digest for tag, digest in left.items()
        }
        for tag in [tag for tag in left if (repository, tag) not in images]:
            assert await admin.pulls(repository, tag), f"{repository}:{tag}"


async def _check_by_skopeo(registry: RealRegistry, content: Content, images: dict[tuple[str, str], Any]) -> None:
    """skopeo sees the same of a sample."""
    listed = await skopeo(registry, "list-tags", "team/mixed")
    assert sorted(listed["Tags"]) == ["edge", "elsewhere", "latest", "release", "shared"]
    inspected = await skopeo(registry, "inspect", "team/kinds/of/all:stays-3")
    assert inspected["Digest"] == content.tags["team/kinds/of/all"]["stays-3"]
    for name in ("team/mixed:both-1", "team/kinds/of/all:k2", "team/plain-0:1.10"):
        assert await skopeo(registry, "inspect", name) is None
    assert images["team/plain-0", "1.10"]["status"] == "deleted"
