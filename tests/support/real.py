"""A real registry: a process of distribution, 2.8.2 or 3.1.1, with its files in a folder of the test."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bulkrm.sandbox import Auth, TokenServer, TokenSettings, User
from bulkrm.sandbox.auth.keys import ServerCertificate
from tests.support.executables import real_registry_binary
from tests.support.process import ENVIRONMENT, ServerProcess, free_port

# bcrypt of "admin" with the cheapest cost: no library of ours makes one, and the password never changes.
_HTPASSWD = "admin:$2b$04$3p50awx7cF3WOLbnelNrzeRTAAQLt3AHIz1rlyKlI099s1lm.mlL2\n"
_SERVICE = "sandbox"


@dataclass(frozen=True, slots=True)
class RealSettings:
    """The configuration of a registry. With `Auth.BASIC` the only user is `admin` with the password `admin`.

    `page_size`: the most tags in one answer to a request with `n`; only 3.x has that setting. `realm_host`: the
    host in the realm; crane does not accept a loopback address there, but accepts a name. `http`: more of the section
    of that name.
    """

    auth: Auth = Auth.TOKEN
    delete_enabled: bool = True
    read_only: bool = False
    tls: bool = False
    page_size: int | None = None
    realm_host: str = "127.0.0.1"
    http: Mapping[str, Any] = field(default_factory=dict)


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
        self._process = ServerProcess(folder / "registry.log")
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
        await self._process.stop()
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
    def log(self) -> Path:
        """The file of its log."""
        return self._file("registry.log")

    @property
    def output(self) -> str:
        """What the process has written to its log."""
        return self._process.log.read_text()

    @property
    def data(self) -> Path:
        """The folder of its storage, for tests that damage it."""
        return self._file("data")

    def kill(self) -> None:
        """End the process, whatever it is doing; `restart` brings it back."""
        self._process.kill()

    async def restart(self, **changes: Any) -> None:
        """Stop the process and start it again on the same port with the same files, with some settings changed."""
        await self._process.stop()
        self.settings = replace(self.settings, **changes)
        await self._start(self._port)

    async def collect_garbage(self) -> None:
        """Stop the process, run `garbage-collect`, and start it again."""
        await self._process.stop()
        with self._file("gc.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                self._binary, "garbage-collect", str(self._file("config.yml")), stdout=log, stderr=log, env=ENVIRONMENT
            )
            assert await process.wait() == 0, self._file("gc.log").read_text()
        await self._start(self._port)

    def _file(self, name: str) -> Path:
        return self._folder / name

    async def _start(self, port: int = 0) -> None:
        self._port = port or free_port()
        # JSON is YAML.
        self._file("config.yml").write_text(json.dumps(self._config()))
        await self._process.start([self._binary, "serve", str(self._file("config.yml"))], self._port)

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
            "http": {"addr": self.host, "secret": "of a test", **self.settings.http},
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
