"""`crane registry serve`: a third real registry, with traits of its own (google/go-containerregistry pkg/registry).

It stores manifests in memory, under tags and under digests separately, so that DELETE of one deletes nothing else. It has no
users, no TLS and no settings. tests/contract/test_crane.py has its behaviour.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from bulkrm.sandbox import Auth, TokenServer
from tests.support.executables import crane_binary
from tests.support.process import ServerProcess, free_port
from tests.support.real import RealSettings


class CraneRegistry:
    """A running registry; an async context manager. `tokens` is not used: it has no authentication."""

    settings = RealSettings(auth=Auth.NONE)
    ca_pem = None
    realm = ""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder, or make it; nothing runs yet."""
        self._folder = folder
        self._port = 0
        self._process = ServerProcess(folder / "registry.log")
        self.tokens = TokenServer()
        folder.mkdir(exist_ok=True)

    async def __aenter__(self) -> Self:
        """Start the process and wait until it accepts connections."""
        self._port = free_port()
        blobs = self._folder / "blobs"
        blobs.mkdir(exist_ok=True)
        await self._process.start(
            [crane_binary(), "registry", "serve", "--address", self.host, "--disk", str(blobs)], self._port
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process; all manifests are lost with it."""
        await self._process.stop()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def output(self) -> str:
        """What the process has written to its log: a line for each request."""
        return self._process.log.read_text()
