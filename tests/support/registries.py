"""The registries that contract tests run against, behind one way to start them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, TokenServer, TokenSettings, User
from tests.support.admin import Admin
from tests.support.real import RealRegistry, RealSettings

SANDBOX = "sandbox"
DISTRIBUTION_2 = "distribution-2.8.2"
KINDS = (SANDBOX, DISTRIBUTION_2)


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry of some kind, with a client that may do everything."""

    kind: str
    url: str
    host: str
    realm: str
    ca_pem: bytes | None
    tokens: TokenServer
    admin: Admin
    server: Sandbox | RealRegistry

    async def change(self, *, delete_enabled: bool = True, read_only: bool = False) -> None:
        """Go on with the same content and other settings; a real registry restarts for that."""
        if isinstance(self.server, Sandbox):
            self.server.change(delete_enabled=delete_enabled, read_only=read_only)
        else:
            await self.server.restart(delete_enabled=delete_enabled, read_only=read_only)

    async def collect_garbage(self) -> None:
        """Drop blobs that no manifest names; a real registry restarts for that."""
        if isinstance(self.server, Sandbox):
            self.server.store.collect_garbage()
        else:
            await self.server.collect_garbage()


Start = Callable[..., AbstractAsyncContextManager[Registry]]


@asynccontextmanager
async def running(
    kind: str,
    folder: Path,
    *,
    auth: Auth = Auth.TOKEN,
    tls: bool = False,
    users: dict[str, User] | None = None,
    token_settings: TokenSettings | None = None,
) -> AsyncIterator[Registry]:
    """Start a registry of this kind, with deletion enabled."""
    server: Sandbox | RealRegistry
    if kind == SANDBOX:
        sandbox_settings = SandboxSettings(auth=auth, tls=tls)
        server = Sandbox(sandbox_settings, users=users, token_settings=token_settings)
    else:
        server = RealRegistry(folder, RealSettings(auth=auth, tls=tls), users=users, token_settings=token_settings)
    async with server, Admin(server.url, ca_pem=server.ca_pem) as admin:
        yield Registry(kind, server.url, server.host, server.realm, server.ca_pem, server.tokens, admin, server)
