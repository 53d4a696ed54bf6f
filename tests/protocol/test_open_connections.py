"""A host has no more connections open than it may have, those that are idle or being closed included."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from anyio import wait_all_tasks_blocked

from bulkrm.model.digest import Digest
from bulkrm.model.settings import Connection, Pacing, Rate
from bulkrm.protocol.message import Answer
from bulkrm.remote.clock import SystemClock
from bulkrm.remote.sending import Sending, Withdrawn
from bulkrm.remote.transport.closing import Closings
from bulkrm.remote.transport.connections import Reuse, Use, WatchedConnection
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from bulkrm.sandbox.auth.keys import ServerCertificate
from tests.protocol.opening import app, fill, opened
from tests.support.clock import FakeClock

MOST = 4
OPEN = SandboxSettings(auth=Auth.NONE)


class Counted(socket.socket):
    """A socket. The class knows how many are open that were made to connect, and how many there were at once."""

    open = 0
    most = 0

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002
        super().__init__(family, type, proto, fileno)
        self._counted = fileno is None  # those of the server are accepted, and have a number
        Counted.open += self._counted
        Counted.most = max(Counted.most, Counted.open)

    def close(self) -> None:
        Counted.open -= self._counted
        self._counted = False
        super().close()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    """Count the sockets that are made from now on."""
    monkeypatch.setattr(socket, "socket", Counted)
    return Counted


@pytest.mark.parametrize("tls", [False, True])
async def test_never_more_than_allowed(tls: bool, counted: type[Counted]) -> None:  # noqa: FBT001 (a table)
    """Requests that are sent alone, one right after the other, leave no room for idle connections, which are closed."""
    connection = Connection(insecure=True) if tls else Connection(plain_http=True)
    pacing = Pacing(concurrency=MOST, connections=MOST, token_connections=1)
    async with Sandbox(SandboxSettings(auth=Auth.NONE, tls=tls)) as sandbox:
        before = counted.open
        digests = [*fill(sandbox, *(f"t{number}" for number in range(40))).values()]
        async with opened(login=None, connection=connection, pacing=pacing) as registries:
            registry = registries[sandbox.host]
            with registries.sharing.bulk():
                async with asyncio.TaskGroup() as tasks:
                    for digest in digests:
                        tasks.create_task(registry.head(app(sandbox), digest))
            assert await registries.mixed_up() == []
            assert registry.host.reuse.idle == counted.open - before == MOST
            async with asyncio.TaskGroup() as tasks:
                for digest in digests:
                    tasks.create_task(registry.delete(app(sandbox), Digest(digest), Sending()))

        assert counted.most - before == MOST
        assert sandbox.store.tags("team/app") == []


async def test_the_doubtful_ones_last() -> None:
    """An idle connection whose answers need not be confirmed is closed before one that is idle for longer."""
    reuse = Reuse()
    async with Sandbox(OPEN) as sandbox, Transport(Connection(), 5, SystemClock()) as transport:
        for path in ("/v2/", "/v2/_catalog"):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(2):
                    tasks.create_task(transport.send("GET", f"{sandbox.url}{path}", {}, use=Use(reuse, bulk=True)))
        doubtful, certain = reuse._idle
        doubtful.doubtful = True

        reuse.close_idle()

        assert list(reuse._idle) == [doubtful]
        assert certain.transport is None or certain.transport.is_closing()
        await transport.closings.wait()
        assert reuse.number == 1
        assert not reuse.doubtful or reuse._open == {doubtful}


async def test_a_connection_that_the_next_request_has_already() -> None:
    """It is not idle: aiohttp gives it to the next request before the task of the last one goes on."""
    reuse = Reuse()
    first, second = Use(reuse), Use(reuse)
    connection = WatchedConnection(asyncio.get_running_loop(), Closings())
    first.take(connection)
    second.take(connection)

    first.__exit__(None, None, None)
    idle_while_the_second_waits = reuse.idle
    second.__exit__(None, None, None)

    assert (idle_while_the_second_waits, reuse.idle) == (0, 1)


async def test_a_doubt_about_a_connection_that_is_closed_by_then() -> None:
    """An answer that equals an earlier one is in doubt also where the connection was closed before its task went on."""
    reuse = Reuse()
    use = Use(reuse, bulk=True)
    connection = WatchedConnection(asyncio.get_running_loop(), Closings())
    use.take(connection)
    use.received(1)
    connection.connection_lost(None)
    assert not reuse.doubtful

    use.received(1)

    assert reuse.doubtful


@contextmanager
def answers_without_end(certificate: ServerCertificate) -> Iterator[int]:
    """A TLS server on a port, in a thread, that answers one request, and reads nothing more: no end of TLS either."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            accepted, _ = listening.accept()
            with certificate.context().wrap_socket(accepted, server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("shared", [False, True])
async def test_a_server_that_never_ends_tls(shared: bool) -> None:  # noqa: FBT001 (a table)
    """Its connection is closed at once nevertheless, and not after the 30 seconds of asyncio."""
    use = Use(Reuse()) if shared else None
    with answers_without_end(ServerCertificate.generate()) as port:
        async with Transport(Connection(insecure=True), 5, SystemClock()) as transport:
            answer = await transport.send("GET", f"https://127.0.0.1:{port}/", {}, use=use)
            if use is not None:
                use._reuse.close_idle()
            began = transport.closings.number
            async with asyncio.timeout(20):
                await transport.closings.wait()

    assert isinstance(answer, Answer)
    assert began == 1


class Switch:
    """A permission that a test takes away."""

    def __init__(self) -> None:
        self.is_on = True

    def holds(self) -> bool:
        return self.is_on


async def test_a_permission_that_is_lost_while_there_is_no_room() -> None:
    """A change that waits until a connection is closed asks for its permission after that, and is not sent without it."""
    pacing = Pacing(concurrency=1, connections=1)
    async with Sandbox(OPEN) as sandbox, opened(login=None, pacing=pacing) as registries:
        digest = Digest(fill(sandbox, "a")["a"])
        registry, permission = registries[sandbox.host], Switch()
        await registry.head(app(sandbox), "a")
        closings = registry.host.transport.closings
        await closings.wait()

        closings.began()
        deletion = asyncio.create_task(registry.delete(app(sandbox), digest, Sending(permission)))
        await wait_all_tasks_blocked()
        permission.is_on = False
        closings.ended()
        with pytest.raises(Withdrawn):
            await deletion

        assert sandbox.store.tags("team/app") == ["a"]


async def test_a_rate_while_there_is_no_room() -> None:
    """Requests that wait until a connection is closed are not sent faster than the rate allows."""
    clock = FakeClock(auto=True)
    pacing = Pacing(concurrency=2, connections=2, rate=Rate(3, 60))
    async with Sandbox(OPEN) as sandbox, opened(login=None, pacing=pacing, clock=clock) as registries:
        fill(sandbox, "a")
        registry = registries[sandbox.host]
        await registry.head(app(sandbox), "a")
        closings = registry.host.transport.closings
        await closings.wait()

        for _ in range(2):
            closings.began()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(registry.head(app(sandbox), "a"))
            await wait_all_tasks_blocked()
            for _ in range(2):
                closings.ended()

        assert registry.host.requests == 4
        assert clock.slept == [60.0]


async def test_connections_of_another_host_that_are_being_closed() -> None:
    """They take room, but requests that wait for room have no connection, and take none: one of them goes after the other."""
    pacing = Pacing(concurrency=2, connections=2)
    async with Sandbox(OPEN) as sandbox, opened(login=None, pacing=pacing) as registries:
        digests = fill(sandbox, "a", "b", "c", "d").values()
        registry = registries[sandbox.host]
        closings = registry.host.transport.closings
        closings.began()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for digest in digests:
                tasks.create_task(registry.delete(app(sandbox), Digest(digest), Sending()))

        assert closings.number >= 1
        assert sandbox.store.tags("team/app") == []
