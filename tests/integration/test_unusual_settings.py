"""The commands against a real registry with settings that few have."""

import asyncio
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Reply, Sandbox, SandboxSettings
from tests.cli.command import bulkrm
from tests.support.admin import Admin
from tests.support.real import RealRegistry, RealSettings

APP = "team/app"


@pytest.mark.parametrize("image", [f"{APP}:1", f"{APP}:*", "reg/team/app:1", f"{APP}@sha256:{'0' * 64}"])
async def test_a_registry_under_a_path(tmp_path: Path, image: str) -> None:
    """What a registry answers outside its `http.prefix` does not mean that an image or a repository is absent."""
    settings = RealSettings(auth=Auth.NONE, http={"prefix": "/reg/"})
    async with RealRegistry(tmp_path / "registry", settings) as registry, Admin(registry.url) as admin:
        assert (await admin.send("GET", "/v2/team/app/tags/list")).body == b"404 page not found\n"
        result = await bulkrm(f"{registry.host}/{image}", "-o", "json")

    assert result.code == 1
    assert [(entry["status"], entry["error"]["code"]) for entry in result.images] == [("failed", "not-a-registry")]


@pytest.mark.parametrize("target", ["", f"/{APP}"])
@pytest.mark.parametrize("status", [200, 404])
async def test_a_web_page_accepts_nobody(target: str, status: int) -> None:
    """A web page that answers in the registry's place is none of its answers, so it accepts nobody's credentials."""
    page = Reply(status, {"Content-Type": "text/html"}, b"<html><title>Sign in</title>")
    async with Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox:
        sandbox.faults.add(page, times=9)
        result = await bulkrm("login", "--check", f"{sandbox.host}{target}")

    assert result.code == 1
    assert "works:   no: HTTP" in result.out
    assert status == 404 or "a web page came: Sign in" in result.out


async def test_a_server_that_hangs_up_in_the_handshake() -> None:
    """A server that ends the connection instead of answering the TLS handshake is said to have done so."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readexactly(5)  # of a TLS record; unread bytes would make it a reset
        await reader.readexactly(int.from_bytes(header[3:]))
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        host = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        result = await bulkrm(f"{host}/{APP}:1", "-o", "json")

    assert result.code == 1
    assert result.images[0]["error"]["code"] == "unreachable"
    assert result.images[0]["error"]["message"] == f"cannot connect to {host}: the server closed the connection"


async def test_a_login_is_not_checked_by_a_missing_path(tmp_path: Path) -> None:
    """A 404 of a path that the registry does not have accepts nobody's credentials."""
    settings = RealSettings(auth=Auth.NONE, http={"prefix": "/reg/"})
    async with RealRegistry(tmp_path / "registry", settings) as registry:
        result = await bulkrm("login", "--check", f"{registry.host}/{APP}")

    assert result.code == 1
