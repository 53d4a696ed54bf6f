"""certs.d of docker and podman, and client certificates, with a real registry that speaks TLS."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bulkrm.sandbox import Auth
from bulkrm.sandbox.auth.keys import ServerCertificate
from tests.cli.command import Result, bulkrm
from tests.support.real import RealRegistry, RealSettings

CLIENT = ServerCertificate.generate()


class Demanding(RealRegistry):
    """A registry that lets nobody in without the one client certificate."""

    def _config(self) -> dict[str, Any]:
        config = super()._config()
        self._file("clients.pem").write_bytes(CLIENT.certificate_pem)
        config["http"]["tls"]["clientcas"] = [str(self._file("clients.pem"))]
        return config


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[RealRegistry]:
    """It asks for no password, and its certificate is its own CA."""
    async with RealRegistry(tmp_path / "registry", RealSettings(auth=Auth.NONE, tls=True)) as registry:
        yield registry


@pytest.fixture
async def demanding(tmp_path: Path) -> AsyncIterator[RealRegistry]:
    """It wants a client certificate, too."""
    async with Demanding(tmp_path / "registry", RealSettings(auth=Auth.NONE, tls=True)) as registry:
        yield registry


def folder_of(tmp_path: Path, host: str) -> Path:
    """Make podman's folder for a host."""
    folder = tmp_path / "config/containers/certs.d" / host
    folder.mkdir(parents=True)
    return folder


async def check(tmp_path: Path, host: str, *options: str) -> Result:
    """Ask bulkrm whether it gets in."""
    return await bulkrm("login", "--check", host, *options, env={"XDG_CONFIG_HOME": str(tmp_path / "config")})


async def test_a_ca(registry: RealRegistry, tmp_path: Path) -> None:
    """A `*.crt` in the host's folder is a CA that is trusted for this host, and without it the certificate is not."""
    before = await check(tmp_path, registry.host)
    (folder_of(tmp_path, registry.host) / "internal.crt").write_bytes(registry.ca_pem or b"")

    after = await check(tmp_path, registry.host)

    assert before.code == 1
    assert "does not verify" in before.out
    assert after.code == 0
    assert f"certs.d/{registry.host}/internal.crt" in after.out


async def test_the_ca_of_another_port(registry: RealRegistry, tmp_path: Path) -> None:
    """It is trusted for its host and port only."""
    (folder_of(tmp_path, "127.0.0.1:1") / "internal.crt").write_bytes(registry.ca_pem or b"")

    result = await check(tmp_path, registry.host)

    assert result.code == 1
    assert "does not verify" in result.out


async def test_a_token_server_elsewhere(tmp_path: Path) -> None:
    """The CA is not trusted for a token server on another port, which --ca-file is for."""
    async with RealRegistry(tmp_path / "registry", RealSettings(tls=True)) as registry:
        ca = folder_of(tmp_path, registry.host) / "internal.crt"
        ca.write_bytes(registry.ca_pem or b"")

        alone = await check(tmp_path, registry.host)
        both = await check(tmp_path, registry.host, "--ca-file", str(ca))

    assert alone.code == 1
    assert f"the token server {URL(registry.realm).authority}" in alone.out
    assert both.code == 0


@pytest.mark.parametrize("names", [("client.cert", "client.key"), ("mine.cert", "mine.key")])
async def test_a_client_certificate(demanding: RealRegistry, tmp_path: Path, names: tuple[str, str]) -> None:
    """A pair in the host's folder is presented to this host, which lets nobody else in."""
    folder = folder_of(tmp_path, demanding.host)
    (folder / "internal.crt").write_bytes(demanding.ca_pem or b"")
    before = await check(tmp_path, demanding.host)
    (folder / names[0]).write_bytes(CLIENT.certificate_pem)
    (folder / names[1]).write_bytes(CLIENT.key_pem)

    after = await check(tmp_path, demanding.host)

    assert before.code == 1
    assert after.code == 0


async def test_options_go_before_the_folder(demanding: RealRegistry, tmp_path: Path) -> None:
    """--client-cert is presented instead of the pair in the folder."""
    folder, other = folder_of(tmp_path, demanding.host), ServerCertificate.generate()
    (folder / "internal.crt").write_bytes(demanding.ca_pem or b"")
    (folder / "client.cert").write_bytes(other.certificate_pem)
    (folder / "client.key").write_bytes(other.key_pem)
    (tmp_path / "mine.pem").write_bytes(CLIENT.certificate_pem + CLIENT.key_pem)

    with_the_folder = await check(tmp_path, demanding.host)
    with_the_option = await check(tmp_path, demanding.host, "--client-cert", str(tmp_path / "mine.pem"))

    assert with_the_folder.code == 1
    assert with_the_option.code == 0


async def test_a_profile(demanding: RealRegistry, tmp_path: Path) -> None:
    """The configuration file has certificates of a host as well, relative to itself."""
    home = tmp_path / "config/bulkrm"
    home.mkdir(parents=True)
    (home / "ca.pem").write_bytes(demanding.ca_pem or b"")
    (home / "me.pem").write_bytes(CLIENT.certificate_pem + CLIENT.key_pem)
    keys = '\nca-file = "ca.pem"\nclient-cert = "me.pem"\n'
    (home / "config.toml").write_text(f'[hosts."{demanding.host}"]{keys}')

    result = await check(tmp_path, demanding.host)

    assert result.code == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ca.crt", "no certificate", "ca.crt: the file cannot be used: it is no usable PEM file"),
        ("client.cert", "", "there is no key for this client certificate"),
    ],
)
async def test_a_broken_folder(tmp_path: Path, name: str, content: str, message: str) -> None:
    """What cannot be used in it is bad usage that names the file."""
    (folder_of(tmp_path, "localhost:1") / name).write_text(content)

    result = await check(tmp_path, "localhost:1")

    assert result.code == 2
    assert message in result.err
