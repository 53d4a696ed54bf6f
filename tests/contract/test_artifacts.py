"""Manifests that are attached to others (image-spec 1.1, `subject`), on registries that have no referrers API."""

from collections.abc import Callable

import pytest

from bulkrm.sandbox import (
    Image,
    artifact,
    docker_image,
    docker_list,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
)
from tests.support.admin import Admin
from tests.support.registries import KINDS, KINDS_3, cases

SERVERS = "distribution 2.8.2, 3.1.1"
APP = "team/app"
ZERO = "sha256:" + "0" * 64
SUBJECTS: dict[str, Callable[[int], Image]] = {
    "docker": docker_image,
    "oci": oci_image,
    "list": docker_list,
    "index": oci_index,
}


@pytest.fixture(params=cases((*KINDS, *KINDS_3)))
def registry_kind(request: pytest.FixtureRequest) -> str:
    """Both generations, each in the sandbox and for real."""
    return str(request.param)


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_an_artifact_goes_in_and_out(admin: Admin, kind: str) -> None:
    """An artifact is accepted with its subject, and read back byte for byte; no header tells of the subject."""
    subject = SUBJECTS[kind](1)
    attached = artifact(1, subject)
    await admin.push(APP, subject, "a")
    await admin.push(APP, attached)

    reply = await admin.put(APP, attached.digest, attached)

    assert (reply.status, "OCI-Subject" in reply.headers) == (201, False)
    assert (await admin.get(APP, attached.digest)).body == attached.content
    assert await admin.pulls(APP, attached.digest)
    assert await admin.tags(APP) == {"a"}


async def test_an_artifact_before_its_subject(admin: Admin) -> None:
    """The subject need not be there."""
    attached = artifact(1, oci_image(1))

    await admin.push(APP, attached, "signature")

    assert await admin.pulls(APP, "signature")


async def test_artifacts_of_artifacts(admin: Admin) -> None:
    """A signature may have a signature."""
    first = artifact(1, oci_image(1))
    second = artifact(2, first)
    for one in (oci_image(1), first, second):
        await admin.push(APP, one)

    assert await admin.pulls(APP, second.digest)


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_fallback_tag(admin: Admin, kind: str) -> None:
    """The list of referrers that a client keeps under the fallback tag is an index like any other."""
    subject = SUBJECTS[kind](1)
    listed = fallback_index([artifact(1, subject), artifact(2, subject, "application/vnd.example.sbom.v1")])
    await admin.push(APP, subject, "a")

    await admin.push(APP, listed, fallback_tag(subject))

    reply = await admin.get(APP, fallback_tag(subject))
    assert [entry["artifactType"] for entry in reply.json["manifests"]] == [
        "application/vnd.example.signature.v1",
        "application/vnd.example.sbom.v1",
    ]
    assert (reply.body, reply.headers["Docker-Content-Digest"]) == (listed.content, listed.digest)
    assert await admin.tags(APP) == {"a", "sha256-" + subject.digest.removeprefix("sha256:")}
    assert await admin.pulls(APP, fallback_tag(subject))


@pytest.mark.fact("a deleted subject leaves what is attached to it")
async def test_deletion_leaves_what_is_attached(admin: Admin) -> None:
    """A deleted subject leaves its artifacts and their list; a deleted artifact leaves the list, broken."""
    subject = oci_image(1)
    attached = artifact(1, subject)
    await admin.push(APP, subject, "a")
    await admin.push(APP, fallback_index([attached]), fallback_tag(subject))

    assert (await admin.delete(APP, subject.digest)).status == 202
    assert await admin.tags(APP) == {fallback_tag(subject)}
    assert await admin.pulls(APP, fallback_tag(subject))
    assert (await admin.delete(APP, attached.digest)).status == 202
    assert await admin.tags(APP) == {fallback_tag(subject)}
    assert not await admin.pulls(APP, fallback_tag(subject))


async def test_nested_index(admin: Admin) -> None:
    """An index may name indexes."""
    nested = index_of([oci_index(1), oci_index(2)])

    await admin.push(APP, nested, "a")

    assert await admin.pulls(APP, "a")


@pytest.mark.fact("there is no referrers API: 404 in plain text")
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
async def test_no_referrers_api(admin: Admin, method: str) -> None:
    """There is no referrers API: 404 in plain text, without asking for a token, whatever the digest."""
    digest = await admin.push(APP, oci_image(1), "a")

    for asked in (digest, ZERO):
        reply = await admin.send(method, f"/v2/{APP}/referrers/{asked}")
        assert (reply.status, reply.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
        assert reply.body == (b"" if method == "HEAD" else b"404 page not found\n")
    assert await admin.referrers(APP, digest) is None
