"""The registries that contract tests run against, behind one way to start them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, TokenServer, TokenSettings, User
from tests.support.admin import Admin
from tests.support.real import RealRegistry, RealSettings, distribution_3_binary, real_registry_binary

SANDBOX = "sandbox"
DISTRIBUTION_2 = "distribution-2.8.2"
KINDS = (SANDBOX, DISTRIBUTION_2)
# A generation with other answers: it deletes tags, pages their list, and tells blobs from manifests.
SANDBOX_3 = "sandbox-3"
DISTRIBUTION_3 = "distribution-3.1.1"
KINDS_3 = (SANDBOX_3, DISTRIBUTION_3)
PAGE_SIZE_3 = 1000
LIKE_DISTRIBUTION_3 = SandboxSettings(
    tag_deletes=True, page_size=PAGE_SIZE_3, pages_on_request=True, blobs_as_manifests=False
)


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

    async def change(
        self, *, delete_enabled: bool = True, read_only: bool = False, page_size: int | None = None
    ) -> None:
        """Go on with the same content and other settings; a real registry restarts for that.

        `page_size` is for the kinds of generation 3, the only ones that can be told.
        """
        changes: dict[str, Any] = {"delete_enabled": delete_enabled, "read_only": read_only}
        if self.kind in KINDS_3:
            changes["page_size"] = page_size or PAGE_SIZE_3
        if isinstance(self.server, Sandbox):
            self.server.change(**changes)
        else:
            await self.server.restart(**changes)

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
    if kind in (SANDBOX, SANDBOX_3):
        sandbox_settings = LIKE_DISTRIBUTION_3 if kind == SANDBOX_3 else SandboxSettings()
        server = Sandbox(replace(sandbox_settings, auth=auth, tls=tls), users=users, token_settings=token_settings)
    else:
        binary = distribution_3_binary() if kind == DISTRIBUTION_3 else real_registry_binary()
        settings = RealSettings(auth=auth, tls=tls)
        server = RealRegistry(folder, settings, users=users, token_settings=token_settings, binary=binary)
    async with server, Admin(server.url, ca_pem=server.ca_pem) as admin:
        yield Registry(kind, server.url, server.host, server.realm, server.ca_pem, server.tokens, admin, server)
