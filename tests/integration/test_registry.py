"""The command against real registries that are set up in various ways, and images that skopeo made."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, docker_list, oci_index
from tests.cli.command import bulkrm
from tests.support.admin import Admin, many_images
from tests.support.layout import write_layout
from tests.support.real import RealRegistry, RealSettings

APP = "team/app"
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}


async def skopeo(*arguments: str) -> None:
    """Run skopeo; the registries here speak plain HTTP."""
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("no skopeo: apt-get install skopeo")
    process = await asyncio.create_subprocess_exec(
        found, "--insecure-policy", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()


async def test_what_cannot_be_deleted(tmp_path: Path) -> None:
    """Deletion disabled, or read-only: all of 500 images fail with that one code and hint, after a handful of DELETEs."""
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        for number in range(5):
            await admin.push_many(f"team/app-{number}", many_images(f"t{index}" for index in range(100)))
        for change, code, hint in (
            ({"delete_enabled": False}, "deletion-disabled", "REGISTRY_STORAGE_DELETE_ENABLED=true"),
            ({"delete_enabled": True, "read_only": True}, "read-only", "storage.maintenance.readonly"),
        ):
            await registry.restart(**change)

            result = await bulkrm(f"{registry.host}/team/*:*", "-v", "-o", "json", env=LOGIN)

            assert result.code == 1
            assert len(result.images) == result.report["summary"]["failed"] == 500
            assert {(image["error"]["code"], image["error"]["status"]) for image in result.images} == {(code, 405)}
            assert {hint in image["hint"] for image in result.images} == {True}
            assert 1 <= len(re.findall(r"^DELETE ", result.err, re.MULTILINE)) <= 5
        assert len(await admin.tags("team/app-4")) == 100


async def test_certificate(tmp_path: Path) -> None:
    """A self-signed certificate fails with a hint; with --insecure or --ca-file the same command deletes."""
    async with (
        RealRegistry(tmp_path / "registry", RealSettings(tls=True)) as registry,
        Admin(registry.url, ca_pem=registry.ca_pem) as admin,
    ):
        await admin.push_many(APP, many_images(["a", "b", "c"]))
        ca_file = tmp_path / "ca.pem"
        ca_file.write_bytes(registry.ca_pem or b"")
        a, b = (f"{registry.host}/{APP}:{tag}" for tag in "ab")

        refused = await bulkrm(a, b, "-o", "json", env=LOGIN)
        insecure = await bulkrm(a, "--insecure", "-o", "json", env=LOGIN)
        trusted = await bulkrm(b, "--ca-file", str(ca_file), "-o", "json", env=LOGIN)

        assert refused.code == 1
        assert {image["error"]["code"] for image in refused.images} == {"certificate"}
        assert "--ca-file" in refused.images[0]["hint"]
        assert "--insecure" in refused.images[0]["hint"]
        assert (insecure.code, trusted.code) == (0, 0)
        assert await admin.tags(APP) == {"c"}


async def test_plain_http_is_not_spoken_to_a_registry_with_tls(tmp_path: Path) -> None:
    """--insecure accepts a certificate, it never falls back to plain HTTP; nor does --plain-http guess."""
    async with RealRegistry(tmp_path / "registry", RealSettings(tls=True)) as registry:
        result = await bulkrm(f"{registry.host}/{APP}:a", "--plain-http", "-o", "json", env=LOGIN)

    assert result.code == 1
    assert result.images[0]["status"] == "failed"


@pytest.mark.parametrize("auth", [Auth.BASIC, Auth.TOKEN])
async def test_loopback_without_tls(tmp_path: Path, auth: Auth) -> None:
    """A registry on loopback without TLS needs no option, with passwords as well as with tokens."""
    async with RealRegistry(tmp_path / "registry", RealSettings(auth=auth)) as registry, Admin(registry.url) as admin:
        await admin.push_many(APP, many_images(["a", "b"]))

        result = await bulkrm(f"{registry.host}/{APP}:a", "-u", "admin", "--password-stdin", stdin=b"admin\n")

        assert result.code == 0
        assert await admin.tags(APP) == {"b"}
        assert "garbage-collect" in result.out


async def test_images_of_skopeo(tmp_path: Path) -> None:
    """What `skopeo copy` pushed is deleted, and what stays can be copied out whole afterwards."""
    settings = RealSettings(auth=Auth.NONE)
    async with RealRegistry(tmp_path / "registry", settings) as registry, Admin(registry.url) as admin:
        source = write_layout(tmp_path / "index", oci_index(1))
        for tag in ("old", "same", "new"):
            await skopeo("copy", "--all", "--dest-tls-verify=false", source, f"docker://{registry.host}/{APP}:{tag}")
        await admin.push(APP, docker_list(2), "list")
        for tag in ("v2-old", "v2-new"):
            await skopeo(
                "copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                f"docker://{registry.host}/{APP}:list", f"docker://{registry.host}/other/app:{tag}",
            )  # fmt: skip
        await admin.push("other/app", oci_index(3), "keep")
        host = registry.host

        kept = await bulkrm(f"{host}/{APP}:old", "-o", "json")
        gone = await bulkrm(
            f"{host}/{APP}:list", *(f"{host}/other/app:v2-{tag}" for tag in ("old", "new")), "-o", "json"
        )

        assert (kept.code, kept.images[0]["reason"]) == (3, "shared")
        assert (gone.code, set(gone.statuses.values())) == (0, {"deleted"})
        assert await admin.tags(APP) == {"old", "same", "new"}
        assert await admin.tags("other/app") == {"keep"}
        for number, name in enumerate((f"{APP}:new", "other/app:keep")):
            target = f"oci:{tmp_path}/out-{number}:copy"
            await skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{host}/{name}", target)
            assert (tmp_path / f"out-{number}/index.json").exists()


async def test_garbage_collection_frees_what_went(tmp_path: Path) -> None:
    """After garbage collection the blobs of deleted images are gone, and those of the others are whole."""
    async with RealRegistry(tmp_path / "registry") as registry, Admin(registry.url) as admin:
        await admin.push_many(APP, many_images(["old"], 1))
        await admin.push(APP, oci_index(9), "new")

        result = await bulkrm(f"{registry.host}/{APP}:old", env=LOGIN)
        await registry.collect_garbage()

        assert result.code == 0
        assert await admin.pulls(APP, "new")
        assert await admin.tags(APP) == {"new"}
