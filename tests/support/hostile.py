"""A registry that answers every request in a hostile way, and logs what it did and answered.

It has a token server on the same port, and real content. The seed of the server, and how often a request came, choose the
way of each answer; tests/support/hostilities.py has the ways.
"""

import asyncio
import base64
import contextlib
import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Self

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings, ServerRequest, Store
from bulkrm.sandbox.wire import ServerResponse, coded_answer, json_answer
from tests.support.giving_up import SECONDS
from tests.support.hostilities import WAYS, Hostility, plain

REPOSITORY = "team/app"
_MANIFEST = re.compile(rf"/v2/{REPOSITORY}/manifests/(.+)")


class NotTlsError(Exception):
    """A client began TLS with a server that does not speak it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A request, with the way in which it was answered."""

    method: str
    target: str
    authorization: str
    cookie: str
    way: str


@dataclass(slots=True)
class Truth:
    """What the server was asked to delete, and what it ever answered to be gone; names are tags and digests.

    `spoken`: all digests that it ever sent: in a header, as that of the bytes of an answer, or in those bytes.
    """

    asked: set[str] = field(default_factory=set)
    said_gone: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)

    def note(self, asked: ServerRequest, status: int, digests: set[str]) -> None:
        """Log an answer before it is sent."""
        match = _MANIFEST.fullmatch(asked.path)
        if match is None:
            return
        name = match[1]
        self.spoken |= digests
        if status == 404 or (asked.method == "DELETE" and status < 300):
            self.said_gone.add(name)


class HostileServer:
    """A hostile server; an async context manager. `often`: the share of hostile answers; `ways`: use only these.

    `elsewhere`: the URL of another server, to which it redirects its clients.
    """

    def __init__(self, seed: int, elsewhere: str, *, often: float = 0.5, ways: tuple[str, ...] = tuple(WAYS)) -> None:
        self._seed = seed
        self._count = Counter[str]()
        self.elsewhere = elsewhere
        self.user, self.password = f"canary-user-{seed}", f"canary-password-{seed}"
        self.truth = Truth()
        self.heard: list[Heard] = []
        self.tokens: list[str] = []
        self._often = often
        self._ways = ways
        self._sandbox = Sandbox(SandboxSettings(auth=Auth.NONE, tag_deletes=True))
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.wait([*connections, asyncio.create_task(self._server.wait_closed())], timeout=SECONDS)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def store(self) -> Store:
        return self._sandbox.store

    @property
    def secrets(self) -> list[str]:
        """All secrets, which no other server may get: the password, plain and as it is sent, and the tokens."""
        return [self.password, self._basic(), *self.tokens]

    def _basic(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            while await self._one(reader, writer):
                pass
            writer.close()
        except NotTlsError:
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tell whether the connection stays open."""
        asked = await read_request(reader)
        # Of the request and not of the order in which they come, which is another one each time.
        name = f"{asked.method} {asked.path}"
        self._count[name] += 1
        random = Random(f"{self._seed} {name} {self._count[name]}")  # noqa: S311 (no secret)
        way = random.choice(self._ways) if random.random() < self._often else ""
        headers = asked.headers
        self.heard.append(
            Heard(asked.method, asked.target, headers.get("authorization", ""), headers.get("cookie", ""), way)
        )
        if asked.method == "DELETE":
            self.truth.asked.add(asked.path.rpartition("/")[2])
        scene = Hostility(self, asked, random, lambda: self._honest(asked), writer)
        return await (WAYS[way] if way else plain)(scene)

    def _honest(self, asked: ServerRequest) -> ServerResponse:
        """Return the answer of a good registry; a DELETE takes effect."""
        if asked.path == "/token":
            return self._token(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            challenge = f'Bearer realm="{self.url}/token",service="hostile",scope="repository:{REPOSITORY}:pull,delete"'
            return coded_answer(401, "UNAUTHORIZED", "who are you?", headers={"WWW-Authenticate": challenge})
        return self._sandbox._app.answer(asked)

    def _token(self, asked: ServerRequest) -> ServerResponse:
        if asked.headers.get("authorization") != f"Basic {self._basic()}":
            return coded_answer(401, "UNAUTHORIZED", "who are you?", headers={"WWW-Authenticate": "Basic realm=x"})
        return json_answer(200, {"token": self.new_token(), "expires_in": 300})

    def new_token(self) -> str:
        """Return a token that is valid here, and secret."""
        self.tokens.append(f"canary-token-{self._seed:06}-{len(self.tokens):06}")
        return self.tokens[-1]


class Bystander:
    """Another server, which answers 200 to everything, and logs the requests that reach it."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, NotTlsError):
            asked = await read_request(reader)
            headers = asked.headers
            self.heard.append(
                Heard(asked.method, asked.target, headers.get("authorization", ""), headers.get("cookie", ""), "")
            )
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"token":"none"}')
            await writer.drain()
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> ServerRequest:
    """Read one request. Raises NotTlsError if the client begins TLS, as bulkrm tries first on loopback."""
    start = await reader.readexactly(1)
    if start == b"\x16":
        raise NotTlsError
    first, *rest = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    path, _, query = target.partition("?")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return ServerRequest(method, path, query, headers, body)
