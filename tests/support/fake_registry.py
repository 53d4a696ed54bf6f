"""A registry without a server, for tests of the engine: no socket, and the test moves the clock.

It replaces the transport. Everything above that is the real code; the answers are computed in memory, by the routes and the
store of the sandbox, which the contract tests compare with real servers. tests/contract/test_fake_registry.py sends the same
requests to both, over a socket and without one.

    clock = FakeClock(auto=True)
    registry = FakeRegistry(clock)
    registry.push("app", oci_image(1), "a")
    registry.faults.add(DropAfter(), method="DELETE")  # it acts, and its answer is lost
    async with registry.opened(settings, credentials, clock) as registries:
        ...                                            # registries[registry.host].delete(...)
    assert registry.sent[-1].startswith("HEAD")
"""

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from anyio.lowlevel import checkpoint
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bulkrm.families.family import address_of
from bulkrm.model.settings import Settings
from bulkrm.protocol.message import LOST, MAX_ERROR, TIMEOUT, TOO_LARGE, UNREACHABLE, Answer, NoAnswer
from bulkrm.remote.auth.token_cache import Tokens
from bulkrm.remote.clock import Clock
from bulkrm.remote.context import RemoteContext
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.registries import Listeners, Registries
from bulkrm.remote.transport.closing import Closings
from bulkrm.remote.transport.connections import Use
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import (
    Auth,
    Faults,
    Image,
    SandboxSettings,
    ServerRequest,
    SigningKey,
    Store,
    TokenServer,
    put_image,
)
from bulkrm.sandbox.auth.gate import Gate
from bulkrm.sandbox.listen import with_faults
from bulkrm.sandbox.registry.app import App
from bulkrm.sandbox.registry.blobstore import BlobStore
from bulkrm.sandbox.wire import ServerResponse

OPEN = SandboxSettings(auth=Auth.NONE)
_SUCCESS = 300
_NOBODYS = "sha256:" + "0" * 64
_SILENT = Listeners()
Opened = Callable[..., AbstractAsyncContextManager[Registries]]


class FakeRegistry:
    """One registry under one host name. `sent` has `METHOD target` of every request that reached it, in order.

    `faults` works as in the sandbox, by the clock of the test. `most`: the largest number of requests that it had in progress
    at the same time.
    """

    def __init__(self, clock: Clock, settings: SandboxSettings = OPEN, host: str = "registry.test") -> None:
        """`settings`: those of the sandbox, except that it asks for no credentials."""
        self.host = host
        self.store = Store()
        self.faults = Faults()
        self.sent: list[str] = []
        self.most = 0
        self._in_progress = 0
        self._clock = clock
        tokens = TokenServer(key=_key(), clock=clock.wall)
        gate = Gate(tokens.users, tokens, clock.wall)
        self._app = App(self.store, gate, replace(settings, auth=Auth.NONE), BlobStore(self.store), clock.wall)

    # For the test

    def push(self, repository: str, image: Image, *tags: str) -> str:
        """Put an image with all its parts into a repository; return its digest."""
        return put_image(self.store, repository, tags, image)

    def tags(self, repository: str) -> dict[str, str | None]:
        """Return the tags of a repository with the digest that each leads to."""
        return {tag: self.store.digest_of(repository, tag) for tag in sorted(self.store.tags(repository) or ())}

    def asked(self, *methods: str) -> list[str]:
        """Return `METHOD target` of the requests with these methods, in order."""
        return [line for line in self.sent if line.partition(" ")[0] in methods]

    def deleted(self, repository: str) -> list[str]:
        """Return the tags and digests that a DELETE was sent for, in order, without those of probes."""
        begins = f"DELETE /v2/{repository}/manifests/"
        found = [line.removeprefix(begins) for line in self.sent if line.startswith(begins)]
        return [name for name in found if name != _NOBODYS and not name.startswith("bulkrm-probe-")]

    def change(self, **settings: object) -> None:
        """Replace some of the settings."""
        self._app.settings = replace(self._app.settings, **settings)  # type: ignore[arg-type]

    def opened(
        self, settings: Settings, credentials: Credentials, clock: Clock, listeners: Listeners = _SILENT
    ) -> AbstractAsyncContextManager[Registries]:
        """Open the registry as `open_registries` opens real ones."""
        return reaching(self)(settings, credentials, clock, listeners)

    # For the transport

    async def answer(self, asked: ServerRequest, timeout: float) -> ServerResponse | NoAnswer:  # noqa: ASYNC109 (of the client, by the test's clock)
        """Answer a request of a client that waits for so many seconds; what comes too late takes effect all the same."""
        self.sent.append(f"{asked.method} {asked.target}")
        self._in_progress += 1
        self.most = max(self.most, self._in_progress)
        late = False

        async def sleep(seconds: float) -> None:
            nonlocal late
            late = late or seconds > timeout
            await self._clock.sleep(min(seconds, timeout))

        try:
            await checkpoint()
            answer = await with_faults(self.faults, asked, lambda: self._app.answer(asked), sleep)
        finally:
            self._in_progress -= 1
        if late:
            return NoAnswer(TIMEOUT, "no answer within the time limit")
        return answer or NoAnswer(LOST, "the connection broke")


class FakeTransport(Transport):
    """A transport that passes requests to registries in memory, by the host of their URL."""

    def __init__(self, fakes: Mapping[str, FakeRegistry], timeout: float, clock: Clock, listeners: Listeners) -> None:
        """Take what can be reached. What a real one opens, sessions and TLS, is not needed."""
        self.closings = Closings()
        self._fakes = fakes
        self._timeout = timeout
        self._clock = clock
        self._trace = listeners.trace

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        max_body: int = MAX_ERROR,
        body: bytes | None = None,
        use: Use | None = None,  # noqa: ARG002 (there is no connection that could be shared)
    ) -> Answer | NoAnswer:
        """Send once; `max_body` as for a real one."""
        target = URL(url, encoded=True)
        fake = self._fakes.get(target.host_port_subcomponent or "")
        if fake is None:
            return NoAnswer(UNREACHABLE, f"cannot connect to {target.host_port_subcomponent}")
        names = {name.lower(): value for name, value in {"Host": target.raw_authority, **headers}.items()}
        found = await fake.answer(
            ServerRequest(method, target.path, target.raw_query_string, names, body or b"", target.scheme),
            self._timeout,
        )
        answer = found if isinstance(found, NoAnswer) else self._as_received(method, found, max_body)
        self._trace(method, url, str(answer.status) if isinstance(answer, Answer) else answer.message)
        return answer

    def _as_received(self, method: str, sent: ServerResponse, max_body: int) -> Answer | NoAnswer:
        most = max_body if sent.status < _SUCCESS else MAX_ERROR
        content = b"" if method == "HEAD" else sent.body
        if len(content) > most and sent.status < _SUCCESS:
            return NoAnswer(TOO_LARGE, f"the answer has more than {max_body} bytes")
        headers = CIMultiDict({"Content-Length": str(len(sent.body)), **sent.headers})
        return Answer(sent.status, CIMultiDictProxy(headers), content[:most], self._clock.wall())


def reaching(*fakes: FakeRegistry) -> Opened:
    """Return what stands for `open_registries` where these registries, and no others, can be reached."""

    @asynccontextmanager
    async def opened(
        settings: Settings, credentials: Credentials, clock: Clock, listeners: Listeners = _SILENT
    ) -> AsyncIterator[Registries]:
        pacing = settings.pacing
        transport = FakeTransport({address_of(fake.host): fake for fake in fakes}, pacing.timeout, clock, listeners)
        tokens = Tokens(transport, clock, pacing.token_connections)
        yield Registries(RemoteContext(transport, tokens, clock, settings, listeners.tell), credentials)

    return opened


@functools.cache
def _key() -> SigningKey:
    """Return a key for token servers that nobody asks."""
    return SigningKey.generate()
