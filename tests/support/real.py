"""A real registry: one process of distribution, 2.8.2 or 3.1.1, with its files in a folder of the test."""

import asyncio
import functools
import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from bulkrm.sandbox import Auth, TokenServer, TokenSettings, User
from bulkrm.sandbox.keys import ServerCertificate

# bcrypt of "admin" with the cheapest cost: no library of ours makes one, and the password never changes.
_HTPASSWD = "admin:$2b$04$3p50awx7cF3WOLbnelNrzeRTAAQLt3AHIz1rlyKlI099s1lm.mlL2\n"
_SERVICE = "sandbox"
_START_SECONDS = 10.0
_MODULE_3 = "github.com/distribution/distribution/v3"
_VERSION_3 = "v3.1.1"
_VARIABLE_3 = "BULKRM_TEST_REGISTRY_3"


def real_registry_binary() -> str:
    """Find distribution 2.8.2; where it is missing, skip the test, or fail it in CI."""
    found = shutil.which("docker-registry") or os.environ.get("BULKRM_TEST_REGISTRY")
    if found:
        return found
    message = "no registry: apt-get install docker-registry, or set BULKRM_TEST_REGISTRY to its executable"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def distribution_3_binary() -> str:
    """Find distribution 3.1.1; where it is missing, skip the test, in CI too: no Linux distribution packages it."""
    found = installed_3()
    if found is None:
        pytest.skip(
            f"no registry: go install {_MODULE_3}/cmd/registry@{_VERSION_3}, or set {_VARIABLE_3} to its executable"
        )
    return found


@functools.cache
def installed_3() -> str | None:
    """Find distribution 3.1.1, if it is installed."""
    if named := os.environ.get(_VARIABLE_3):
        return named
    # Where `go install` puts it: GOBIN, else GOPATH/bin (`go help install`).
    folders = (os.environ.get("GOBIN"), f"{os.environ.get('GOPATH') or Path.home() / 'go'}/bin")
    candidates = (shutil.which("registry"), *(f"{folder}/registry" for folder in folders if folder))
    return next((found for found in candidates if found and _is_3(found)), None)


def _is_3(executable: str) -> bool:
    """Tell whether it is that version: other programs are called `registry` too."""
    if not os.access(executable, os.X_OK):
        return False
    result = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return f"{_MODULE_3} {_VERSION_3}" in result.stdout


@dataclass(frozen=True, slots=True)
class RealSettings:
    """How to configure it. With `Auth.BASIC` the only user is `admin` with the password `admin`.

    `page_size` is the most tags that it lists at once for a request with `n`; only 3.x knows that setting. The realm has
    the host `realm_host`: crane takes no loopback address for it, and takes its name.
    """

    auth: Auth = Auth.TOKEN
    delete_enabled: bool = True
    read_only: bool = False
    tls: bool = False
    page_size: int | None = None
    realm_host: str = "127.0.0.1"


class RealRegistry:
    """A running registry; an async context manager. `tokens` is its token server, on another port."""

    def __init__(
        self,
        folder: Path,
        settings: RealSettings | None = None,
        *,
        users: dict[str, User] | None = None,
        token_settings: TokenSettings | None = None,
        binary: str | None = None,
    ) -> None:
        """Take an empty folder, or make it; nothing runs yet."""
        self.settings = settings or RealSettings()
        self._folder = folder
        self._binary = binary or real_registry_binary()
        self._process: asyncio.subprocess.Process | None = None
        self._killed = False
        certificate = ServerCertificate.generate() if self.settings.tls else None
        self.ca_pem = certificate.certificate_pem if certificate else None
        self.tokens = TokenServer(users, token_settings, tls=certificate.context() if certificate else None)
        self._port = 0
        folder.mkdir(exist_ok=True)
        if certificate:
            self._file("tls.crt").write_bytes(certificate.certificate_pem)
            self._file("tls.key").write_bytes(certificate.key_pem)
        self._file("bundle.pem").write_bytes(self.tokens.key.bundle_pem)
        self._file("htpasswd").write_text(_HTPASSWD)

    async def __aenter__(self) -> Self:
        """Start the process and wait until it accepts connections."""
        await self.tokens.__aenter__()
        try:
            await self._start()
        except BaseException:
            await self.tokens.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        await self._stop()
        await self.tokens.__aexit__(kind, error, trace)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.settings.tls else 'http'}://{self.host}"

    @property
    def realm(self) -> str:
        return self.tokens.url.replace("127.0.0.1", self.settings.realm_host)

    @property
    def output(self) -> str:
        """What the process has written to its log."""
        return self._file("registry.log").read_text()

    def kill(self) -> None:
        """End the process, whatever it is doing; `restart` brings it back."""
        assert self._process is not None
        if not self._killed:
            self._killed = True
            self._process.kill()

    async def restart(self, **changes: Any) -> None:
        """Stop it and start it again on the same port with the same files, with some settings changed."""
        await self._stop()
        self.settings = replace(self.settings, **changes)
        await self._start(self._port)

    async def collect_garbage(self) -> None:
        """Stop it, run `garbage-collect`, and start it again."""
        await self._stop()
        with self._file("gc.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                self._binary, "garbage-collect", str(self._file("config.yml")), stdout=log, stderr=log, env=_ENVIRONMENT
            )
            assert await process.wait() == 0, self._file("gc.log").read_text()
        await self._start(self._port)

    def _file(self, name: str) -> Path:
        return self._folder / name

    async def _start(self, port: int = 0) -> None:
        self._port = port or _free_port()
        # JSON is YAML.
        self._file("config.yml").write_text(json.dumps(self._config()))
        with self._file("registry.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._binary, "serve", str(self._file("config.yml")), stdout=log, stderr=log, env=_ENVIRONMENT
            )
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _accepts(self._port):
                    assert self._process.returncode is None, self.output
                    await asyncio.sleep(0.005)
        except BaseException:
            await self._stop()
            raise

    async def _stop(self) -> None:
        if self._process is not None:
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()
            self._process, self._killed = None, False

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            # No cache: with one, a registry forgets nothing until its restart.
            "storage": {
                "filesystem": {"rootdirectory": str(self._file("data"))},
                "delete": {"enabled": self.settings.delete_enabled},
                "maintenance": {"readonly": {"enabled": self.settings.read_only}},
            },
            "http": {"addr": self.host, "secret": "of a test"},
        }
        if self.settings.page_size is not None:
            config["tags"] = {"maxtags": self.settings.page_size}
        if self.settings.tls:
            config["http"]["tls"] = {"certificate": str(self._file("tls.crt")), "key": str(self._file("tls.key"))}
        if self.settings.auth is Auth.BASIC:
            config["auth"] = {"htpasswd": {"realm": "basic-realm", "path": str(self._file("htpasswd"))}}
        if self.settings.auth is Auth.TOKEN:
            config["auth"] = {
                "token": {
                    "realm": self.realm,
                    "service": _SERVICE,
                    "issuer": self.tokens.issuer,
                    "rootcertbundle": str(self._file("bundle.pem")),
                }
            }
        return config


# Not our own environment: a registry takes every REGISTRY_* variable for its configuration.
_ENVIRONMENT = {"PATH": os.defpath, "OTEL_TRACES_EXPORTER": "none"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
