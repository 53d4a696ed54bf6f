"""Connections that are used again: whatever comes twice over one is noticed, and what was read is not relied on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Manifest
from bulkrm.model.result.effect import Removal
from bulkrm.model.settings import Connection
from bulkrm.protocol import message
from bulkrm.protocol.message import Answer, NoAnswer
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.sending import Sending
from bulkrm.remote.transport.connections import REMEMBERED, Reuse, Use
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.protocol.opening import app, fill, opened
from tests.support.clock import FakeClock
from tests.support.giving_up import SECONDS
from tests.support.repeating import repeating
from tests.support.scripted import Raw, ScriptedServer, Step, reply

OPEN = SandboxSettings(auth=Auth.NONE)
A, B = Digest.of(b"a"), Digest.of(b"b")
PING = Step("GET /v2/", reply(200, body=b"{}"))


class Puppet:
    """A server that answers each request with its path, and sends what the test says on the newest connection."""

    def __init__(self) -> None:
        self.connections = 0
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()

    def send(self, content: bytes) -> None:
        assert self._writer is not None
        self._writer.write(content)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(answer(head.split(b" ")[1]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def answer(body: bytes) -> bytes:
    """An answer with this body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@asynccontextmanager
async def puppet() -> AsyncIterator[Puppet]:
    """Hold a running puppet."""
    server = Puppet()
    await server.open()
    try:
        yield server
    finally:
        await server.close()


async def until(done: Callable[[], object]) -> None:
    """Let the event loop go round until something is so."""
    async with asyncio.timeout(SECONDS):
        while not done():  # noqa: ASYNC110 (what is waited for is in aiohttp)
            await asyncio.sleep(0)


def idle(connector: aiohttp.TCPConnector) -> list[aiohttp.client_proto.ResponseHandler]:
    """The pooled connections."""
    return [protocol for pooled in connector._conns.values() for protocol, _ in pooled]


async def test_aiohttp_takes_unread_data_for_the_next_answer() -> None:
    """That is what watched connections are for: aiohttp itself uses a connection again on which data waits."""
    async with puppet() as server, aiohttp.ClientSession(connector=aiohttp.TCPConnector()) as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        async with session.get(f"{server.url}/1") as first:
            await first.read()
        server.send(answer(b"/1"))
        await until(lambda: idle(connector)[0].should_close)

        async with session.get(f"{server.url}/2") as second:
            assert await second.read() == b"/1"
        assert server.connections == 1


@pytest.mark.parametrize(
    "stray", [answer(b"/1"), answer(b"/1")[:10], answer(b"/1")[:-1], b"x", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
async def test_unread_data(stray: bytes) -> None:
    """A pooled connection to which something comes is not used again, and no connection is shared after that."""
    said: list[str] = []
    reuse = Reuse(said.append)
    async with puppet() as server, Transport(Connection(), 5, SystemClock()) as transport:
        first = await transport.send("GET", f"{server.url}/1", {}, use=Use(reuse))
        server.send(stray)
        await until(lambda: reuse.ended)

        second = await transport.send("GET", f"{server.url}/2", {})

        assert isinstance(first, Answer)
        assert isinstance(second, Answer)
        assert (first.body, second.body) == (b"/1", b"/2")
        assert (len(said), server.connections) == (1, 2)


async def test_an_idle_connection_that_is_given_up() -> None:
    """A 408 on an idle connection is how some servers close it, and nothing is wrong with the others."""
    reuse = Reuse()
    async with puppet() as server, Transport(Connection(), 5, SystemClock()) as transport:
        await transport.send("GET", f"{server.url}/1", {}, use=Use(reuse))
        server.send(b"HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await until(lambda: reuse.number == 0)

        second = await transport.send("GET", f"{server.url}/2", {}, use=Use(reuse))

        assert isinstance(second, Answer)
        assert second.body == b"/2"
        assert reuse.ended is None


@pytest.mark.parametrize("rest", [answer(b"/1"), answer(b"/1")[:-1], b"junk\r\n\r\n"])
async def test_two_answers_at_once(rest: bytes) -> None:
    """What comes behind an answer, in the same moment, ends the sharing of connections."""
    reuse = Reuse()
    script = [Step("GET /0", reply(200, body=b"0")), Step("GET /1", Raw(answer(b"/1") + rest))]
    async with ScriptedServer(script) as server, Transport(Connection(), 5, SystemClock()) as transport:
        await transport.send("GET", f"{server.url}/0", {}, use=Use(reuse))

        result = await transport.send("GET", f"{server.url}/1", {}, use=Use(reuse))

        assert isinstance(result, NoAnswer)
        assert result.kind == message.LOST
        assert reuse.ended is not None


async def test_an_informational_answer_is_none() -> None:
    """A 100 before an answer is no second answer."""
    reuse = Reuse()
    content = b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"a")
    script = [Step("GET /1", Raw(content)), Step("GET /2", Raw(content))]
    async with ScriptedServer(script) as server, Transport(Connection(), 5, SystemClock()) as transport:
        for number in (1, 2):
            assert isinstance(await transport.send("GET", f"{server.url}/{number}", {}, use=Use(reuse)), Answer)

        assert reuse.ended is None
        assert server.connections == 1


async def test_the_longest_idle_first() -> None:
    """Idle connections are taken in turn, so that as many requests as there are connections come by all of them."""
    reuse = Reuse()
    async with puppet() as server, Transport(Connection(), 5, SystemClock()) as transport:

        async def send() -> Use:
            use = Use(reuse, bulk=True)
            await transport.send("GET", f"{server.url}/", {}, use=use)
            return use

        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(send())
        uses = [await send() for _ in range(5)]

        assert len({use._connection for use in uses}) == reuse.number == server.connections == 5
        assert all(use.is_reused for use in uses)


# One host


async def test_what_goes_alone() -> None:
    """A DELETE, a PUT and a single read have each a connection of their own, also where others share some."""
    manifest = Manifest(A, OCI_MANIFEST, b"a")
    changes = [
        *(Step(f"DELETE /v2/team/app/manifests/{digest}", reply(202)) for digest in (A, B)),
        Step("PUT /v2/team/app/manifests/1", reply(201, {"Docker-Content-Digest": A})),
    ]
    reads = [Step("HEAD /v2/team/app/manifests/1", head(A))] * 2
    async with ScriptedServer([PING, *reads, *changes]) as server, opened() as registries:
        registry = registries[server.host]
        for _ in reads:
            await registry.head(app(server.host), "1")
        with registries.sharing.again():
            for digest in (A, B):
                assert await registry.delete(app(server.host), digest, Sending()) is Removal.ACCEPTED
            await registry.put(app(server.host), "1", manifest, Sending())

        assert server.connections == 6


async def test_an_answer_like_another_one() -> None:
    """Where something is read again it is not believed: its connection is closed, and it is asked again alone."""
    first, second = (Step(f"HEAD /v2/team/app/manifests/{tag}", head(A)) for tag in "12")
    last = Step("HEAD /v2/team/app/manifests/2", head(B))
    async with ScriptedServer([PING, first, second, last, first]) as server, opened() as registries:
        registry = registries[server.host]
        with registries.sharing.again():
            await registry.head(app(server.host), "1")
            found = await registry.head(app(server.host), "2")
            assert (found and found.digest, server.connections) == (B, 2)

            await registry.head(app(server.host), "1")

        assert server.connections == 3
        assert registry.host.requests == 5
        assert await registries.mixed_up() == []


async def test_a_refusal_of_the_moment_like_another_one() -> None:
    """A 429 or 5xx that is like another one is waited for once, and not sent again at once."""
    busy = [Step("HEAD /v2/team/app/manifests/1", reply(503, head=True))] * 2
    then = Step("HEAD /v2/team/app/manifests/1", head(A))
    clock = FakeClock(auto=True)
    async with ScriptedServer([PING, *busy, then]) as server, opened(clock=clock) as registries:
        with registries.sharing.again():
            assert await registries[server.host].head(app(server.host), "1") is not None

        assert len(clock.slept) == 2
        assert server.connections == 2


async def test_an_answer_like_one_long_ago() -> None:
    """An answer that is like one before many others is no repetition: what is read again costs no second request."""
    digests = [Digest.of(str(number).encode()) for number in range(REMEMBERED + 1)]
    steps = [Step(f"HEAD /v2/team/app/manifests/{digest}", head(digest)) for digest in digests] * 2
    async with ScriptedServer([PING, *steps]) as server, opened() as registries:
        with registries.sharing.again():
            for digest in digests * 2:
                await registries[server.host].head(app(server.host), digest)

        assert server.connections == 1


async def test_a_bulk_shares_connections() -> None:
    """What is read in bulk is taken, also where it is like what came before."""
    step = Step("HEAD /v2/team/app/manifests/1", head(A))
    async with ScriptedServer([PING, step, step]) as server, opened() as registries:
        with registries.sharing.bulk():
            for _ in range(2):
                await registries[server.host].head(app(server.host), "1")

        assert server.connections == 1
        assert registries[server.host].host.reuse.doubtful


def head(digest: Digest) -> Raw:
    """The answer to HEAD of a manifest."""
    fields = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest, "Content-Length": "100"}
    return reply(200, fields, head=True)


async def test_an_answer_with_another_digest() -> None:
    """On a shared connection it is no answer: it is asked again alone, and what was read before is not relied on."""
    script = [
        PING,
        Step(f"HEAD /v2/team/app/manifests/{A}", head(A)),
        Step(f"HEAD /v2/team/app/manifests/{B}", head(A)),
        Step(f"HEAD /v2/team/app/manifests/{B}", head(B)),
    ]
    async with ScriptedServer(script) as server, opened(clock=FakeClock(auto=True)) as registries:
        registry = registries[server.host]
        with registries.sharing.bulk():
            await registry.head(app(server.host), A)
            found = await registry.head(app(server.host), B)

        assert found is not None
        assert found.digest == B
        assert server.connections == 2
        assert await registries.mixed_up() == [server.host]
        assert await registries.mixed_up() == []


async def confirmed(ping: Callable[[], Step]) -> tuple[bool, int]:
    """Read two tags of one image and confirm; return whether it can be relied on, and how many requests that cost."""
    tags = [Step(f"HEAD /v2/team/app/manifests/{tag}", head(A)) for tag in "12"]
    async with ScriptedServer([PING, *tags, ping()]) as server, opened() as registries:
        registry = registries[server.host]
        with registries.sharing.bulk():
            for tag in "12":
                await registry.head(app(server.host), tag)
        before = registry.host.requests
        mixed_up = await registries.mixed_up()
        return mixed_up == [], registry.host.requests - before


async def test_a_ping_at_the_end() -> None:
    """Where an answer came twice over a connection, the ping at its end shows that all were in order."""
    assert await confirmed(lambda: PING) == (True, 1)


@pytest.mark.parametrize(
    "late", [reply(200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": A}), reply(200, body=b'{"tags": []}')]
)
async def test_another_answer_than_the_ping_had(late: Raw) -> None:
    """If the ping is answered otherwise than before, nothing that was read can be relied on."""
    assert await confirmed(lambda: Step("GET /v2/", late)) == (False, 1)


async def test_different_answers_need_no_ping() -> None:
    """Over a connection that never brought the same answer twice, nothing was repeated: no request is spent."""
    tags = [Step(f"HEAD /v2/team/app/manifests/{digest}", head(digest)) for digest in (A, B)]
    async with ScriptedServer([PING, *tags]) as server, opened() as registries:
        with registries.sharing.bulk():
            for digest in (A, B):
                await registries[server.host].head(app(server.host), digest)

        assert await registries.mixed_up() == []
        assert registries[server.host].host.requests == 3


async def test_a_connection_that_was_closed() -> None:
    """What came twice over a connection that is closed meanwhile cannot be confirmed."""
    tags = [Step("HEAD /v2/team/app/manifests/1", head(A)), Step("HEAD /v2/team/app/manifests/2", closing(head(A)))]
    async with ScriptedServer([PING, *tags]) as server, opened() as registries:
        with registries.sharing.bulk():
            for tag in "12":
                await registries[server.host].head(app(server.host), tag)
        await until(lambda: registries[server.host].host.reuse.number == 0)

        assert await registries.mixed_up() == [server.host]


def closing(given: Raw) -> Raw:
    """The same answer, and the connection is closed after it."""
    return Raw(given.content, close=True)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
async def test_reading_through_a_proxy_that_repeats(share: float) -> None:
    """What is relied on at last is what the registry holds."""
    async with Sandbox(OPEN) as sandbox, repeating(sandbox.host, share, delay=0.0) as proxy:
        digests = fill(sandbox, *(f"t{number}" for number in range(60)))
        async with opened(clock=FakeClock(auto=True)) as registries:
            registry = registries[proxy.host]

            async def read() -> dict[str, str | None]:
                found: dict[str, str | None] = {}
                with registries.sharing.bulk():
                    for tag in digests:
                        held = await registry.head(app(proxy.host), tag)
                        found[tag] = held.digest if held else None
                return found

            found = await read()
            if await registries.mixed_up():
                found = await read()

            assert proxy.repeated > 0
            assert found == digests
            assert await registries.mixed_up() == []
