"""A strict server: requests must come in the order of the script, each gets its answer, and nothing else may come.

    script = [
        Step("GET /v2/", reply(401, {"WWW-Authenticate": 'Bearer realm="{url}/token",service="s"'})),
        Step("GET /token?service=s&client_id=bulkrm", reply(200, body=b'{"token": "t"}')),
    ]
    async with ScriptedServer(script) as server:
        ...                                  # speak HTTP to server.host

It sends raw bytes on asyncio streams, also those that no HTTP library would send. `{url}` and `{host}` in the headers of an
answer are replaced by its own. A request that does not match the next step is answered with 500, and fails the test when the
server closes, as does a step whose request did not come.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support.giving_up import SECONDS

Headers = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came; header names are in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection instead of answering, after `sent` bytes of an answer."""

    sent: bytes = b""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these bytes, and close the connection if `close`."""

    content: bytes
    close: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; the connection stays open."""


Answer = Close | Raw | Hang


@dataclass(frozen=True, slots=True)
class Step:
    """One expected request, `METHOD target`, and its answer. A `*` at the end of the target matches any text.

    `authorization`: the expected header; None: there must be none; by default any is accepted. `check`: a further check of
    the request.
    """

    line: str
    answer: Answer
    authorization: str | None = field(default="*")
    check: Callable[[Heard], bool] = field(default=lambda _: True)

    def mismatch(self, heard: Heard) -> str | None:
        begins = self.line.endswith("*") and heard.line.startswith(self.line[:-1])
        if heard.line != self.line and not begins:
            return f"expected {self.line!r}, heard {heard.line!r}"
        if self.authorization not in ("*", heard.authorization):
            return f"{heard.line}: expected authorization {self.authorization!r}, heard {heard.authorization!r}"
        return None if self.check(heard) else f"{heard.line}: the check failed for {heard}"


def reply(status: int, headers: Headers = (), body: bytes = b"", *, head: bool = False) -> Raw:
    """Return an answer with its length; `head`: it answers HEAD, so the body is counted and not sent."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if not any(name.lower() == "content-length" for name, _ in pairs):
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in pairs)]
    return Raw("\r\n".join([*lines, "", ""]).encode() + (b"" if head else body))


class ScriptedServer:
    """Plays one script; an async context manager. `heard` has every request, expected or not."""

    def __init__(self, script: Sequence[Step] = ()) -> None:
        self._script = list(script)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._problems: list[str] = []
        self.heard: list[Heard] = []
        self.connections = 0
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
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.wait_for(self._server.wait_closed(), SECONDS)
        if error is None:
            assert self._problems == []
            assert [step.line for step in self._script] == [], "these were not asked for"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def lines(self, method: str = "") -> list[str]:
        """The request lines so far, of one method if given."""
        return [heard.line for heard in self.heard if heard.line.startswith(method)]

    def expect(self, *steps: Step) -> None:
        """Append steps to the script."""
        self._script += steps

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tell whether the connection stays open."""
        heard = await _read(reader)
        self.heard.append(heard)
        match self._answer(heard):
            case Close(sent):
                writer.write(sent)
                await writer.drain()
                writer.close()
                return False
            case Raw(content, close):
                own = content.replace(b"{url}", self.url.encode()).replace(b"{host}", self.host.encode())
                writer.write(own)
                await writer.drain()
                if close:
                    writer.close()
                return not close
            case Hang():
                await asyncio.Event().wait()
                return False

    def _answer(self, heard: Heard) -> Answer:
        if not self._script:
            self._problems.append(f"nothing more was expected, heard {heard.line!r}")
            return reply(500)
        problem = self._script[0].mismatch(heard)
        if problem is not None:
            self._problems.append(problem)
            return reply(500)
        return self._script.pop(0).answer


async def _read(reader: asyncio.StreamReader) -> Heard:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in filter(None, rest):
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Heard(first.rpartition(" ")[0], headers, body)
