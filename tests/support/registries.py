"""The registries that contract tests run against, with one function that starts them.

There are three real ones, and the sandbox with the settings of each. Tests of bulkrm run on `EVERY_KIND`; tests of a server
run on that server, and on the sandbox with its settings (`KINDS`, `KINDS_3`, `KINDS_CRANE`).
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, TokenServer, TokenSettings, User
from tests.support.admin import Admin
from tests.support.crane_registry import CraneRegistry
from tests.support.executables import distribution_3_binary, real_registry_binary
from tests.support.real import RealRegistry, RealSettings

SANDBOX = "sandbox"
DISTRIBUTION_2 = "distribution-2.8.2"
# A generation with other answers: it deletes tags, pages their list, and tells blobs from manifests.
SANDBOX_3 = "sandbox-3"
DISTRIBUTION_3 = "distribution-3.1.1"
# A trait of its own: what is deleted by digest keeps its tags.
SANDBOX_CRANE = "sandbox-crane"
CRANE = "crane-0.22.1"
PAGE_SIZE_3 = 1000
LIKE_DISTRIBUTION_3 = SandboxSettings(
    tag_deletes=True, page_size=PAGE_SIZE_3, pages_on_request=True, blobs_as_manifests=False
)
LIKE_CRANE = SandboxSettings(
    auth=Auth.NONE,
    tag_deletes=True,
    tags_survive_digest_delete=True,
    pages_without_links=True,
    checks_parts=False,
    blobs_as_manifests=False,
)
_LIKENESSES = {SANDBOX: SandboxSettings(), SANDBOX_3: LIKE_DISTRIBUTION_3, SANDBOX_CRANE: LIKE_CRANE}


KINDS = (SANDBOX, DISTRIBUTION_2)
KINDS_3 = (SANDBOX_3, DISTRIBUTION_3)
KINDS_CRANE = (SANDBOX_CRANE, CRANE)
EVERY_KIND = (SANDBOX, DISTRIBUTION_2, DISTRIBUTION_3, CRANE)
# A run of the tests does without them unless the environment asks for all.
_ON_REQUEST = (DISTRIBUTION_3, CRANE)


def cases(kinds: Iterable[str] = EVERY_KIND, *, without: Mapping[str, str] | None = None) -> Sequence[Any]:
    """Return kinds as parameters of a test or fixture; `without`: why the test cannot run on some of them."""
    reasons = without or {}
    return [
        pytest.param(
            kind,
            marks=[
                *([pytest.mark.slow] if kind in _ON_REQUEST else []),
                *([pytest.mark.skip(reason=f"{kind}: {reasons[kind]}")] if kind in reasons else []),
            ],
        )
        for kind in kinds
    ]


def servers(kinds: Iterable[str] = EVERY_KIND, *, without: Mapping[str, str] | None = None) -> pytest.MarkDecorator:
    """Run a test that takes `registry`, or `start_registry`, on these kinds only."""
    return pytest.mark.parametrize("registry_kind", cases(kinds, without=without))


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
    server: Sandbox | RealRegistry | CraneRegistry

    async def change(
        self, *, delete_enabled: bool = True, read_only: bool = False, page_size: int | None = None
    ) -> None:
        """Change settings and keep the content; a real registry restarts for that.

        `page_size` is for the kinds of generation 3, the only ones that can be told. Crane has no settings.
        """
        changes: dict[str, Any] = {"delete_enabled": delete_enabled, "read_only": read_only}
        if self.kind in (SANDBOX_3, DISTRIBUTION_3):
            changes["page_size"] = page_size or PAGE_SIZE_3
        if isinstance(self.server, CraneRegistry):
            pytest.skip(f"{self.kind}: it has no settings")
        if isinstance(self.server, Sandbox):
            self.server.change(**changes)
        else:
            await self.server.restart(**changes)

    async def collect_garbage(self) -> None:
        """Drop blobs that no manifest names; a real registry restarts for that. Crane collects nothing."""
        if isinstance(self.server, CraneRegistry):
            pytest.skip(f"{self.kind}: it collects no garbage")
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
    auth: Auth | None = None,
    tls: bool = False,
    users: dict[str, User] | None = None,
    token_settings: TokenSettings | None = None,
) -> AsyncIterator[Registry]:
    """Start a registry of this kind, with deletion enabled; with tokens unless `auth` says otherwise, or it has none."""
    server: Sandbox | RealRegistry | CraneRegistry
    if kind in KINDS_CRANE and (tls or users is not None or auth not in (None, Auth.NONE)):
        pytest.skip(f"{kind}: it has neither users nor TLS")
    if kind == CRANE:
        server = CraneRegistry(folder)
    elif kind in _LIKENESSES:
        own = Auth.NONE if kind == SANDBOX_CRANE else Auth.TOKEN
        settings = replace(_LIKENESSES[kind], auth=auth or own, tls=tls)
        server = Sandbox(settings, users=users, token_settings=token_settings)
    else:
        binary = distribution_3_binary() if kind == DISTRIBUTION_3 else real_registry_binary()
        real = RealSettings(auth=auth or Auth.TOKEN, tls=tls)
        server = RealRegistry(folder, real, users=users, token_settings=token_settings, binary=binary)
    async with server, Admin(server.url, ca_pem=server.ca_pem) as admin:
        yield Registry(kind, server.url, server.host, server.realm, server.ca_pem, server.tokens, admin, server)
