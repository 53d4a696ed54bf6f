"""A TCP proxy in front of a real registry, which at chosen requests drops connections, delays answers, or tells the test."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

_REQUEST = re.compile(rb"(DELETE|PUT|GET|HEAD) \S*/manifests/\S* HTTP/1\.1\r\n")
_MOST = 3  # harms to one request: the fifth send is the last one
_LOST = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


def _nothing() -> None:
    """Do nothing."""


class Harm(Enum):
    """The harm that is done to a request."""

    DROP = "the connection ends before the registry hears of it"
    DROP_AFTER = "the registry acts, and the connection ends instead of its answer"
    TRICKLE = "the registry acts, and its answer comes a byte at a time, and never whole"


class Proxy:
    """A proxy that harms each `every`th request for a manifest with one of these methods, once it is `active`.

    A request is not harmed twice in a row: otherwise all of its retries could be harmed, and it would never succeed. For the
    same reason it is harmed three times at most. If the registry does not listen, connections end at once. `on_silence` is
    called when no more comes of an answer that trickles. `harm` None: nothing is done to the request that `harm_once` names.
    """

    def __init__(
        self, upstream: str, harm: Harm | None, methods: str, every: int, on_silence: Callable[[], None] = _nothing
    ) -> None:
        self._upstream = upstream
        self._harm = harm
        self._methods = methods.split()
        self._every = every
        self._on_silence = on_silence
        self._seen = 0
        self.host = ""
        self.active = False
        self.harmed = 0
        self._path = re.compile(b"")
        self._then = _nothing
        self._last = b""  # the request that was harmed last
        self._harmed_of: Counter[bytes] = Counter()

    def harm_once(self, method: str, path: str, number: int, then: Callable[[], None]) -> None:
        """Harm the `number`th such request from now on, and no other; `then` is called at that moment.

        `path` is a pattern. Where the harm is that the registry does not hear of it, or none, that is before it would.
        """

        def once() -> None:
            self.active = False
            then()

        self._methods, self._path, self._every, self._seen = [method], re.compile(path.encode()), number, 0
        self._then, self.active = once, True

    async def serve(self, client: SocketStream) -> None:
        """Forward one connection. A client sends its next request after the answer, so a chunk has one request at most."""
        host, _, port = self._upstream.rpartition(":")
        try:
            upstream = await anyio.connect_tcp(host, int(port))
        except OSError:
            await client.aclose()
            return
        async with client, upstream as registry, anyio.create_task_group() as both:
            harmed = anyio.Event()
            both.start_soon(self._answers, registry, client, harmed)
            try:
                while True:
                    chunk = await client.receive()
                    if self._hits(chunk):
                        if self._harm in (Harm.DROP, None):
                            self._then()
                        if self._harm is Harm.DROP:
                            break
                        if self._harm is not None:
                            harmed.set()
                    await registry.send(chunk)
            except _LOST:
                pass
            both.cancel_scope.cancel()

    async def _answers(self, registry: ByteStream, client: ByteStream, harmed: anyio.Event) -> None:
        try:
            while True:
                chunk = await registry.receive()
                if not harmed.is_set():
                    await client.send(chunk)
                    continue
                self._then()
                if self._harm is Harm.DROP_AFTER:
                    break
                for position in range(20):
                    await client.send(chunk[position : position + 1])
                    await anyio.sleep(0.002)
                self._on_silence()
        except _LOST:
            pass
        await client.aclose()

    def _hits(self, chunk: bytes) -> bool:
        found = _REQUEST.match(chunk)
        if not self.active or found is None or found[1].decode() not in self._methods:
            return False
        if not self._path.search(found[0]):
            return False
        self._seen += 1
        if self._seen % self._every or (found[0] == self._last and self._then is _nothing):
            return False
        if self._harmed_of[found[0]] == _MOST and self._then is _nothing:
            return False
        self._harmed_of[found[0]] += 1
        self._last = found[0]
        self.harmed += 1
        return True


@asynccontextmanager
async def proxied(
    upstream: str, harm: Harm | None, methods: str, every: int, on_silence: Callable[[], None] = _nothing
) -> AsyncIterator[Proxy]:
    """Run a proxy; `methods`: separated by blanks."""
    proxy = Proxy(upstream, harm, methods, every, on_silence)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        proxy.host = f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 (no Django)
        group.start_soon(listener.serve, proxy.serve)
        yield proxy
        group.cancel_scope.cancel()
