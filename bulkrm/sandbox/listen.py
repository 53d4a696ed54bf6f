"""An HTTP server on loopback that turns requests into values, injects faults, and sends the answers."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web

from bulkrm.sandbox.faults import Call, Delay, Drop, DropAfter, Faults, LieAboutBody, LieAboutDigest, Reply
from bulkrm.sandbox.wire import ServerRequest, ServerResponse

LOOPBACK = "127.0.0.1"
DIGEST_HEADER = "Docker-Content-Digest"
# Long enough for a cancelled handler to end; open connections of clients are closed after it.
_SHUTDOWN_SECONDS = 0.05

WallClock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
# Returns the answer to a request; None: the connection is closed without one.
Handler = Callable[[ServerRequest], Awaitable[ServerResponse | None]]


def wall_clock() -> float:
    """Seconds since 1970."""
    return datetime.now(UTC).timestamp()


class LoopbackServer:
    """One HTTP server on a free port of 127.0.0.1."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        """Keep `handler`, which answers requests; `tls`: serve HTTPS. `start` opens the port."""
        self._handler = handler
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    async def start(self) -> None:
        """Listen on a free port, which `port` has from then on."""
        self._runner = web.ServerRunner(
            web.Server(self._serve, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS, handle_signals=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._tls, backlog=1024)
        await site.start()
        _, self.port = self._runner.addresses[0]

    async def stop(self) -> None:
        """Close all connections and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await self._handler(await _read(request))
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _read(request: web.BaseRequest) -> ServerRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    # Not `request.read()`: its limit of 1 MiB is less than a manifest may have.
    body = await request.content.read() if request.can_read_body else b""
    url = request.rel_url
    return ServerRequest(request.method, url.path, url.raw_query_string, headers, body, request.scheme)


async def with_faults(
    faults: Faults, request: ServerRequest, effect: Callable[[], ServerResponse], sleep: Sleep = asyncio.sleep
) -> ServerResponse | None:
    """Apply the injected faults to a request, which `effect` processes. Returns None if the connection must be closed."""
    if faults.before is not None:
        await faults.before(request)
    lies: list[LieAboutDigest | LieAboutBody] = []
    for action in faults.due(request):
        match action:
            case Delay() | Call():
                await _pause(action, request, sleep)
            case LieAboutDigest() | LieAboutBody():
                lies.append(action)
            case Reply(status, headers, body):
                return ServerResponse(status, headers, body)
            case Drop():
                return None
            case DropAfter():
                effect()
                return None
    return _with_lies(effect(), lies)


async def _pause(action: Delay | Call, request: ServerRequest, sleep: Sleep) -> None:
    if isinstance(action, Delay):
        await sleep(action.seconds)
    else:
        await action.hook(request)


def _with_lies(answer: ServerResponse, lies: list[LieAboutDigest | LieAboutBody]) -> ServerResponse:
    for lie in lies:
        if isinstance(lie, LieAboutBody):
            answer = replace(answer, body=lie.body)
        else:
            honest = {name: value for name, value in answer.headers.items() if name != DIGEST_HEADER}
            answer = replace(answer, headers=honest if lie.digest is None else {**honest, DIGEST_HEADER: lie.digest})
    return answer
