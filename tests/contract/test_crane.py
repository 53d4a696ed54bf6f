"""What `crane registry serve` 0.22.1 does, asked of the real one and of the sandbox that is set to be like it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bulkrm.sandbox import Image, artifact, docker_image, docker_list, empty_index, oci_image, oci_index
from tests.support.admin import Admin, Reply, digest_of, many_images
from tests.support.registries import CRANE, KINDS_CRANE, cases, servers

SERVERS = "crane registry serve 0.22.1"
APP = "team/app"
ZERO = "sha256:" + "0" * 64
KINDS: dict[str, Callable[[int], Image]] = {
    "docker": docker_image,
    "oci": oci_image,
    "list": docker_list,
    "index": oci_index,
    "empty": empty_index,
}
# What a run never meets there, and what the sandbox therefore answers as 2.8.2 does.
only_the_real_one = servers([CRANE])


@pytest.fixture(params=cases(KINDS_CRANE))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """The sandbox, then the real thing."""
    return str(request.param)


# Deletion


@pytest.mark.fact("DELETE of a digest keeps its tags, which go on serving the manifest")
@pytest.mark.parametrize("kind", KINDS)
async def test_delete_by_digest_keeps_the_tags(admin: Admin, kind: str) -> None:
    """DELETE of a digest answers 202; the digest is gone, and its tags are listed and answer as before."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b")

    reply = await admin.delete(APP, image.digest)

    assert (reply.status, reply.body) == (202, b"")
    assert await admin.digest(APP, image.digest) is None
    assert await admin.tags(APP) == {"a", "b"}
    for method in ("GET", "HEAD"):
        tagged = await admin.get(APP, "a", method=method)
        assert (tagged.status, tagged.headers["Docker-Content-Digest"]) == (200, image.digest)
        assert tagged.body == (image.content if method == "GET" else b"")


async def test_delete_by_digest_twice(admin: Admin) -> None:
    """The second DELETE of a digest answers 404, though its tags still serve it."""
    digest = await admin.push(APP, oci_image(1), "a")

    assert [(await admin.delete(APP, digest)).status for _ in range(2)] == [202, 404]
    assert await admin.digest(APP, "a") == digest


@pytest.mark.fact("tags that live on are removed by DELETE of each")
async def test_tags_after_the_digest(admin: Admin) -> None:
    """Tags that live on are deleted one by one, and then nothing serves the manifest any more."""
    digest = await admin.push(APP, oci_image(1), "a", "b")
    await admin.delete(APP, digest)

    assert [(await admin.delete(APP, tag)).status for tag in ("a", "b")] == [202, 202]
    assert await admin.content(APP, "a", "b", digest) == {"a": None, "b": None, digest: None}


@pytest.mark.fact("DELETE of a tag removes that tag only")
@pytest.mark.parametrize("kind", KINDS)
async def test_delete_of_a_tag(admin: Admin, kind: str) -> None:
    """DELETE of a tag answers 202; the image stays by digest, and so do its other tags."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b")

    reply = await admin.delete(APP, "a")

    assert (reply.status, reply.body) == (202, b"")
    assert await admin.tags(APP) == {"b"}
    assert await admin.digest(APP, "a") is None
    assert await admin.pulls(APP, "b")
    assert await admin.pulls(APP, image.digest)


async def test_delete_of_the_last_tag(admin: Admin) -> None:
    """An image whose last tag was deleted still pulls by digest, and the tag list says `null`."""
    image = oci_image(1)
    await admin.push(APP, image, "a")

    assert (await admin.delete(APP, "a")).status == 202

    assert (await admin.call("GET", f"/v2/{APP}/tags/list")).json == {"name": APP, "tags": None}
    assert await admin.pulls(APP, image.digest)


@pytest.mark.fact("an absent tag or digest is 404 `MANIFEST_UNKNOWN`")
@pytest.mark.parametrize("reference", ["absent", ZERO])
async def test_delete_of_what_is_not_there(admin: Admin, reference: str) -> None:
    """An absent tag or digest answers 404 MANIFEST_UNKNOWN, as a probe needs it."""
    await admin.push(APP, oci_image(1), "a")

    reply = await admin.delete(APP, reference)

    assert (reply.status, reply.codes) == (404, ["MANIFEST_UNKNOWN"])
    assert await admin.tags(APP) == {"a"}


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


@pytest.mark.parametrize("part", [0, 1])
async def test_the_digest_of_a_blob_is_no_manifest(admin: Admin, part: int) -> None:
    """It finds no manifest under the digest of a configuration or layer, and so breaks no image."""
    image = docker_image(1)
    await admin.push(APP, image, "a")
    blob = digest_of(image.blobs[part])

    replies = [await admin.get(APP, blob, method="HEAD"), await admin.get(APP, blob), await admin.delete(APP, blob)]

    assert [reply.status for reply in replies] == [404, 404, 404]
    assert (replies[1].codes, replies[2].codes) == (["MANIFEST_UNKNOWN"], ["MANIFEST_UNKNOWN"])
    assert await admin.pulls(APP, "a")


@pytest.mark.fact("a decoy is not removed from its tags: none works there")
async def test_a_decoy_stays(admin: Admin) -> None:
    """An empty index pushed over a tag is not removed from it when it is deleted by digest: no decoy works here."""
    image, decoy = oci_image(1), empty_index(99)
    await admin.push(APP, image, "a")
    assert (await admin.put(APP, "a", decoy)).status == 201

    assert (await admin.delete(APP, decoy.digest)).status == 202

    assert await admin.digest(APP, "a") == decoy.digest
    assert await admin.pulls(APP, image.digest)


# Resolving and restoring


@pytest.mark.parametrize("kind", KINDS)
async def test_head_is_get_without_the_body(admin: Admin, kind: str) -> None:
    """HEAD has the headers of GET, the length included, and no body."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a")

    head, get = [await admin.get(APP, "a", method=method) for method in ("HEAD", "GET")]

    names = ("Content-Type", "Content-Length", "Docker-Content-Digest")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
    assert (get.headers["Content-Type"], get.headers["Docker-Content-Digest"]) == (image.media_type, image.digest)
    assert (head.body, get.body) == (b"", image.content)


@only_the_real_one
@pytest.mark.parametrize("accept", ["", "*/*", "application/vnd.docker.distribution.manifest.v2+json"])
async def test_accept_is_not_read(admin: Admin, accept: str) -> None:
    """Whatever Accept says, a tag answers with what was pushed under it."""
    image = oci_index(1)
    await admin.push(APP, image, "a")

    assert (await admin.get(APP, "a", accept)).body == image.content


@only_the_real_one
@pytest.mark.parametrize("path", ["manifests/a", f"manifests/{ZERO}", "tags/list"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_repository(admin: Admin, method: str, path: str) -> None:
    """A repository that was never pushed to is 404 NAME_UNKNOWN for its manifests too; the list has no DELETE."""
    reply = await admin.send(method, f"/v2/never/seen/{path}")

    no_method = method == "DELETE" and path == "tags/list"
    assert (reply.status, reply.codes) == ((400, ["METHOD_UNKNOWN"]) if no_method else (404, ["NAME_UNKNOWN"]))
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("kind", KINDS)
async def test_put_restores(admin: Admin, kind: str) -> None:
    """A manifest that was deleted with its tags and is PUT again has its digest and pulls; other tags stay gone."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b")
    for reference in ("a", "b", image.digest):
        await admin.delete(APP, reference)

    reply = await admin.put(APP, "a", image)

    assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)
    assert await admin.tags(APP) == {"a"}
    assert await admin.pulls(APP, "a")
    assert await admin.pulls(APP, image.digest)


async def test_put_by_digest_makes_no_tag(admin: Admin) -> None:
    """A PUT under the digest makes the manifest pull by digest only."""
    image = oci_image(1)
    await admin.push(APP, image)

    assert await admin.tags(APP) == set()
    assert await admin.pulls(APP, image.digest)


@pytest.mark.fact("a PUT of an image is taken without its blobs")
async def test_an_image_does_not_need_its_blobs(admin: Admin) -> None:
    """A PUT of an image whose blobs are not there is taken: what it answers proves nothing about them."""
    assert (await admin.put(APP, "a", oci_image(1))).status == 201
    assert not await admin.pulls(APP, "a")


@pytest.mark.fact("a PUT of an index without its children is 404 `MANIFEST_UNKNOWN`")
@only_the_real_one
async def test_index_needs_its_children_first(admin: Admin) -> None:
    """An index whose child is gone is refused with 404 MANIFEST_UNKNOWN, which names the first child."""
    image = oci_index(1)

    refused = await admin.put(APP, "a", image)

    assert (refused.status, refused.codes) == (404, ["MANIFEST_UNKNOWN"])
    assert refused.json["errors"][0]["message"] == f'Sub-manifest "{image.children[0].digest}" not found'


@only_the_real_one
@pytest.mark.parametrize("media_type", ["", "application/json", "application/vnd.oci.empty.v1+json"])
async def test_a_child_of_another_type_is_not_looked_for(admin: Admin, media_type: str) -> None:
    """An index is taken whose children are not there, if their descriptors do not call them manifests."""
    image = oci_index(1)
    fields = json.loads(image.content)
    for entry in fields["manifests"]:
        entry["mediaType"] = media_type

    assert (await admin.put(APP, "a", replace(image, content=json.dumps(fields).encode()))).status == 201


@only_the_real_one
@pytest.mark.parametrize("content", [b"garbage", b""])
async def test_garbage_is_taken_for_an_image(admin: Admin, content: bytes) -> None:
    """What is no index by its type is not looked at: a PUT of garbage is 201, and GET gives it back."""
    assert (await admin.put(APP, "a", Image("nonsense", content))).status == 201

    reply = await admin.get(APP, "a")
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "nonsense", content)
    assert reply.headers["Docker-Content-Digest"] == digest_of(content)


# Listing


async def fill(admin: Admin) -> list[str]:
    """Push tags whose order tells bytes from numbers; return them sorted."""
    images = many_images(["V", "v1.0", "v1-0", *(f"v{number}" for number in range(9))])
    await admin.push_many(APP, images)
    return sorted(images)


async def listed(admin: Admin, query: str) -> list[str] | None:
    """One page of tags; it never has a Link."""
    reply = await admin.call("GET", f"/v2/{APP}/tags/list{query}")
    assert (reply.status, reply.json["name"], "Link" in reply.headers) == (200, APP, False)
    tags: list[str] | None = reply.json["tags"]
    return tags


async def test_tag_list(admin: Admin) -> None:
    """Without `n` all tags come, sorted by their bytes."""
    tags = await fill(admin)

    assert await listed(admin, "") == tags
    assert await listed(admin, "?n=") == tags


@pytest.mark.fact("a page is cut at `n` without a Link")
async def test_tag_list_in_pages_without_links(admin: Admin) -> None:
    """With `n` the list is cut, and nothing says so: who does not ask on with `last` misses the rest."""
    tags = await fill(admin)

    assert await listed(admin, "?n=5") == tags[:5]
    assert await listed(admin, f"?n=5&last={tags[4]}") == tags[5:10]
    assert await listed(admin, f"?n=5&last={tags[9]}") == tags[10:]


@pytest.mark.fact("a `last` behind which nothing comes is ignored: the list begins again")
async def test_tag_list_after_its_end(admin: Admin) -> None:
    """After the last tag the list begins again: who asks on must see that nothing new came."""
    tags = await fill(admin)

    assert await listed(admin, f"?last={tags[-1]}") == tags
    assert await listed(admin, f"?n=5&last={tags[-1]}") == tags[:5]


async def test_tag_list_after_its_cursor_was_deleted(admin: Admin) -> None:
    """A page that follows a tag which is gone by now skips nothing."""
    tags = await fill(admin)
    await admin.delete(APP, tags[4])

    assert await listed(admin, f"?n=5&last={tags[4]}") == tags[5:10]


async def test_tag_list_of_untagged_images(admin: Admin) -> None:
    """Digests are no tags: a repository with untagged images only has none."""
    await admin.push(APP, oci_image(1), "a")
    await admin.push(APP, oci_image(2))

    assert await listed(admin, "") == ["a"]


@only_the_real_one
async def test_tag_list_with_junk(admin: Admin) -> None:
    """An `n` that is no number is 400 BAD_REQUEST."""
    await admin.push(APP, oci_image(1), "a")

    reply = await admin.call("GET", f"/v2/{APP}/tags/list?n=junk")

    assert (reply.status, reply.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.fact("the catalog is cut at `n`, unsorted, without a Link")
@only_the_real_one
async def test_catalog(admin: Admin) -> None:
    """The catalog has every repository in no order, cut at `n`, with no way to the rest; an empty one is `null`."""

    async def catalog(query: str) -> Reply:
        reply = await admin.call("GET", f"/v2/_catalog{query}")
        assert (reply.status, "Link" in reply.headers) == (200, False)
        return reply

    assert (await catalog("")).json == {"repositories": None}
    for name in ("a/b", "c", "d/e/f"):
        await admin.put(name, "x", empty_index(1))
    assert set((await catalog("")).json["repositories"]) == {"a/b", "c", "d/e/f"}
    assert len((await catalog("?n=2")).json["repositories"]) == 2
    assert len((await catalog("?n=2&last=c")).json["repositories"]) == 2


# Referrers and users


@pytest.mark.fact("there is no referrers API: 404 `METHOD_UNKNOWN`")
@only_the_real_one
async def test_no_referrers_api(admin: Admin) -> None:
    """There is no referrers API: 404 METHOD_UNKNOWN; what is attached is pushed like anything else."""
    subject = oci_image(1)
    await admin.push(APP, subject, "a")
    await admin.push(APP, artifact(1, subject))

    reply = await admin.send("GET", f"/v2/{APP}/referrers/{subject.digest}")

    assert (reply.status, reply.codes) == (404, ["METHOD_UNKNOWN"])


async def test_nobody_is_asked_who_he_is(admin: Admin) -> None:
    """`/v2/` answers 200 without a challenge, and a wrong password is not looked at."""
    bare = await admin.send("GET", "/v2/")
    wrong = await admin.send("GET", "/v2/", headers={"Authorization": "Basic d3Jvbmc6d3Jvbmc="})

    assert (bare.status, wrong.status, "WWW-Authenticate" in bare.headers) == (200, 200, False)
