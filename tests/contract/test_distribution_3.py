"""What distribution 3.1.1 does, asked of the real one and of the sandbox that is set to be like it."""

import asyncio
import json
from collections.abc import Callable

import pytest

from bulkrm.sandbox import Auth, Image, docker_image, docker_list, empty_index, oci_image, oci_index
from tests.integration.engine import delete
from tests.support.admin import Admin, digest_of, many_images
from tests.support.registries import KINDS_3, Registry, Start, cases

SERVERS = "distribution 3.1.1"
APP = "team/app"
ZERO = "sha256:" + "0" * 64
KINDS: dict[str, Callable[[int], Image]] = {
    "docker": docker_image,
    "oci": oci_image,
    "list": docker_list,
    "index": oci_index,
    "empty": empty_index,
}


@pytest.fixture(params=cases(KINDS_3))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """The sandbox, then the real thing."""
    return str(request.param)


# Deletion of a tag


@pytest.mark.fact("DELETE of a tag removes that tag only")
@pytest.mark.parametrize("kind", KINDS)
async def test_delete_of_a_tag(admin: Admin, kind: str) -> None:
    """DELETE of a tag answers 202 with nothing in it; the image stays, and so do its other tags."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b")

    reply = await admin.delete(APP, "a")

    assert (reply.status, reply.body, "Content-Type" in reply.headers) == (202, b"", False)
    assert await admin.digest(APP, "a") is None
    assert await admin.tags(APP) == {"b"}
    assert await admin.pulls(APP, "b")


@pytest.mark.fact("an image without tags stays by digest, and the list says `null`")
async def test_delete_of_the_last_tag(admin: Admin) -> None:
    """An image whose last tag was deleted still pulls by digest, and the tag list says `null`."""
    image = oci_image(1)
    await admin.push(APP, image, "a")

    assert (await admin.delete(APP, "a")).status == 202

    assert (await admin.call("GET", f"/v2/{APP}/tags/list")).body == b'{"name":"team/app","tags":null}\n'
    assert await admin.pulls(APP, image.digest)


@pytest.mark.fact("an absent tag is 404: a probe tells that tags can be deleted")
@pytest.mark.parametrize("repository", [APP, "never/seen"])
async def test_delete_of_an_absent_tag(admin: Admin, repository: str) -> None:
    """A tag that is not there answers 404 MANIFEST_UNKNOWN, be the repository known or not."""
    await admin.push(APP, oci_image(1), "a")

    reply = await admin.delete(repository, "absent")

    assert (reply.status, reply.codes) == (404, ["MANIFEST_UNKNOWN"])
    assert await admin.tags(APP) == {"a"}


async def test_delete_of_a_tag_again(admin: Admin) -> None:
    """The second DELETE of a tag finds nothing, and does not reach the image."""
    digest = await admin.push(APP, oci_image(1), "a", "b")

    statuses = [(await admin.delete(APP, "a")).status for _ in range(2)]

    assert statuses == [202, 404]
    assert await admin.digest(APP, "b") == digest


async def test_a_deleted_tag_comes_back(admin: Admin) -> None:
    """A tag that was deleted can be pushed again, to the same image or to another one."""
    first, second = oci_image(1), oci_image(2)
    for image in (first, first, second):
        await admin.push(APP, image, "a")
        assert await admin.digest(APP, "a") == image.digest
        assert (await admin.delete(APP, "a")).status == 202

    assert await admin.pulls(APP, first.digest)
    assert await admin.pulls(APP, second.digest)


async def test_parallel_deletes_of_one_tag(admin: Admin) -> None:
    """Several DELETEs of one tag at once: some win, the others find nothing, and its sibling stays."""
    await admin.push(APP, docker_image(1), "a", "b")
    await admin.delete(APP, ZERO)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(admin.delete(APP, "a")) for _ in range(8)]

    statuses = [task.result().status for task in tasks]
    assert 202 in statuses
    assert set(statuses) <= {202, 404}
    assert await admin.tags(APP) == {"b"}


async def test_many_parallel_deletes_of_tags(admin: Admin) -> None:
    """Many tags of one image deleted at once are all gone, and nothing else is."""
    names = [f"t{number}" for number in range(40)]
    image = oci_image(1)
    await admin.push(APP, image, *names)
    deletions = [tag for tag in names if not tag.endswith("7")]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(admin.delete(APP, tag)) for tag in deletions]

    assert {task.result().status for task in tasks} == {202}
    assert await admin.tags(APP) == {"t7", "t17", "t27", "t37"}
    assert await admin.pulls(APP, image.digest)


async def test_delete_of_a_tag_needs_the_right(registry: Registry) -> None:
    """DELETE of a tag wants `delete`, as that of a digest does."""
    digest = await registry.admin.push(APP, oci_image(1), "a")
    bare = await registry.admin.send("DELETE", f"/v2/{APP}/manifests/a")
    token = await registry.admin.token(registry.realm, f"repository:{APP}:pull,push")

    reply = await registry.admin.send("DELETE", f"/v2/{APP}/manifests/a", headers={"Authorization": f"Bearer {token}"})

    assert f'scope="repository:{APP}:delete"' in bare.headers["WWW-Authenticate"]
    assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])
    assert 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"]
    assert await registry.admin.digest(APP, "a") == digest


@pytest.mark.fact("where deletion is disabled every DELETE is 405 `UNSUPPORTED`, of tags too")
@pytest.mark.parametrize("reference", ["known", "a", "absent", ZERO])
async def test_deletion_disabled(registry: Registry, reference: str) -> None:
    """Where deletion is disabled every DELETE answers 405 UNSUPPORTED in JSON, before any lookup, of tags too."""
    digest = await registry.admin.push(APP, docker_image(1), "a")
    await registry.change(delete_enabled=False)

    reply = await registry.admin.delete(APP, digest if reference == "known" else reference)

    assert reply.status == 405
    assert reply.json == {"errors": [{"code": "UNSUPPORTED", "message": "The operation is unsupported."}]}
    assert await registry.admin.digest(APP, "a") == digest


async def test_read_only(registry: Registry) -> None:
    """In read-only mode DELETE answers 405 in plain text, of a tag as of a digest."""
    digest = await registry.admin.push(APP, docker_image(1), "a")
    await registry.change(read_only=True)

    for reference in ("a", digest):
        reply = await registry.admin.delete(APP, reference)
        assert (reply.status, reply.body, reply.headers["Allow"]) == (405, b"Method not allowed\n", "GET, HEAD")
    assert await registry.admin.digest(APP, "a") == digest


# Deletion of a digest


@pytest.mark.fact("DELETE of a digest removes all its tags")
@pytest.mark.parametrize("kind", KINDS)
async def test_delete_by_digest_takes_all_tags(admin: Admin, kind: str) -> None:
    """DELETE of a digest takes all its tags, once; a second one finds nothing."""
    digest = await admin.push(APP, KINDS[kind](1), "a", "b")
    await admin.push(APP, oci_image(2), "other")

    statuses = [(await admin.delete(APP, digest)).status for _ in range(2)]

    assert statuses == [202, 404]
    assert await admin.tags(APP) == {"other"}
    assert await admin.digest(APP, digest) is None


@pytest.mark.parametrize("make", [docker_list, oci_index])
async def test_delete_of_an_index_keeps_its_children(admin: Admin, make: Callable[[int], Image]) -> None:
    """The children of a deleted index stay, and a child can be deleted while an index names it."""
    image = make(1)
    first, second = image.children
    await admin.push(APP, image, "multi")

    assert (await admin.delete(APP, first.digest)).status == 202
    assert await admin.digest(APP, "multi") == image.digest
    assert not await admin.pulls(APP, "multi")
    assert (await admin.delete(APP, image.digest)).status == 202
    assert await admin.digest(APP, second.digest) == second.digest


@pytest.mark.fact("the digest of a blob is 404")
@pytest.mark.parametrize("part", [0, 1])
async def test_the_digest_of_a_blob_is_no_manifest(admin: Admin, part: int) -> None:
    """Unlike 2.8.2 it finds no manifest under the digest of a configuration or layer, and so breaks no image."""
    image = docker_image(1)
    await admin.push(APP, image, "a")
    blob = digest_of(image.blobs[part])

    replies = [await admin.get(APP, blob, method="HEAD"), await admin.get(APP, blob), await admin.delete(APP, blob)]

    assert [reply.status for reply in replies] == [404, 404, 404]
    assert (replies[1].codes, replies[2].codes) == (["MANIFEST_UNKNOWN"], ["MANIFEST_UNKNOWN"])
    assert await admin.pulls(APP, "a")


@pytest.mark.fact("DELETE of an empty index that was pushed over a tag removes the tag, and no image")
@pytest.mark.parametrize("kind", ["docker", "oci", "index"])
async def test_decoy(admin: Admin, kind: str) -> None:
    """An empty index pushed over a tag takes it along when it is deleted; the image stays by digest."""
    image, decoy = KINDS[kind](1), empty_index(99)
    await admin.push(APP, image, "a", "keep")
    assert (await admin.put(APP, "a", decoy)).status == 201

    assert (await admin.delete(APP, decoy.digest)).status == 202

    assert await admin.tags(APP) == {"keep"}
    assert await admin.pulls(APP, image.digest)


# Resolving and restoring


@pytest.mark.parametrize("kind", KINDS)
async def test_head_is_get_without_the_body(admin: Admin, kind: str) -> None:
    """HEAD has the headers of GET, the length included, and no body."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a")

    head, get = [await admin.get(APP, "a", method=method) for method in ("HEAD", "GET")]

    names = ("Content-Type", "Content-Length", "Docker-Content-Digest", "Etag")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
    assert (get.headers["Content-Type"], get.headers["Docker-Content-Digest"]) == (image.media_type, image.digest)
    assert (head.body, get.body) == (b"", image.content)


@pytest.mark.parametrize("repository", [APP, "never/seen"])
async def test_unknown_manifest(admin: Admin, repository: str) -> None:
    """An unknown tag or digest answers 404 MANIFEST_UNKNOWN, also in a repository that was never seen."""
    await admin.push(APP, oci_image(1), "a")

    replies = [await admin.get(repository, reference) for reference in ("absent", ZERO)]

    assert [(reply.status, reply.codes) for reply in replies] == [(404, ["MANIFEST_UNKNOWN"])] * 2


async def test_the_digest_of_a_blob(registry: Registry) -> None:
    """An image ID answers 404 like a digest that nobody has, and is found out all the same; a foreign one is absent."""
    image = oci_image(1)
    await registry.admin.push(APP, image, "a")
    config = json.loads(image.content)["config"]["digest"]
    foreign = "sha256:" + "1" * 64

    done = await delete(registry.host, f"- {APP}@{config}\n- {APP}@{foreign}")

    assert done.statuses == {f"{APP}@{config}": "failed not-a-manifest", f"{APP}@{foreign}": "absent"}
    assert "image ID" in done.images[0]["hint"]
    assert await registry.admin.pulls(APP, "a")


@pytest.mark.parametrize("kind", KINDS)
async def test_put_restores(admin: Admin, kind: str) -> None:
    """A deleted manifest that is PUT again has its digest and pulls; its other tags stay gone."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b")
    await admin.delete(APP, image.digest)

    reply = await admin.put(APP, "a", image)

    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)
    assert await admin.tags(APP) == {"a"}
    assert await admin.pulls(APP, "a")


async def test_index_needs_its_children_first(admin: Admin) -> None:
    """An index whose children are gone is refused, one error for each."""
    image = oci_index(1)
    await admin.push(APP, image, "a")
    for one in (image, *image.children):
        await admin.delete(APP, one.digest)

    refused = await admin.put(APP, "a", image)

    assert (refused.status, refused.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"] * 2)
    assert [error["detail"] for error in refused.json["errors"]] == [child.digest for child in image.children]


async def test_restore_after_garbage_collection(registry: Registry) -> None:
    """After a garbage collection a PUT is refused, one error for each blob that is lost."""
    image = docker_image(1)
    await registry.admin.push(APP, image, "a")
    await registry.admin.push(APP, docker_image(2), "kept")
    await registry.admin.delete(APP, image.digest)
    await registry.collect_garbage()

    reply = await registry.admin.put(APP, "a", image)

    assert (reply.status, reply.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    assert reply.json["errors"][0]["detail"] == json.loads(image.content)["config"]["digest"]
    assert await registry.admin.pulls(APP, "kept")


# Listing


async def fill(admin: Admin) -> list[str]:
    """Push tags whose order tells bytes from numbers; return them sorted."""
    images = many_images(["V", "v1.0", "v1-0", *(f"v{number}" for number in range(9))])
    await admin.push_many(APP, images)
    return sorted(images)


async def listed(admin: Admin, query: str) -> tuple[list[str] | None, str]:
    """One page of tags, and where its Link leads."""
    reply = await admin.call("GET", f"/v2/{APP}/tags/list{query}")
    assert (reply.status, reply.json["name"]) == (200, APP)
    return reply.json["tags"], reply.next_page


@pytest.mark.fact("without `n` the tag list comes whole")
async def test_tag_list_without_a_page_size(admin: Admin) -> None:
    """Without `n` all tags come, sorted by their bytes, with no Link; `last` leaves away what is not after it."""
    tags = await fill(admin)

    assert await listed(admin, "") == (tags, "")
    assert await listed(admin, "?n=") == (tags, "")
    assert await listed(admin, "?last=v1.0") == (tags[tags.index("v1.0") + 1 :], "")


@pytest.mark.fact("with `n` it comes in pages, each full one with a relative Link")
async def test_tag_list_in_pages(admin: Admin) -> None:
    """With `n` the list comes in pages, each full one with a relative Link that has `last` and `n`."""
    tags = await fill(admin)
    pages, path = [], f"/v2/{APP}/tags/list?n=5"
    while path:
        reply = await admin.call("GET", path)
        pages.append(reply.json["tags"])
        path = reply.next_page
        assert path in ("", f"/v2/{APP}/tags/list?last={pages[-1][-1]}&n=5")

    assert pages == [tags[:5], tags[5:10], tags[10:]]


async def test_tag_list_that_fills_its_last_page(admin: Admin) -> None:
    """A full page has a Link even if nothing comes after it; the page after the end says `null`."""
    tags = await fill(admin)

    page, more = await listed(admin, f"?n={len(tags)}")

    assert (page, bool(more)) == (tags, True)
    assert await listed(admin, more.partition("list")[2]) == (None, "")


@pytest.mark.parametrize("wanted", [5, 100])
async def test_tag_list_is_bounded(registry: Registry, wanted: int) -> None:
    """More than the registry's own bound is no error: the page is smaller, and the Link has the smaller `n`."""
    tags = await fill(registry.admin)
    await registry.change(page_size=4)

    assert await listed(registry.admin, f"?n={wanted}") == (tags[:4], f"/v2/{APP}/tags/list?last={tags[3]}&n=4")
    assert await listed(registry.admin, "") == (tags, "")


@pytest.mark.fact("a page that follows a deleted tag skips nothing")
async def test_tag_list_after_its_cursor_was_deleted(admin: Admin) -> None:
    """A page that follows a tag which is gone by now skips nothing."""
    tags = await fill(admin)
    _, more = await listed(admin, "?n=5")
    await admin.delete(APP, tags[4])

    assert (await listed(admin, more.partition("list")[2]))[0] == tags[5:10]


@pytest.mark.fact("an `n` that is no number is 400")
@pytest.mark.parametrize("number", ["-1", "junk", "1.5"])
async def test_tag_list_with_junk(admin: Admin, number: str) -> None:
    """An `n` that is no number is 400 PAGINATION_NUMBER_INVALID."""
    await admin.push(APP, oci_image(1), "a")

    reply = await admin.call("GET", f"/v2/{APP}/tags/list?n={number}")

    assert (reply.status, reply.codes) == (400, ["PAGINATION_NUMBER_INVALID"])


async def test_tag_list_of_an_unknown_repository(admin: Admin) -> None:
    """A repository that never had a tag answers 404 NAME_UNKNOWN."""
    await admin.push(APP, oci_image(1))

    reply = await admin.call("GET", f"/v2/{APP}/tags/list")

    assert (reply.status, reply.codes) == (404, ["NAME_UNKNOWN"])


# Authentication


@pytest.mark.parametrize(("auth", "tls"), [(Auth.BASIC, False), (Auth.NONE, False), (Auth.TOKEN, True)])
async def test_other_ways_in(start_registry: Start, auth: Auth, *, tls: bool) -> None:
    """With Basic, without authentication, and over TLS a tag is deleted in the same way."""
    async with start_registry(auth=auth, tls=tls) as registry:
        digest = await registry.admin.push(APP, oci_image(1), "a", "b")

        assert (await registry.admin.delete(APP, "a")).status == 202
        assert await registry.admin.digest(APP, "b") == digest
