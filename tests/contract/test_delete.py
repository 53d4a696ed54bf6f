"""What a run deletes and what it keeps: the same cases on the sandbox and on the real registry."""

import json
from collections.abc import Callable

import pytest

from bulkrm.model.settings import Limit, Shared
from bulkrm.sandbox import (
    ANONYMOUS,
    Auth,
    Image,
    Sandbox,
    User,
    docker_image,
    docker_list,
    empty_index,
    oci_image,
    oci_index,
)
from tests.integration.engine import Done, Options, delete
from tests.support.admin import Admin, many_images
from tests.support.clock import FakeClock
from tests.support.registries import CRANE, Registry, Start, servers

APP = "team/app"
of_users = servers(without={CRANE: "it knows no users"})
of_settings = servers(without={CRANE: "it has no settings"})
KINDS: dict[str, Callable[[int], Image]] = {
    "docker": docker_image,
    "oci": oci_image,
    "list": docker_list,
    "index": oci_index,
    "empty": empty_index,
}


def deletions(registry: Registry, done: Done) -> list[str]:
    """What was deleted, in order. Crane keeps the tags of what is deleted by digest: each goes after it by itself there."""
    names = [path.rpartition("/")[2] for method, path in done.sent if method == "DELETE"]
    return [name for name in names if ":" in name or registry.kind != CRANE]


async def push(admin: Admin, *tags: str, repository: str = APP, seed: int = 0) -> dict[str, str]:
    """Push a different image under each tag; return their digests."""
    images = many_images(tags, seed)
    await admin.push_many(repository, images)
    return {tag: image.digest for tag, image in images.items()}


def names(*tags: str, repository: str = APP) -> str:
    """A list of tags."""
    return "".join(f"  - {repository}:{tag}\n" for tag in tags)


# What goes


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_manifest(registry: Registry, kind: str) -> None:
    """An image of any kind goes, with the digest and type that the registry had for it; its neighbour stays."""
    image = KINDS[kind](1)
    await registry.admin.push(APP, image, "old")
    await registry.admin.push(APP, oci_image(2), "new")

    done = await delete(registry.host, names("old"))

    assert (done.code, done.statuses) == (0, {f"{APP}:old": "deleted"})
    assert (done.images[0]["digest"], done.images[0]["media_type"]) == (image.digest, image.media_type)
    assert await registry.admin.tags(APP) == {"new"}
    assert await registry.admin.digest(APP, image.digest) is None
    assert await registry.admin.pulls(APP, "new")


async def test_globs_tags_and_digests(registry: Registry) -> None:
    """Globs, exact tags and digests delete what they name, each image once, and nothing else."""
    digests = await push(registry.admin, "pr-1", "pr-2", "pr-2-keep", "1.0", "1.1", "2.0")
    untagged = await registry.admin.push(APP, docker_image(77))

    done = await delete(
        registry.host,
        f"""
  - {{image: {APP}:pr-*, exclude: ["*-keep"]}}
  - {{image: {APP}, tags: ["1.*", pr-1]}}
  - {APP}@{untagged}
  - team/a*:2.0
""",
    )

    assert done.code == 0
    assert done.statuses == dict.fromkeys(
        [*(f"{APP}:{tag}" for tag in ("pr-1", "pr-2", "1.0", "1.1", "2.0")), f"{APP}@{untagged}"], "deleted"
    )
    assert await registry.admin.tags(APP) == {"pr-2-keep"}
    assert await registry.admin.digest(APP, untagged) is None
    assert await registry.admin.digest(APP, "pr-2-keep") == digests["pr-2-keep"]
    assert len(deletions(registry, done)) == 6


async def test_values_of_yaml_are_text(registry: Registry) -> None:
    """`tags: [1.10, 012, on]` deletes just those, and none of what YAML would make of them."""
    look_alikes = {"1.1", "12", "10", "true", "True", "yes", "1.100", "0x0c", "one"}
    await push(registry.admin, "1.10", "012", "on", *look_alikes)

    done = await delete(registry.host, f"  - {{image: {APP}, tags: [1.10, 012, on]}}\n")

    assert done.statuses == dict.fromkeys([f"{APP}:1.10", f"{APP}:012", f"{APP}:on"], "deleted")
    assert await registry.admin.tags(APP) == look_alikes


async def test_several_tags_on_one_digest(registry: Registry) -> None:
    """Ten listed tags on one digest take one DELETE, and have ten outcomes."""
    tags = [f"t{number}" for number in range(10)]
    await registry.admin.push(APP, oci_image(1), *tags)

    done = await delete(registry.host, names(*tags))

    assert list(done.statuses.values()) == ["deleted"] * 10
    assert len(deletions(registry, done)) == 1
    assert await registry.admin.tags(APP) == set()


async def test_index_list_and_children(registry: Registry) -> None:
    """An OCI index, a Docker list and their tagged children are never taken for one another."""
    index, docker = oci_index(1), docker_list(2)
    await registry.admin.push(APP, index, "index")
    await registry.admin.push(APP, docker, "list")
    for child, tag in zip((*index.children, *docker.children), ("oci-amd", "oci-arm", "v2-amd", "v2-arm"), strict=True):
        await registry.admin.push(APP, child, tag)

    done = await delete(registry.host, names("index", "v2-arm"))

    assert done.statuses == {f"{APP}:index": "deleted", f"{APP}:v2-arm": "kept needed"}
    assert done.images[1]["because"] == [f"{registry.host}/{APP}@{docker.digest}"]
    assert await registry.admin.tags(APP) == {"list", "oci-amd", "oci-arm", "v2-amd", "v2-arm"}
    assert await registry.admin.digest(APP, index.digest) is None
    assert [await registry.admin.digest(APP, child.digest) for child in index.children] == [
        child.digest for child in index.children
    ]
    assert await registry.admin.pulls(APP, "list")


async def test_index_with_its_children(registry: Registry) -> None:
    """An index and all its children listed go together, the index first."""
    index = oci_index(1)
    await registry.admin.push(APP, index, "index")
    await registry.admin.push(APP, index.children[0], "amd")
    await registry.admin.push(APP, index.children[1], "arm")

    done = await delete(registry.host, names("amd", "arm", "index"))

    deletes = deletions(registry, done)
    assert list(done.statuses.values()) == ["deleted"] * 3
    assert deletes[0] == index.digest
    assert sorted(deletes[1:]) == sorted(child.digest for child in index.children)
    assert await registry.admin.tags(APP) == set()


# What stays


async def test_shared_refused(registry: Registry) -> None:
    """A digest with a tag outside the list stays, and the report names that tag."""
    await registry.admin.push(APP, docker_image(1), "listed", "other")
    await registry.admin.push(APP, docker_image(2), "alone")

    done = await delete(registry.host, names("listed", "alone"))

    assert (done.code, done.statuses) == (3, {f"{APP}:listed": "kept shared", f"{APP}:alone": "deleted"})
    assert done.images[0]["because"] == [f"{registry.host}/{APP}:other"]
    assert await registry.admin.tags(APP) == {"listed", "other"}


async def test_shared_by_digest(registry: Registry) -> None:
    """A digest names the manifest and not its tags: with a tag outside the list it is shared, listed it goes."""
    digest = await registry.admin.push(APP, docker_image(1), "a")

    refused = await delete(registry.host, f"  - {APP}@{digest}\n")
    done = await delete(registry.host, f"  - {APP}@{digest}\n  - {APP}:a\n")

    assert (refused.code, list(refused.statuses.values())) == (3, ["kept shared"])
    assert list(done.statuses.values()) == ["deleted", "deleted"]
    assert len(deletions(registry, done)) == 1


async def test_shared_deleted(registry: Registry) -> None:
    """With --shared delete the other tags go too, and the report names them."""
    await registry.admin.push(APP, docker_image(1), "listed", "other", "third")

    done = await delete(registry.host, names("listed"), Options(shared=Shared.DELETE))

    assert (done.code, done.statuses) == (0, {f"{APP}:listed": "deleted"})
    assert done.images[0]["also_removed"] == [f"{registry.host}/{APP}:other", f"{registry.host}/{APP}:third"]
    assert await registry.admin.tags(APP) == set()


async def test_shared_unseen(registry: Registry) -> None:
    """With delete-unseen no tag is listed and none is read but the listed one."""
    await registry.admin.push(APP, docker_image(1), "listed", "other")
    await push(registry.admin, *(f"t{number}" for number in range(10)), seed=10)

    done = await delete(registry.host, names("listed"), Options(shared=Shared.DELETE_UNSEEN))

    assert (done.code, done.images[0]["also_removed"]) == (0, None)
    assert [path for _, path in done.sent if "/tags/" in path or "/t1" in path] == []
    # What was not seen lives on where tags outlive their manifest.
    assert len(await registry.admin.tags(APP)) == 10 + (registry.kind == CRANE)


@pytest.mark.parametrize("shared", [Shared.REFUSE, Shared.DELETE])
async def test_protection(registry: Registry, shared: Shared) -> None:
    """A protected tag that the list does not name keeps its digest, also with --shared delete."""
    digest = await registry.admin.push(APP, docker_image(1), "listed", "latest")
    await registry.admin.push(APP, docker_image(2), "prod-1")
    await registry.admin.push(APP, docker_image(3), "gone")
    text = f'protect: ["*:latest", "**/app:prod-*"]\nimages:\n{names("listed", "prod-1", "gone")}'

    done = await delete(registry.host, text, Options(shared=shared))

    assert (done.code, done.statuses) == (
        0,
        {f"{APP}:listed": "kept protected", f"{APP}:prod-1": "kept protected", f"{APP}:gone": "deleted"},
    )
    assert await registry.admin.tags(APP) == {"listed", "latest", "prod-1"}
    assert await registry.admin.digest(APP, "latest") == digest
    assert await registry.admin.pulls(APP, "listed")


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (Limit(3), False),
        (Limit(2), True),
        (Limit(0), True),
        (Limit(75, percent=True), False),
        (Limit(74, percent=True), True),
    ],
)
async def test_max_delete(registry: Registry, limit: Limit, kept: bool) -> None:  # noqa: FBT001
    """--max-delete counts tags that disappear, unlisted ones too; above it nothing goes at all."""
    await registry.admin.push(APP, docker_image(1), "a", "unlisted")
    await push(registry.admin, "b", "stays", seed=10)

    done = await delete(registry.host, names("a", "b"), Options(shared=Shared.DELETE, max_delete=limit))

    assert set(done.statuses.values()) == {"kept limit" if kept else "deleted"}
    assert done.code == (3 if kept else 0)
    assert await registry.admin.tags(APP) == ({"a", "unlisted", "b", "stays"} if kept else {"stays"})


async def test_pinned_tag(registry: Registry) -> None:
    """`name:tag@digest` goes while the tag holds the digest; one that moved is kept, and named with where it is now."""
    old = docker_image(1)
    now = await push(registry.admin, "same", "moved", seed=10)

    done = await delete(registry.host, f"  - {APP}:same@{now['same']}\n  - {APP}:moved@{old.digest}\n")

    assert done.code == 3
    assert list(done.statuses.values()) == ["deleted", "kept moved"]
    assert done.images[1]["because"] == [f"{registry.host}/{APP}:moved@{now['moved']}"]
    assert await registry.admin.tags(APP) == {"moved"}


# What is not there


async def test_absent(registry: Registry) -> None:
    """A missing tag and a missing digest are absent: a success, without a DELETE."""
    await push(registry.admin, "other")

    done = await delete(registry.host, f"  - {APP}:gone\n  - {APP}@sha256:{'0' * 64}\n")

    assert (done.code, list(done.statuses.values())) == (0, ["absent", "absent"])
    assert done.count("DELETE") == 0


async def test_no_repository(registry: Registry) -> None:
    """An unknown repository is told from a missing tag."""
    await push(registry.admin, "other")

    done = await delete(registry.host, "  - taem/app:1.0\n  - team/app:1.0\n")

    assert (done.code, done.statuses) == (0, {"taem/app:1.0": "absent no-repository", "team/app:1.0": "absent"})


async def test_no_match(registry: Registry) -> None:
    """A pattern that chooses nothing is a line of its own, whether of tags, of repositories or of an unknown one."""
    await push(registry.admin, "other")

    done = await delete(registry.host, "  - team/app:pr-*\n  - taem/*:1.0\n  - taem/app:pr-*\n")

    assert (done.code, set(done.statuses.values())) == (0, {"no-match"})
    assert len(done.images) == 3


async def test_twice(registry: Registry) -> None:
    """A second run finds everything absent."""
    await push(registry.admin, "a", "b")

    first = await delete(registry.host, names("a", "b"))
    second = await delete(registry.host, names("a", "b"))

    assert (set(first.statuses.values()), set(second.statuses.values())) == ({"deleted"}, {"absent"})


@pytest.mark.parametrize("kind", ["docker", "oci"])
async def test_image_id_is_no_digest(registry: Registry, kind: str) -> None:
    """The digest of a configuration is refused with a hint, and the image that uses it stays whole."""
    image = KINDS[kind](1)
    await registry.admin.push(APP, image, "a")
    config = json.loads(image.content)["config"]["digest"]

    # Distribution answers 500 to it, which is asked again some times: not in the time of this test.
    done = await delete(registry.host, f"  - {APP}@{config}\n", Options(clock=FakeClock(auto=True)))

    assert (done.code, list(done.statuses.values())) == (1, ["failed not-a-manifest"])
    assert "image ID" in done.images[0]["hint"]
    assert done.count("DELETE") == 0
    assert await registry.admin.pulls(APP, "a")


# The dry run


async def test_dry_run(registry: Registry) -> None:
    """A dry run decides what the run does, sends no DELETE, and has its exit code."""
    await registry.admin.push(APP, docker_image(1), "listed", "other")
    await registry.admin.push(APP, docker_image(2), "edge", "latest")
    await registry.admin.push(APP, oci_index(3), "index")
    await push(registry.admin, "a", "b", "pr-1", seed=10)
    text = f'protect: ["*:latest"]\nimages:\n{names("listed", "edge", "index", "a", "b", "gone", "pr-*", "x-*")}'

    dry = await delete(registry.host, text, Options(dry_run=True))
    before = await registry.admin.tags(APP)
    real = await delete(registry.host, text)

    assert dry.statuses == {name: status.replace("deleted", "would-delete") for name, status in real.statuses.items()}
    assert (dry.code, real.code) == (3, 3)
    assert dry.count("DELETE") == 0
    assert before == {"listed", "other", "edge", "latest", "index", "a", "b", "pr-1"}
    assert await registry.admin.tags(APP) == {"listed", "other", "edge", "latest"}


# Authentication


@of_users
async def test_basic(start_registry: Start) -> None:
    """Basic authentication deletes as tokens do."""
    async with start_registry(auth=Auth.BASIC) as registry:
        await push(registry.admin, "a", "b")

        done = await delete(registry.host, names("a"))

        assert (done.code, done.requests.token) == (0, 0)
        assert await registry.admin.tags(APP) == {"b"}


async def test_anonymous(start_registry: Start) -> None:
    """A registry without authentication needs no credentials."""
    async with start_registry(auth=Auth.NONE) as registry:
        await push(registry.admin, "a", "b")

        done = await delete(registry.host, names("a"), Options(login=None))

        assert (done.code, done.requests.token) == (0, 0)
        assert await registry.admin.tags(APP) == {"b"}


@of_users
async def test_anonymous_token(start_registry: Start) -> None:
    """Without credentials a token is asked for anonymously, and does what anonymous may."""
    users = {"admin": User("admin"), ANONYMOUS: User.allowed("", {"open/*": ["pull", "delete"], "*": ["pull"]})}
    async with start_registry(users=users) as registry:
        await push(registry.admin, "a", repository="open/app")
        await push(registry.admin, "a", repository="closed/app")

        done = await delete(registry.host, "  - open/app:a\n  - closed/app:a\n", Options(login=None))

        assert (done.code, done.statuses) == (1, {"open/app:a": "deleted", "closed/app:a": "failed not-permitted"})
        assert "no credentials were given" in done.images[1]["hint"]
        assert await registry.admin.tags("closed/app") == {"a"}


@of_users
async def test_one_token_for_a_repository(registry: Registry) -> None:
    """However many images a repository has, one token serves for all of them."""
    for repository in ("team/one", "team/two"):
        await push(registry.admin, *(f"t{number}" for number in range(30)), repository=repository)
    before = len(registry.tokens.log)

    done = await delete(registry.host, "  - team/one:*\n  - team/two:*\n")

    assert (done.code, len(done.images)) == (0, 60)
    assert sorted(request.scope for request in registry.tokens.log[before:]) == [
        "repository:team/one:delete,pull",
        "repository:team/two:delete,pull",
    ]


@of_users
async def test_missing_permission(start_registry: Start) -> None:
    """Who lacks `delete` on one repository deletes in the other, and is told what is missing, once asked."""
    users = {"admin": User.allowed("admin", {"team/closed": ["pull", "push"], "*": ["*"]})}
    async with start_registry(users=users) as registry:
        for repository in ("team/open", "team/closed"):
            await push(registry.admin, *(f"t{number}" for number in range(12)), repository=repository)

        done = await delete(registry.host, "  - team/open:*\n  - team/closed:*\n", Options(concurrency=2))

        failed = [entry for entry in done.images if entry["status"] == "failed"]
        assert (done.code, len(failed)) == (1, 12)
        assert {entry["error"]["code"] for entry in failed} == {"not-permitted"}
        assert f"needs delete on {registry.host}/team/closed" in failed[0]["hint"]
        assert len([path for method, path in done.sent if method == "DELETE" and "closed" in path]) <= 4
        assert await registry.admin.tags("team/open") == set()
        assert len(await registry.admin.tags("team/closed")) == 12


@of_settings
@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        ({"delete_enabled": False}, "deletion-disabled", "REGISTRY_STORAGE_DELETE_ENABLED=true"),
        ({"read_only": True}, "read-only", "read-only mode"),
    ],
)
async def test_deletion_is_off(registry: Registry, change: dict[str, bool], code: str, hint: str) -> None:
    """Where nothing can be deleted, the first DELETE goes alone and fails all images, with what to set."""
    await push(registry.admin, *(f"t{number}" for number in range(40)))
    await registry.change(**change)

    done = await delete(registry.host, f"  - {APP}:*\n")

    assert (done.code, set(done.statuses.values())) == (1, {f"failed {code}"})
    assert hint in done.images[0]["hint"]
    assert done.count("DELETE") == 1
    assert len(await registry.admin.tags(APP)) == 40


async def test_limits_of_what_is_asked(registry: Registry) -> None:
    """A run sends GET, HEAD and DELETE only, and DELETE only for digests that it read in that repository."""
    await registry.admin.push(APP, oci_index(1), "index")
    await push(registry.admin, "a", "b", seed=10)

    done = await delete(registry.host, f"  - {APP}:*\n")

    assert {method for method, _ in done.sent} <= {"GET", "HEAD", "DELETE"}
    read = {entry["digest"] for entry in done.images}
    assert set(deletions(registry, done)) == read
    if isinstance(registry.server, Sandbox):
        assert len([request for request in registry.server.log if request.method == "DELETE"]) == len(read)
