"""`--recursive`: children and what is attached goes with what the list names, unless something kept needs it."""

import pytest

from bulkrm.sandbox import (
    Sandbox,
    SandboxSettings,
    artifact,
    fallback_index,
    fallback_tag,
    index_of,
    oci_image,
    oci_index,
    put_image,
)  # fmt: skip
from tests.integration.engine import Options, delete
from tests.support.admin import Admin

APP = "team/app"
DEEP = Options(recursive=True)


async def test_children() -> None:
    """Children of a deleted index go after it, and are lines of their own that name their parent."""
    async with Sandbox() as sandbox:
        index = oci_index(seed=1)
        put_image(sandbox.store, APP, ["1.0"], index)

        done = await delete(sandbox.host, f"- {APP}:1.0", DEEP)

        parent = f"{sandbox.host}/{APP}@{index.digest}"
        assert [(entry["status"], entry["source"], entry["parent"]) for entry in done.images] == [
            ("deleted", "images.yaml:3", None), ("deleted", None, parent), ("deleted", None, parent),
        ]  # fmt: skip
        assert sandbox.store.digests(APP) == set()
        assert done.report.orphans == 0


async def test_orphans_are_counted() -> None:
    """Without it the report counts what stays behind."""
    async with Sandbox() as sandbox:
        index = oci_index(seed=1)
        put_image(sandbox.store, APP, ["1.0"], index)
        put_image(sandbox.store, APP, [f"{fallback_tag(index)}.sig"], oci_image(seed=7))

        done = await delete(sandbox.host, f"- {APP}:1.0")

        assert done.statuses == {f"{APP}:1.0": "deleted"}
        assert done.report.orphans == 3


async def test_a_child_that_is_missing_is_no_orphan() -> None:
    """A child that an index names, and that does not exist, does not stay behind."""
    async with Sandbox() as sandbox, Admin(sandbox.url) as admin:
        one, two = oci_image(seed=1), oci_image(seed=2)
        put_image(sandbox.store, APP, ["gone"], index_of([one, two]))
        await admin.delete(APP, one.digest)

        done = await delete(sandbox.host, f"- {APP}:gone", DEEP)

        assert done.statuses == {f"{APP}:gone": "deleted", f"{APP}@{two.digest}": "deleted"}
        assert not sandbox.store.digests(APP)
        assert done.report.orphans == 0


async def test_a_shared_child_stays() -> None:
    """A child that a kept index or a tag needs stays, and is no line of the report."""
    async with Sandbox() as sandbox:
        one, two, three = (oci_image(seed=number) for number in (1, 2, 3))
        put_image(sandbox.store, APP, ["gone"], index_of([one, two, three]))
        put_image(sandbox.store, APP, ["kept"], index_of([one]))
        put_image(sandbox.store, APP, ["named"], two)

        done = await delete(sandbox.host, f"- {APP}:gone", DEEP)

        assert done.statuses == {f"{APP}:gone": "deleted", f"{APP}@{three.digest}": "deleted"}
        assert {one.digest, two.digest} <= sandbox.store.digests(APP)
        assert done.code == 0


@pytest.mark.parametrize("api", [True, False])
async def test_referrers(*, api: bool) -> None:
    """Referrers go with their subject, found by the API or by the fallback tag; a referrer's referrer as well."""
    async with Sandbox(SandboxSettings(referrers=api)) as sandbox:
        image = oci_image(seed=1)
        sbom = artifact(2, image)
        signature = artifact(3, sbom)
        put_image(sandbox.store, APP, ["1.0"], image)
        for referrer, subject in ((sbom, image), (signature, sbom)):
            put_image(sandbox.store, APP, (), referrer)
            if not api:
                put_image(sandbox.store, APP, [fallback_tag(subject)], fallback_index([referrer]))

        done = await delete(sandbox.host, f"- {APP}:1.0", DEEP)

        assert {entry["status"] for entry in done.images} == {"deleted"}
        assert sandbox.store.digests(APP) == set()


async def test_what_only_claims_to_be_attached_stays() -> None:
    """What an index of referrers names, but is attached to something else or to nothing, stays."""
    async with Sandbox() as sandbox:
        image, other = oci_image(seed=1), oci_image(seed=2)
        stranger = artifact(3, other)
        put_image(sandbox.store, APP, ["1.0"], image)
        put_image(sandbox.store, APP, (), other)
        put_image(sandbox.store, APP, (), stranger)
        put_image(sandbox.store, APP, [fallback_tag(image)], fallback_index([stranger, other]))

        done = await delete(sandbox.host, f"- {APP}:1.0", DEEP)

        assert {entry["status"] for entry in done.images} == {"deleted"}
        assert sandbox.store.digests(APP) == {stranger.digest, other.digest}
        assert sandbox.store.tags(APP) == []


async def test_cosign_tags() -> None:
    """Signatures, attestations and SBOMs under cosign's tags go; the glob `*` alone never matches them."""
    async with Sandbox() as sandbox:
        image = oci_image(seed=1)
        put_image(sandbox.store, APP, ["1.0"], image)
        for number, suffix in enumerate((".sig", ".att", ".sbom"), 5):
            put_image(sandbox.store, APP, [fallback_tag(image) + suffix], oci_image(seed=number))

        shallow = await delete(sandbox.host, f"- '{APP}:*'", Options(dry_run=True))
        done = await delete(sandbox.host, f"- {APP}:1.0", DEEP)

        assert shallow.statuses == {f"{APP}:1.0": "would-delete"}
        assert shallow.report.orphans == 3
        assert len(done.images) == 4
        assert sandbox.store.tags(APP) == []
