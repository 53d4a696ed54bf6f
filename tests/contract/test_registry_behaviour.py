"""What distribution 2.8.2 does, asked of the real one and of the sandbox: so the sandbox cannot drift from it."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bulkrm.sandbox import Auth, Image, User, docker_image, docker_list, empty_index, oci_image, oci_index
from tests.support.admin import ALL_TYPES, Admin, Reply, digest_of, many_images
from tests.support.registries import KINDS as KINDS_2
from tests.support.registries import Registry, Start, cases

SERVERS = "distribution 2.8.2"
APP = "team/app"
ZERO = "sha256:" + "0" * 64
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
KINDS: dict[str, Callable[[int], Image]] = {
    "docker": docker_image,
    "oci": oci_image,
    "list": docker_list,
    "index": oci_index,
    "empty": empty_index,
}


@pytest.fixture(params=cases(KINDS_2))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """The sandbox, then the real thing."""
    return str(request.param)


def config_of(image: Image) -> str:
    """The digest of the configuration: what people know as the image ID."""
    return str(json.loads(image.content)["config"]["digest"])


# Deletion


@pytest.mark.fact("DELETE of a digest removes all its tags")
@pytest.mark.parametrize("kind", KINDS)
async def test_delete_by_digest_takes_all_tags(admin: Admin, kind: str) -> None:
    """DELETE of a digest answers 202 with nothing in it, and all tags on the digest are gone."""
    digest = await admin.push(APP, KINDS[kind](1), "a", "b")
    await admin.push(APP, oci_image(2), "other")

    reply = await admin.delete(APP, digest)

    assert (reply.status, reply.body, "Content-Type" in reply.headers) == (202, b"", False)
    assert await admin.tags(APP) == {"other"}
    assert await admin.digest(APP, "a") is None
    assert await admin.digest(APP, digest) is None


async def test_delete_again(admin: Admin) -> None:
    """The second DELETE of a digest answers 404 MANIFEST_UNKNOWN."""
    digest = await admin.push(APP, docker_image(1), "a")
    await admin.delete(APP, digest)

    reply = await admin.delete(APP, digest)

    assert reply.status == 404
    assert reply.json == {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}


@pytest.mark.fact("an unknown digest is 404 `MANIFEST_UNKNOWN`, also in an unknown repository")
@pytest.mark.parametrize("repository", [APP, "never/seen", "other/app", "Upper/case"])
async def test_delete_of_what_is_not_there(admin: Admin, repository: str) -> None:
    """A digest that the repository does not have answers 404, be the repository known or not."""
    digest = await admin.push("other/app", oci_image(1), "a") if repository == APP else ZERO

    reply = await admin.delete(repository, digest)

    assert (reply.status, reply.codes) == (404, ["MANIFEST_UNKNOWN"])


@pytest.mark.fact("DELETE of a tag is 400 `DIGEST_INVALID` and removes nothing")
@pytest.mark.parametrize("reference", ["1.0", "absent", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 32])
async def test_delete_needs_a_digest(admin: Admin, reference: str) -> None:
    """DELETE of a tag or a malformed digest answers 400 DIGEST_INVALID, and the tag stays."""
    await admin.push(APP, docker_image(1), "1.0")

    reply = await admin.delete(APP, reference)

    assert reply.status == 400
    assert reply.json == {
        "errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match uploaded content"}]
    }
    assert await admin.tags(APP) == {"1.0"}


@pytest.mark.fact("what is neither tag nor digest finds no route: 404 in plain text")
@pytest.mark.parametrize("reference", ["", "-x", "a b", "x" * 129])
async def test_no_route(admin: Admin, reference: str) -> None:
    """A reference that is neither tag nor digest finds no route: plain text, without asking for credentials."""
    reply = await admin.send("DELETE", f"/v2/{APP}/manifests/{reference.replace(' ', '%20')}")

    assert (reply.status, reply.body) == (404, b"404 page not found\n")
    assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/nothing", f"/v2/{APP}/referrers/{ZERO}", f"/v2/{APP}/blobs/nope"])
async def test_other_paths(admin: Admin, path: str) -> None:
    """So does any other path, the referrers API included."""
    reply = await admin.send("GET", path)

    assert (reply.status, reply.body) == (404, b"404 page not found\n")


@pytest.mark.fact("where deletion is disabled every DELETE is 405 `UNSUPPORTED`, before any lookup: a probe is safe")
@pytest.mark.parametrize("reference", ["known", "a", "absent", ZERO])
async def test_deletion_disabled(registry: Registry, reference: str) -> None:
    """Where deletion is disabled every DELETE answers 405 UNSUPPORTED in JSON, before any lookup."""
    digest = await registry.admin.push(APP, docker_image(1), "a")
    await registry.change(delete_enabled=False)

    reply = await registry.admin.delete(APP, digest if reference == "known" else reference)

    assert reply.status == 405
    assert reply.json == {"errors": [{"code": "UNSUPPORTED", "message": "The operation is unsupported."}]}
    assert await registry.admin.digest(APP, "a") == digest


@pytest.mark.fact("read-only is 405 in plain text, with `Allow: GET, HEAD`")
async def test_read_only(registry: Registry) -> None:
    """In read-only mode DELETE and PUT answer 405 in plain text, with the methods that are left; reading works."""
    image = docker_image(1)
    digest = await registry.admin.push(APP, image, "a")
    await registry.change(read_only=True)

    for reply in (await registry.admin.delete(APP, digest), await registry.admin.put(APP, "a", image)):
        assert (reply.status, reply.body) == (405, b"Method not allowed\n")
        assert reply.headers["Content-Type"].startswith("text/plain")
        assert reply.headers["Allow"] == "GET, HEAD"
    assert await registry.admin.digest(APP, "a") == digest


@pytest.mark.fact("the children of a deleted index stay, untagged")
@pytest.mark.parametrize("make", [docker_list, oci_index])
async def test_delete_of_an_index_keeps_its_children(admin: Admin, make: Callable[[int], Image]) -> None:
    """The children of a deleted index stay, untagged."""
    image = make(1)
    await admin.push(APP, image, "multi")

    assert (await admin.delete(APP, image.digest)).status == 202

    assert [await admin.digest(APP, child.digest) for child in image.children] == [
        child.digest for child in image.children
    ]


@pytest.mark.fact("a child can be deleted while an index names it")
async def test_delete_of_a_child_breaks_its_index(admin: Admin) -> None:
    """A child can be deleted while its index is there; the index still answers, broken."""
    image = oci_index(1)
    await admin.push(APP, image, "multi")

    assert (await admin.delete(APP, image.children[0].digest)).status == 202

    assert await admin.digest(APP, "multi") == image.digest
    assert not await admin.pulls(APP, "multi")


async def test_parallel_deletes_of_one_digest(admin: Admin) -> None:
    """Of several DELETEs of one digest at once, one wins; the others find nothing."""
    digest = await admin.push(APP, docker_image(1), "a")
    await admin.delete(APP, ZERO)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(admin.delete(APP, digest)) for _ in range(8)]

    statuses = [task.result().status for task in tasks]
    assert 202 in statuses
    assert set(statuses) <= {202, 404}
    assert await admin.tags(APP) == set()


async def test_many_parallel_deletes(admin: Admin) -> None:
    """Many digests deleted at once are all gone, and nothing else is."""
    images = many_images(f"t{number}" for number in range(60))
    await admin.push_many(APP, images)
    deletions = [image for tag, image in images.items() if not tag.endswith("7")]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(admin.delete(APP, image.digest)) for image in deletions]

    assert {task.result().status for task in tasks} == {202}
    assert await admin.tags(APP) == {"t7", "t17", "t27", "t37", "t47", "t57"}


@pytest.mark.fact("DELETE of a blob's digest as a manifest unlinks the blob")
@pytest.mark.parametrize("part", ["config", "layer"])
async def test_delete_of_a_blob_digest_breaks_the_image(admin: Admin, part: str) -> None:
    """A DELETE of a config or layer digest as a manifest unlinks that blob: 202, and the image no longer pulls."""
    image = docker_image(1)
    await admin.push(APP, image, "a")
    blob = digest_of(image.blobs[0 if part == "config" else 1])

    assert (await admin.get(APP, blob, method="HEAD")).status == 500
    reply = await admin.get(APP, blob)
    assert (reply.status, reply.codes) == (500, ["UNKNOWN"])
    assert (await admin.delete(APP, blob)).status == 202

    assert await admin.digest(APP, "a") == image.digest
    assert not await admin.pulls(APP, "a")
    assert (await admin.delete(APP, blob)).status == 404
    again = await admin.put(APP, "a", image)
    assert (again.status, again.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])


async def test_delete_of_a_foreign_blob_digest(admin: Admin) -> None:
    """A blob of another repository is out of reach."""
    image = docker_image(1)
    await admin.push(APP, image, "a")
    await admin.push("other/app", oci_image(2), "a")

    assert (await admin.delete("other/app", config_of(image))).status == 404
    assert await admin.pulls(APP, "a")


# Resolving

ACCEPTS = {"none": "", "any": "*/*", "docker": DOCKER, "list": LIST, "oci": OCI, "index": INDEX, "all": ALL_TYPES}
CONVERTED = "schema 1"
CHILD = "amd64 child"
RIGHT = "right"
UNKNOWN = "unknown"
BY_TAG = {
    "docker": {"docker": RIGHT, "all": RIGHT, "*": CONVERTED},
    "list": {"list": RIGHT, "all": RIGHT, "docker": CHILD, "*": CONVERTED},
    "oci": {"oci": RIGHT, "all": RIGHT, "*": UNKNOWN},
    "index": {"index": RIGHT, "all": RIGHT, "*": UNKNOWN},
}
BY_DIGEST = {
    "docker": {"*": RIGHT},
    "list": {"*": RIGHT},
    "oci": {"oci": RIGHT, "all": RIGHT, "*": UNKNOWN},
    "index": {"index": RIGHT, "all": RIGHT, "*": UNKNOWN},
}


def described(reply: Reply, image: Image) -> str:
    """Say which of the four things the registry answered."""
    if reply.status == 404:
        assert reply.codes == ["MANIFEST_UNKNOWN"]
        assert "accept header does not support OCI" in reply.json["errors"][0]["message"]
        return UNKNOWN
    assert reply.status == 200
    digest, media_type = reply.headers["Docker-Content-Digest"], reply.headers["Content-Type"]
    assert reply.headers["Etag"] == f'"{digest}"'
    if media_type == SCHEMA1:
        assert digest != image.digest
        return CONVERTED
    assert digest == digest_of(reply.body)
    known = {image.digest: RIGHT, **{child.digest: CHILD for child in image.children[:1]}}
    return known[digest]


@pytest.mark.fact("Accept decides what a tag answers with; without a known type it is converted")
@pytest.mark.parametrize("kind", BY_TAG)
async def test_accept(admin: Admin, kind: str) -> None:
    """The media types in Accept decide what a tag answers with; a digest answers with itself or not at all."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a")

    by_tag = {name: described(await admin.get(APP, "a", accept), image) for name, accept in ACCEPTS.items()}
    by_digest = {name: described(await admin.get(APP, image.digest, accept), image) for name, accept in ACCEPTS.items()}

    assert by_tag == {name: BY_TAG[kind].get(name, BY_TAG[kind]["*"]) for name in ACCEPTS}
    assert by_digest == {name: BY_DIGEST[kind].get(name, BY_DIGEST[kind]["*"]) for name in ACCEPTS}


async def test_converted_digest_is_nowhere(admin: Admin) -> None:
    """The digest of a converted manifest cannot be deleted."""
    await admin.push(APP, docker_image(1), "a")
    converted = (await admin.get(APP, "a", "*/*")).headers["Docker-Content-Digest"]

    assert (await admin.delete(APP, converted)).status == 404
    assert await admin.pulls(APP, "a")


@pytest.mark.fact("HEAD has the headers of GET")
@pytest.mark.parametrize("kind", KINDS)
async def test_head_is_get_without_the_body(admin: Admin, kind: str) -> None:
    """HEAD has the headers of GET, the length included, and no body."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a")

    head, get = [await admin.get(APP, "a", method=method) for method in ("HEAD", "GET")]

    names = ("Content-Type", "Content-Length", "Docker-Content-Digest", "Etag", "Docker-Distribution-Api-Version")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
    assert (head.headers["Content-Length"], head.body) == (str(len(image.content)), b"")
    assert get.body == image.content


async def test_not_modified(admin: Admin) -> None:
    """`If-None-Match` with the digest answers 304 without a body."""
    digest = await admin.push(APP, oci_image(1), "a")

    headers = {"Accept": ALL_TYPES, "If-None-Match": f'"{digest}"'}
    reply = await admin.call("GET", f"/v2/{APP}/manifests/a", headers=headers)

    assert (reply.status, reply.body) == (304, b"")


@pytest.mark.parametrize("repository", [APP, "never/seen"])
async def test_unknown_manifest(admin: Admin, repository: str) -> None:
    """An unknown tag or digest answers 404 MANIFEST_UNKNOWN, also in a repository that was never seen."""
    await admin.push(APP, oci_image(1), "a")

    by_tag, by_digest = await admin.get(repository, "absent"), await admin.get(repository, ZERO)

    assert (by_tag.status, by_digest.status) == (404, 404)
    assert by_tag.json["errors"] == [
        {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "absent"}}
    ]
    assert by_digest.json["errors"] == [
        {
            "code": "MANIFEST_UNKNOWN",
            "message": "manifest unknown",
            "detail": {"Name": repository, "Revision": ZERO},
        }
    ]


# Restoring


@pytest.mark.fact("a PUT of a deleted manifest restores it, without its other tags")
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


async def test_put_by_digest_makes_no_tag(admin: Admin) -> None:
    """A PUT under the digest makes the manifest pull by digest only."""
    image = oci_image(1)
    await admin.push(APP, image, "a")
    await admin.delete(APP, image.digest)

    assert (await admin.put(APP, image.digest, image)).status == 201

    assert await admin.tags(APP) == set()
    assert await admin.pulls(APP, image.digest)


@pytest.mark.fact("a PUT of an index needs its children first")
async def test_index_needs_its_children_first(admin: Admin) -> None:
    """An index whose children are gone is refused, one error for each, until the children are back."""
    image = oci_index(1)
    await admin.push(APP, image, "a")
    for one in (image, *image.children):
        await admin.delete(APP, one.digest)

    refused = await admin.put(APP, "a", image)
    for child in image.children:
        await admin.put(APP, child.digest, child)

    assert refused.status == 400
    assert refused.json["errors"] == [
        {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry", "detail": child.digest}
        for child in image.children
    ]
    assert (await admin.put(APP, "a", image)).status == 201
    assert await admin.pulls(APP, "a")


@pytest.mark.parametrize("make", [docker_image, oci_image])
async def test_image_needs_its_blobs_first(admin: Admin, make: Callable[[int], Image]) -> None:
    """An image whose blobs the repository does not have is refused, one error for each."""
    image = make(1)

    reply = await admin.put(APP, "a", image)

    assert reply.status == 400
    assert {error["detail"] for error in reply.json["errors"]} == {digest_of(blob) for blob in image.blobs}
    assert set(reply.codes) == {"MANIFEST_BLOB_UNKNOWN"}


@pytest.mark.parametrize("content_type", ["application/json", OCI, INDEX, "application/x-unknown"])
async def test_put_with_a_wrong_type(admin: Admin, content_type: str) -> None:
    """A Content-Type other than the body's is 400 MANIFEST_INVALID."""
    image = docker_image(1)
    await admin.push(APP, image, "a")

    reply = await admin.put(APP, "b", replace(image, media_type=content_type))

    assert (reply.status, reply.codes) == (400, ["MANIFEST_INVALID"])


async def test_put_with_a_charset(admin: Admin) -> None:
    """A parameter of the Content-Type does no harm."""
    image = docker_image(1)
    await admin.push(APP, image, "a")

    assert (await admin.put(APP, "b", replace(image, media_type=f"{DOCKER}; charset=utf-8"))).status == 201


@pytest.mark.parametrize("media_type", [OCI, INDEX])
async def test_put_without_a_type_in_the_body(admin: Admin, media_type: str) -> None:
    """An OCI document may leave its type away: then the header decides, and is what GET answers."""
    image = oci_image(1) if media_type == OCI else empty_index(1)
    fields = json.loads(image.content)
    del fields["mediaType"]
    bare = replace(image, content=json.dumps(fields).encode())

    await admin.push(APP, bare, "a")

    assert (await admin.get(APP, "a")).headers["Content-Type"] == media_type
    assert await admin.digest(APP, "a") == bare.digest


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", "MANIFEST_INVALID"), (b"[]", "MANIFEST_INVALID"), (b"{}", "MANIFEST_INVALID"), (b"", "MANIFEST_INVALID")],
)
async def test_put_of_garbage(admin: Admin, content: bytes, code: str) -> None:
    """What is no manifest is refused."""
    reply = await admin.put(APP, "a", Image(DOCKER, content))

    assert (reply.status, reply.codes) == (400, [code])


async def test_put_of_too_much(admin: Admin) -> None:
    """More than 4 MiB are refused, 4 MiB are not."""
    image = empty_index(1)
    fits = replace(image, content=image.content.ljust(4 * 1024 * 1024))

    assert (await admin.put(APP, "a", fits)).status == 201
    reply = await admin.put(APP, "a", replace(image, content=fits.content + b" "))

    assert (reply.status, reply.codes) == (400, ["MANIFEST_INVALID"])
    assert reply.json["errors"][0]["detail"] == "http: request body too large"


async def test_put_under_a_wrong_digest(admin: Admin) -> None:
    """A PUT under another digest is 400 DIGEST_INVALID."""
    reply = await admin.put(APP, ZERO, empty_index(1))

    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])


@pytest.mark.fact("DELETE of an empty index that was pushed over tags removes those tags, and no image")
@pytest.mark.parametrize("kind", ["docker", "oci", "index"])
async def test_decoy(admin: Admin, kind: str) -> None:
    """An empty index pushed over tags takes them over; its deletion removes them, and the image stays by digest."""
    image = KINDS[kind](1)
    await admin.push(APP, image, "a", "b", "keep")
    decoy = empty_index(99)
    for tag in ("a", "b"):
        assert (await admin.put(APP, tag, decoy)).status == 201

    assert (await admin.delete(APP, decoy.digest)).status == 202

    assert await admin.tags(APP) == {"keep"}
    assert await admin.pulls(APP, image.digest)


@pytest.mark.fact("after a garbage collection a PUT is refused, with the blobs that are lost")
async def test_restore_after_garbage_collection(registry: Registry) -> None:
    """After a garbage collection a PUT is refused, one error for each blob that is lost."""
    image = docker_image(1)
    await registry.admin.push(APP, image, "a")
    await registry.admin.push(APP, docker_image(2), "kept")
    await registry.admin.delete(APP, image.digest)
    await registry.collect_garbage()

    reply = await registry.admin.put(APP, "a", image)

    assert reply.status == 400
    # The layer lives on in the other image.
    assert [error["detail"] for error in reply.json["errors"]] == [config_of(image)]
    assert await registry.admin.pulls(APP, "kept")


# Blobs


async def test_upload_in_parts(admin: Admin) -> None:
    """An upload is started, continued with PATCH, asked for its progress, and finished with the digest."""
    content = b"first, second"
    digest = digest_of(content)
    octets = {"Content-Type": "application/octet-stream"}
    steps = [await admin.call("POST", f"/v2/{APP}/blobs/uploads/")]
    for part in (content[:7], content[7:]):
        steps.append(await admin.call("PATCH", steps[-1].headers["Location"], headers=octets, body=part))
    steps.append(await admin.call("GET", steps[-1].headers["Location"]))
    location = steps[-1].headers["Location"]
    wrong = await admin.call("PUT", f"{location}&digest={ZERO}")
    done = await admin.call("PUT", f"{location}&digest={digest}")
    again = await admin.call("PUT", f"{location}&digest={digest}")

    assert [(step.status, step.headers["Range"]) for step in steps] == [
        (202, "0-0"),
        (202, "0-6"),
        (202, "0-12"),
        (204, "0-12"),
    ]
    assert (wrong.status, wrong.codes) == (400, ["DIGEST_INVALID"])
    assert (done.status, done.headers["Docker-Content-Digest"]) == (201, digest)
    assert (again.status, again.codes) == (404, ["BLOB_UPLOAD_UNKNOWN"])
    assert (await admin.call("GET", f"/v2/{APP}/blobs/{digest}")).body == content


async def test_upload_given_up(admin: Admin) -> None:
    """An upload that was given up is unknown."""
    location = (await admin.call("POST", f"/v2/{APP}/blobs/uploads/")).headers["Location"]

    assert (await admin.call("DELETE", location)).status == 204
    assert (await admin.call("GET", location)).status == 404


async def test_mount(start_registry: Start) -> None:
    """A blob of another repository is mounted without sending it; one that is not there starts an upload."""
    async with start_registry(auth=Auth.NONE) as registry:
        digest = await registry.admin.push_blob("other/app", b"content")
        path = f"/v2/{APP}/blobs/uploads/?from=other/app&mount="
        mounted, refused = [await registry.admin.send("POST", path + wanted) for wanted in (digest, ZERO)]
        found = await registry.admin.send("GET", f"/v2/{APP}/blobs/{digest}")

    assert (mounted.status, mounted.headers["Docker-Content-Digest"], refused.status) == (201, digest, 202)
    assert found.body == b"content"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("digest", "status", "code"), [(ZERO, 404, "BLOB_UNKNOWN"), ("sha256:0", 400, "DIGEST_INVALID")]
)
async def test_unknown_blob(admin: Admin, method: str, digest: str, status: int, code: str) -> None:
    """An unknown blob is 404, a malformed digest 400."""
    reply = await admin.call(method, f"/v2/{APP}/blobs/{digest}")

    assert (reply.status, reply.codes) == (status, [code])


async def test_delete_blob(registry: Registry) -> None:
    """A blob can be deleted where deletion is enabled and nothing is read-only."""
    digest = await registry.admin.push_blob(APP, b"content")
    path = f"/v2/{APP}/blobs/{digest}"

    await registry.change(delete_enabled=False)
    disabled = await registry.admin.call("DELETE", path)
    await registry.change(read_only=True)
    read_only = [await registry.admin.call(*call) for call in (("DELETE", path), ("POST", f"/v2/{APP}/blobs/uploads/"))]
    await registry.change()
    deleted = await registry.admin.call("DELETE", path)

    assert (disabled.status, disabled.codes) == (405, ["UNSUPPORTED"])
    assert [(reply.status, reply.body) for reply in read_only] == [(405, b"Method not allowed\n")] * 2
    assert (deleted.status, (await registry.admin.call("GET", path)).status) == (202, 404)


@pytest.mark.parametrize(
    ("accept", "status", "code"), [(DOCKER, 404, "MANIFEST_UNKNOWN"), ("*/*", 404, "MANIFEST_UNKNOWN"), (LIST, 200, "")]
)
async def test_list_without_its_amd64_child(admin: Admin, accept: str, status: int, code: str) -> None:
    """A manifest list whose amd64 child is gone answers only to those who accept a list."""
    image = docker_list(1)
    await admin.push(APP, image, "a")
    await admin.delete(APP, image.children[0].digest)

    reply = await admin.get(APP, "a", accept)

    assert reply.status == status
    assert not code or reply.codes == [code]


async def test_conversion_needs_the_configuration(admin: Admin) -> None:
    """An image whose configuration is gone cannot be converted: 400 MANIFEST_INVALID."""
    image = docker_image(1)
    await admin.push(APP, image, "a")
    await admin.delete(APP, config_of(image))

    reply = await admin.get(APP, "a", "*/*")

    assert (reply.status, reply.codes) == (400, ["MANIFEST_INVALID"])


# Listing


async def test_tag_list(admin: Admin) -> None:
    """The tag list comes at once, whatever `n` and `last` say."""
    images = many_images(f"v{number}" for number in range(12))
    await admin.push_many(APP, images)

    reply = await admin.call("GET", f"/v2/{APP}/tags/list?n=3&last=v1")

    assert (reply.status, reply.json["name"]) == (200, APP)
    assert sorted(reply.json["tags"]) == sorted(images)
    assert "Link" not in reply.headers


async def test_tag_list_of_an_emptied_repository(admin: Admin) -> None:
    """When every tag is gone the list says `null`, and the catalog still has the repository."""
    digest = await admin.push(APP, oci_image(1), "a")
    await admin.delete(APP, digest)

    reply = await admin.call("GET", f"/v2/{APP}/tags/list")

    assert (reply.status, reply.body) == (200, b'{"name":"team/app","tags":null}\n')
    assert APP in await admin.repositories()


@pytest.mark.parametrize("untagged", [True, False])
async def test_tag_list_of_an_unknown_repository(admin: Admin, *, untagged: bool) -> None:
    """A repository that never had a tag answers 404 NAME_UNKNOWN."""
    if untagged:
        await admin.push(APP, oci_image(1))

    reply = await admin.call("GET", f"/v2/{APP}/tags/list")

    assert reply.status == 404
    assert reply.json["errors"] == [
        {"code": "NAME_UNKNOWN", "message": "repository name not known to registry", "detail": {"name": APP}}
    ]


async def test_catalog(admin: Admin) -> None:
    """The catalog is sorted and paged with a relative Link; `n` above 1000 is refused and junk ignored."""
    for name in ("c", "a/b", "b"):
        await admin.push(name, oci_image(1), "x")

    whole = await admin.call("GET", "/v2/_catalog?n=junk")
    first = await admin.call("GET", "/v2/_catalog?n=2")
    link = re.fullmatch(r'<(/v2/_catalog\?[^>]+)>; rel="next"', first.headers["Link"])
    assert link is not None
    second = await admin.call("GET", link[1])
    refused = await admin.call("GET", "/v2/_catalog?n=1001")

    assert (whole.json, "Link" in whole.headers) == ({"repositories": ["a/b", "b", "c"]}, False)
    assert (first.json, second.json) == ({"repositories": ["a/b", "b"]}, {"repositories": ["c"]})
    assert (refused.status, refused.codes) == (400, ["PAGINATION_NUMBER_INVALID"])
    assert "Link" not in second.headers


async def test_catalog_needs_blobs(admin: Admin) -> None:
    """A repository without any blob is not in the catalog, though its tags are listed."""
    await admin.push(APP, empty_index(1), "a")

    assert await admin.tags(APP) == {"a"}
    assert await admin.repositories() == []


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("HEAD", f"/v2/{APP}/tags/list", "GET"),
        ("DELETE", f"/v2/{APP}/tags/list", "GET"),
        ("POST", "/v2/_catalog", "GET"),
        ("POST", f"/v2/{APP}/manifests/a", "DELETE, GET, HEAD, PUT"),
    ],
)
async def test_wrong_method(start_registry: Start, method: str, path: str, allow: str) -> None:
    """A method that the resource does not know answers 405 in plain text with those that it does."""
    async with start_registry(auth=Auth.NONE) as registry:
        reply = await registry.admin.send(method, path)

    assert (reply.status, reply.headers["Allow"]) == (405, allow)


# Authentication


@pytest.mark.parametrize(
    ("method", "path", "actions"),
    [
        ("GET", f"/v2/{APP}/manifests/a", {"pull"}),
        ("HEAD", f"/v2/{APP}/manifests/a", {"pull"}),
        ("GET", f"/v2/{APP}/tags/list", {"pull"}),
        ("GET", f"/v2/{APP}/blobs/{ZERO}", {"pull"}),
        ("PUT", f"/v2/{APP}/manifests/a", {"pull", "push"}),
        ("POST", f"/v2/{APP}/blobs/uploads/", {"pull", "push"}),
        ("DELETE", f"/v2/{APP}/manifests/{ZERO}", {"delete"}),
    ],
)
async def test_challenge(registry: Registry, method: str, path: str, actions: set[str]) -> None:
    """Without a token the challenge names realm, service and the very actions that the request needs."""
    reply = await registry.admin.send(method, path)

    found = re.fullmatch(
        r'Bearer realm="([^"]+)",service="([^"]+)",scope="repository:team/app:([a-z,]+)"',
        reply.headers["WWW-Authenticate"],
    )
    assert found is not None
    assert reply.status == 401
    assert (found[1], found[2], set(found[3].split(","))) == (registry.realm, "sandbox", actions)
    if method != "HEAD":
        (error,) = reply.json["errors"]
        assert (error["code"], error["message"]) == ("UNAUTHORIZED", "authentication required")
        assert all(entry | {"Action": ""} == _entry("") for entry in error["detail"])
        assert {entry["Action"] for entry in error["detail"]} == actions


def _entry(action: str) -> dict[str, str]:
    return {"Type": "repository", "Class": "", "Name": APP, "Action": action}


async def test_challenge_of_the_base(registry: Registry) -> None:
    """The base path asks for a token without any scope; an empty one passes."""
    reply = await registry.admin.send("GET", "/v2/")
    token = await registry.admin.token(registry.realm)
    passed = await registry.admin.send("GET", "/v2/", headers={"Authorization": f"Bearer {token}"})

    assert reply.headers["WWW-Authenticate"] == f'Bearer realm="{registry.realm}",service="sandbox"'
    assert reply.json["errors"] == [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}]
    assert (passed.status, passed.body) == (200, b"{}")
    assert passed.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


async def test_challenge_of_the_catalog(registry: Registry) -> None:
    """The catalog has a scope of its own."""
    reply = await registry.admin.send("GET", "/v2/_catalog")

    assert 'scope="registry:catalog:*"' in reply.headers["WWW-Authenticate"]


async def test_challenge_of_a_mount(registry: Registry) -> None:
    """A mount from another repository asks for two scopes, with a blank between."""
    reply = await registry.admin.send("POST", f"/v2/{APP}/blobs/uploads/?mount={ZERO}&from=other/app")

    found = re.search(r'scope="([^"]+)"', reply.headers["WWW-Authenticate"])
    assert found is not None
    assert {scope.rpartition(":")[0] for scope in found[1].split(" ")} == {
        "repository:team/app",
        "repository:other/app",
    }


@pytest.mark.parametrize("header", [None, "Basic YWRtaW46YWRtaW4=", "Negotiate x"])
async def test_no_token(registry: Registry, header: str | None) -> None:
    """Another scheme counts as no token: a challenge without an error."""
    reply = await registry.admin.send("GET", "/v2/", headers={"Authorization": header} if header else None)

    assert reply.status == 401
    assert "error=" not in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("fault", ["garbage", "audience", "expired", "early", "signature", "issuer"])
async def test_invalid_token(registry: Registry, fault: str) -> None:
    """A token that is malformed, forged, for another service or out of date is `invalid_token`."""
    tokens, admin = registry.tokens, registry.admin
    tokens.change(skew={"expired": -400, "early": 100}.get(fault, 0))
    issuer = tokens.issuer
    tokens.issuer = "another" if fault == "issuer" else issuer
    scope = f"repository:{APP}:pull"
    token = await admin.token(registry.realm, scope, service="another" if fault == "audience" else "sandbox")
    tokens.issuer = issuer
    if fault == "signature":
        head, _, signature = token.rpartition(".")
        token = f"{head}.{signature[::-1]}"
    token = "garbage" if fault == "garbage" else token

    reply = await admin.send("GET", f"/v2/{APP}/tags/list", headers={"Authorization": f"Bearer {token}"})

    assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])
    assert reply.headers["WWW-Authenticate"].endswith(f',scope="repository:{APP}:pull",error="invalid_token"')


@pytest.mark.parametrize("skew", [-330, 30])
async def test_leeway(registry: Registry, skew: int) -> None:
    """A token is good for up to a minute before and after its time."""
    registry.tokens.change(skew=skew)
    token = await registry.admin.token(registry.realm)

    assert (await registry.admin.send("GET", "/v2/", headers={"Authorization": f"bearer {token}"})).status == 200


@pytest.mark.parametrize(
    ("held", "method", "status"),
    [
        ("pull,push", "DELETE", 401),
        ("delete", "HEAD", 401),
        ("", "GET", 401),
        ("delete", "DELETE", 404),
        ("pull,delete", "DELETE", 404),
        ("pull,delete", "HEAD", 404),
        ("*", "DELETE", 404),
        ("*", "HEAD", 404),
        ("push", "PUT", 401),
    ],
)
async def test_insufficient_scope(registry: Registry, held: str, method: str, status: int) -> None:
    """A token without the action is 401 `insufficient_scope`, never 403; `delete` is not in `push`."""
    scopes = [f"repository:{APP}:{held}"] if held else []
    token = await registry.admin.token(registry.realm, *scopes)

    reply = await registry.admin.send(
        method, f"/v2/{APP}/manifests/{ZERO}", headers={"Authorization": f"Bearer {token}"}
    )

    assert reply.status == status
    challenge = reply.headers.get("WWW-Authenticate", "")
    assert ('error="insufficient_scope"' in challenge) == (status == 401)


async def test_token_for_another_repository(registry: Registry) -> None:
    """A token is good for the repositories that it names, be they several, and for no other."""
    token = await registry.admin.token(registry.realm, "repository:a:pull repository:b:pull", "repository:c:pull")

    statuses = {}
    for name in ("a", "b", "c", "d"):
        headers = {"Authorization": f"Bearer {token}"}
        statuses[name] = (await registry.admin.send("GET", f"/v2/{name}/tags/list", headers=headers)).status

    assert statuses == {"a": 404, "b": 404, "c": 404, "d": 401}


async def test_user_with_few_rights(start_registry: Start) -> None:
    """The token server grants what is both asked for and allowed; the registry refuses the rest."""
    users = {"admin": User("admin"), "reader": User.allowed("secret", {"team/*": ["pull"]})}
    async with start_registry(users=users) as registry:
        await registry.admin.push(APP, oci_image(1), "a")
        async with Admin(registry.url, user="reader", password="secret") as reader:
            assert await reader.tags(APP) == {"a"}
            reply = await reader.delete(APP, oci_image(1).digest)

    assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])


async def test_basic(start_registry: Start) -> None:
    """With Basic authentication every request needs user and password."""
    async with start_registry(auth=Auth.BASIC) as registry:
        digest = await registry.admin.push(APP, docker_image(1), "a")
        bare = await registry.admin.send("DELETE", f"/v2/{APP}/manifests/{digest}")
        async with Admin(registry.url, user="admin", password="wrong") as stranger:
            wrong = await stranger.delete(APP, digest)
        good = await registry.admin.delete(APP, digest)

    assert (bare.status, wrong.status, good.status) == (401, 401, 202)
    assert bare.headers["WWW-Authenticate"] == wrong.headers["WWW-Authenticate"] == 'Basic realm="basic-realm"'
    assert bare.codes == ["UNAUTHORIZED"]
    assert bare.json == wrong.json
    assert bare.json["errors"][0]["detail"] == [_entry("delete")]


async def test_no_authentication(start_registry: Start) -> None:
    """Without authentication nobody is asked for anything, and a token does no harm."""
    async with start_registry(auth=Auth.NONE) as registry:
        reply = await registry.admin.send("GET", "/v2/", headers={"Authorization": "Bearer x"})

    assert reply.status == 200


async def test_tls(start_registry: Start) -> None:
    """Over TLS the same holds, with a certificate that nobody else knows."""
    async with start_registry(tls=True) as registry:
        digest = await registry.admin.push(APP, oci_image(1), "a")

        assert registry.url.startswith("https://")
        assert registry.realm.startswith("https://")
        assert await registry.admin.digest(APP, "a") == digest
