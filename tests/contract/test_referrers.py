"""The sandbox's referrers API (distribution-spec 1.1), which neither generation of distribution has."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bulkrm.sandbox import (
    Image,
    Sandbox,
    SandboxSettings,
    artifact,
    docker_list,
    empty_index,
    fallback_index,
    fallback_tag,
    oci_image,
    put_image,
)
from tests.support.admin import Admin

APP = "team/app"
ZERO = "sha256:" + "0" * 64
INDEX = "application/vnd.oci.image.index.v1+json"
SBOM = "application/vnd.example.sbom.v1"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A registry with the API."""
    async with Sandbox(SandboxSettings(referrers=True)) as started:
        yield started


@pytest.fixture
async def admin(sandbox: Sandbox) -> AsyncIterator[Admin]:
    """A client of it that may do everything."""
    async with Admin(sandbox.url) as client:
        yield client


def attach(sandbox: Sandbox, subject: Image, *artifacts: Image) -> list[str]:
    """Put a subject with its artifacts; return their digests, sorted."""
    put_image(sandbox.store, APP, ["a"], subject)
    return sorted(put_image(sandbox.store, APP, (), one) for one in artifacts)


async def test_referrers(sandbox: Sandbox, admin: Admin) -> None:
    """It lists what has the digest as its subject, sorted, with media type, size, kind and annotations."""
    subject = docker_list(1)
    attached = attach(sandbox, subject, *(artifact(seed, subject) for seed in range(3)), artifact(9, oci_image(9)))
    attached.remove(artifact(9, oci_image(9)).digest)

    reply = await admin.call("GET", f"/v2/{APP}/referrers/{subject.digest}")

    first = next(one for seed in range(3) if (one := artifact(seed, subject)).digest == attached[0])
    assert (reply.status, reply.headers["Content-Type"], reply.next_page) == (200, INDEX, "")
    assert (reply.json["schemaVersion"], reply.json["mediaType"]) == (2, INDEX)
    assert [entry["digest"] for entry in reply.json["manifests"]] == attached
    assert reply.json["manifests"][0] == {
        "mediaType": first.media_type,
        "size": len(first.content),
        "digest": first.digest,
        "artifactType": "application/vnd.example.signature.v1",
        "annotations": json.loads(first.content)["annotations"],
    }


async def test_kind_of_artifact(sandbox: Sandbox, admin: Admin) -> None:
    """Without a kind of its own an image manifest is of its configuration's; an index is then of none."""
    subject = oci_image(1)
    entry = {"mediaType": subject.media_type, "size": len(subject.content), "digest": subject.digest}
    for image in (oci_image(2), empty_index(2)):
        content = json.dumps({**json.loads(image.content), "subject": entry}).encode()
        put_image(sandbox.store, APP, (), replace(image, content=content))

    reply = await admin.call("GET", f"/v2/{APP}/referrers/{subject.digest}")

    assert {entry["mediaType"]: entry.get("artifactType") for entry in reply.json["manifests"]} == {
        INDEX: None,
        "application/vnd.oci.image.manifest.v1+json": "application/vnd.oci.image.config.v1+json",
    }


@pytest.mark.parametrize("repository", [APP, "never/seen"])
async def test_nothing_attached(admin: Admin, repository: str) -> None:
    """A digest that nobody knows has an empty list, also in a repository that was never seen."""
    await admin.push(APP, oci_image(1), "a")

    reply = await admin.call("GET", f"/v2/{repository}/referrers/{ZERO}")

    assert reply.status == 200
    assert reply.json == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}


async def test_deletion(sandbox: Sandbox, admin: Admin) -> None:
    """A deleted artifact leaves the list; a deleted subject keeps it."""
    subject = oci_image(1)
    first, second = attach(sandbox, subject, artifact(1, subject), artifact(2, subject))

    for digest in (first, subject.digest):
        assert (await admin.delete(APP, digest)).status == 202

    assert await admin.referrers(APP, subject.digest) == [second]


@pytest.mark.parametrize("absolute_links", [True, False])
async def test_pages(sandbox: Sandbox, admin: Admin, *, absolute_links: bool) -> None:
    """With a page size the list comes in pages, as the tags do; a filter holds for all of them."""
    sandbox.change(page_size=2, absolute_links=absolute_links)
    subject = oci_image(1)
    signatures = attach(sandbox, subject, *(artifact(seed, subject) for seed in range(5)))
    sboms = attach(sandbox, subject, *(artifact(seed, subject, SBOM) for seed in range(3)))

    first = await admin.call("GET", f"/v2/{APP}/referrers/{subject.digest}?artifactType={SBOM}")
    second = await admin.call("GET", first.next_page)

    assert await admin.referrers(APP, subject.digest) == sorted([*signatures, *sboms])
    assert first.next_page.startswith("http://" if absolute_links else "/v2/")
    assert [entry["digest"] for page in (first, second) for entry in page.json["manifests"]] == sboms
    assert {page.headers["OCI-Filters-Applied"] for page in (first, second)} == {"artifactType"}


async def test_filter(sandbox: Sandbox, admin: Admin) -> None:
    """A filter that was applied is named in a header; without one there is no such header."""
    subject = oci_image(1)
    attach(sandbox, subject, artifact(1, subject))

    path = f"/v2/{APP}/referrers/{subject.digest}"
    whole, none = await admin.call("GET", path), await admin.call("GET", f"{path}?artifactType={SBOM}")

    assert ("OCI-Filters-Applied" in whole.headers, len(whole.json["manifests"])) == (False, 1)
    assert (none.headers["OCI-Filters-Applied"], none.json["manifests"]) == ("artifactType", [])


async def test_subject_header(sandbox: Sandbox, admin: Admin) -> None:
    """The answer to a PUT tells that the subject was understood, if there is one and the API is on."""
    subject = oci_image(1)
    attached = artifact(1, subject)
    await admin.push(APP, subject, "a")
    await admin.push(APP, attached)

    replies = [await admin.put(APP, attached.digest, attached), await admin.put(APP, "a", subject)]
    sandbox.change(referrers=False)
    replies.append(await admin.put(APP, attached.digest, attached))

    assert [(reply.status, reply.headers.get("OCI-Subject")) for reply in replies] == [
        (201, subject.digest),
        (201, None),
        (201, None),
    ]


async def test_fallback_tag_is_no_referrer(sandbox: Sandbox, admin: Admin) -> None:
    """A list that a client left under the fallback tag has no subject, so it is listed nowhere."""
    subject = oci_image(1)
    attached = artifact(1, subject)
    attach(sandbox, subject, attached)
    put_image(sandbox.store, APP, [fallback_tag(subject)], fallback_index([attached]))

    assert await admin.referrers(APP, subject.digest) == [attached.digest]


async def test_it_needs_pull(sandbox: Sandbox, admin: Admin) -> None:
    """Who may not pull may not ask."""
    bare = await admin.send("GET", f"/v2/{APP}/referrers/{ZERO}")
    token = await admin.token(sandbox.realm, f"repository:{APP}:delete")
    refused = await admin.send("GET", f"/v2/{APP}/referrers/{ZERO}", headers={"Authorization": f"Bearer {token}"})

    assert f'scope="repository:{APP}:pull"' in bare.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("digest", ["a", "sha256:0", "sha256:" + "A" * 64])
async def test_malformed_digest(admin: Admin, digest: str) -> None:
    """What is no digest is 400."""
    reply = await admin.call("GET", f"/v2/{APP}/referrers/{digest}")

    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])


async def test_wrong_method(admin: Admin) -> None:
    """It can only be read."""
    reply = await admin.call("DELETE", f"/v2/{APP}/referrers/{ZERO}")

    assert (reply.status, reply.headers["Allow"]) == (405, "GET")


async def test_off(sandbox: Sandbox, admin: Admin) -> None:
    """Switched off it answers as distribution does, which has no such path: 404 before any authentication."""
    sandbox.change(referrers=False)

    reply = await admin.send("GET", f"/v2/{APP}/referrers/{ZERO}")

    assert (reply.status, reply.body) == (404, b"404 page not found\n")
