"""A proxy in front of a registry that repeats some answers: it sends the same bytes a second time, a little later."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.support.giving_up import SECONDS

_GONE = (asyncio.IncompleteReadError, ConnectionError)


class RepeatingProxy:
    """A proxy that repeats a `share` of all answers on a connection after `delay` seconds, while it is `active`.

    Only whole answers are repeated, before or after another answer, and never in the middle of one.
    """

    def __init__(self, upstream: str, share: float, seed: int = 1, delay: float = 0.003) -> None:
        self._upstream = upstream
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 (chance that can be repeated)
        self._delay = delay
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.active = True
        self.answers = 0
        self.repeated = 0
        self.connections = 0

    @property
    def host(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=SECONDS)
        await asyncio.wait_for(self._server.wait_closed(), SECONDS)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        first = await reader.read(1)
        if first == b"\x16":  # a TLS client's hello: say that this is plain HTTP, as registries do
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            writer.close()
            return
        host, _, port = self._upstream.rpartition(":")
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        methods: deque[bytes] = deque()
        answers = self._start(self._answers(up_reader, writer, methods))
        with suppress(*_GONE):
            while True:
                head, body = await _message(reader, None)
                head, first = first + head, b""
                methods.append(head.partition(b" ")[0])
                up_writer.write(head + body)
                await up_writer.drain()
        answers.cancel()
        up_writer.close()
        writer.close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, methods: deque[bytes]) -> None:
        with suppress(*_GONE):
            while True:
                # An answer to HEAD has the length of a body that does not come.
                head, body = await _message(reader, methods)
                writer.write(head + body)
                await writer.drain()
                self.answers += 1
                if self.active and self._random.random() < self._share:
                    self._start(self._again(head + body, writer))
        writer.close()

    async def _again(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay)
        if not writer.is_closing():
            self.repeated += 1
            with suppress(*_GONE):
                writer.write(answer)
                await writer.drain()


async def _message(reader: asyncio.StreamReader, methods: deque[bytes] | None) -> tuple[bytes, bytes]:
    """Read one request, or the answer to the oldest request of these methods."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(_field(line) for line in head.split(b"\r\n")[1:] if line)
    if methods is not None and methods.popleft() == b"HEAD":
        return head, b""
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        return head, await _chunks(reader)
    return head, await reader.readexactly(int(fields.get(b"content-length", b"0")))


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        whole += line + await reader.readexactly(size + 2)
        if size == 0:
            return whole


@asynccontextmanager
async def repeating(upstream: str, share: float, seed: int = 1, delay: float = 0.003) -> AsyncIterator[RepeatingProxy]:
    """Hold a running proxy."""
    proxy = RepeatingProxy(upstream, share, seed, delay)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
