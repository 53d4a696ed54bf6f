"""The sandbox: a registry and a token server on loopback, with logs of their requests."""

import asyncio
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.auth.accounts import Users
from bulkrm.sandbox.auth.gate import Gate
from bulkrm.sandbox.auth.keys import ServerCertificate
from bulkrm.sandbox.auth.tokens import GITEA_TOKEN_PATH, TOKEN_PATH, TokenServer, TokenSettings
from bulkrm.sandbox.faults import Faults
from bulkrm.sandbox.listen import LoopbackServer, WallClock, wall_clock, with_faults
from bulkrm.sandbox.registry.app import App
from bulkrm.sandbox.registry.blobstore import BlobStore
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.wire import ServerRequest, ServerResponse, coded_answer


@valueclass
class LoggedRequest:
    """A line of the registry's log. `path` is decoded, `query` raw; `status` is None where the connection was dropped.

    `scheme`: that of the credentials (`Bearer`, `Basic`), None without any; `token`: a short hash of a Bearer token.
    """

    method: str
    path: str
    query: str
    status: int | None
    scheme: str | None
    token: str | None
    accept: str | None


class Sandbox:
    """A registry with its token server; an async context manager.

    `log` has the registry's requests in the order in which they were finished, `tokens.log` those of the token server.
    `max_in_flight`: the largest number of requests that the registry had in progress at the same time.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        users: Users | None = None,
        token_settings: TokenSettings | None = None,
        store: Store | None = None,
        clock: WallClock = wall_clock,
    ) -> None:
        """`users`: by default `admin` with the password `admin`. Ports are opened by `async with`.

        `clock` returns seconds since 1970, for the times in tokens. A `store` may be shared between sandboxes.
        """
        settings = settings or SandboxSettings()
        certificate = ServerCertificate.generate() if settings.tls else None
        tls = certificate.context() if certificate else None
        self.ca_pem = certificate.certificate_pem if certificate else None
        self.store = store or Store()
        self.faults = Faults()
        self.tokens = TokenServer(users, token_settings, clock=clock, tls=tls)
        self.log: list[LoggedRequest] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._gate = Gate(self.tokens.users, self.tokens, clock)
        self.blobs = BlobStore(self.store)
        self._app = App(self.store, self._gate, settings, self.blobs, clock)
        self._listener = LoopbackServer(self._handle, tls)

    async def __aenter__(self) -> Self:
        """Open the ports, and set the realm of challenges."""
        await self._listener.start()
        if self.settings.own_token_port:
            await self.tokens.__aenter__()
        if self.settings.blobs_elsewhere:
            await self.blobs.start()
        self._app.realm = self._realm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections and ports; `store` keeps its content."""
        await self._listener.stop()
        await self.blobs.stop()
        await self.tokens.__aexit__(kind, error, trace)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, the host of its references."""
        return self._listener.host

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return self._listener.url

    @property
    def realm(self) -> str:
        """The URL of the token server in challenges."""
        return self._app.realm

    @property
    def settings(self) -> SandboxSettings:
        """The present settings."""
        return self._app.settings

    def change(self, **settings: Any) -> None:
        """Replace fields of the settings while the sandbox runs, except for `tls` and ports, which have no effect then."""
        self._app.settings = replace(self._app.settings, **settings)
        self._app.realm = self._realm()

    def _realm(self) -> str:
        path = GITEA_TOKEN_PATH if self.settings.drops_untagged else TOKEN_PATH
        own = self.tokens.url if self.settings.own_token_port else self.url + path
        return own if self.settings.realm is None else self.settings.realm

    async def _handle(self, request: ServerRequest) -> ServerResponse | None:
        if request.path in (TOKEN_PATH, GITEA_TOKEN_PATH) and not self.settings.own_token_port:
            return await self.tokens.handle(request)
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)
        answer: ServerResponse | None = None
        try:
            answer = await self._answer(request)
        finally:
            self._in_flight -= 1
            self.log.append(self._line(request, answer))
        return answer

    async def _answer(self, request: ServerRequest) -> ServerResponse | None:
        settings = self.settings
        if settings.busy_above is not None and self._in_flight > settings.busy_above:
            return coded_answer(429, "TOOMANYREQUESTS", "too many requests in progress")
        if settings.latency:
            await asyncio.sleep(settings.latency)
        return await with_faults(self.faults, request, lambda: self._app.answer(request))

    def _line(self, request: ServerRequest, answer: ServerResponse | None) -> LoggedRequest:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        token = self._gate.fingerprint(secret) if scheme.lower() == "bearer" else None
        status = answer.status if answer else None
        return LoggedRequest(
            request.method, request.path, request.query, status, scheme or None, token, request.headers.get("accept")
        )
