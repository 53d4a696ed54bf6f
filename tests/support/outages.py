"""Outages of a registry that begin at a chosen moment, and end again: its name does not resolve, or its process is killed."""

import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.support.clock import FakeClock
from tests.support.proxy import Harm, Proxy, proxied
from tests.support.real import RealRegistry

KINDS = ("name", "killed", "killed-acting")
# Other processes resolve it whatever a test does to this one, and reach the registry.
_NAME = "localhost"
_TOO_OLD = (
    61.0  # seconds after which aiohttp trusts neither an address nor a connection (bulkrm/remote/transport/sessions.py)
)


class Outage:
    """A registry with outages. References name it by `host`; call `heard` with every answer.

    Without `arm` an outage begins when `begin` is called.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.begun = False
        self._path = re.compile("")
        self._method = ""
        self._left = 0

    def arm(self, method: str, path: str, number: int) -> None:
        """Begin the outage at the `number`th answer from now on to such a request; `path` is a pattern."""
        self._method, self._path, self._left = method, re.compile(path), number

    def heard(self, method: str, path: str) -> None:
        if self._left and method == self._method and self._path.search(path):
            self._left -= 1
            if not self._left:
                self.begin()

    def begin(self) -> None:
        """Begin the outage."""
        self.begun = True

    async def end(self) -> None:
        """End the outage."""


class NameLost(Outage):
    """The name of the registry does not resolve, and the addresses that this process knows have expired."""

    def __init__(self, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(registry.host.replace("127.0.0.1", _NAME))
        self._known = True
        self._passed = 0.0
        self._resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)
        monkeypatch.setattr("aiohttp.connector.monotonic", self._now)

    def begin(self) -> None:
        super().begin()
        self._known = False

    async def end(self) -> None:
        self._known = True

    def _now(self) -> float:
        """Tell aiohttp the time, which flies while the name is lost: no connection and no address lasts."""
        self._passed += 0.0 if self._known else _TOO_OLD
        return time.monotonic() + self._passed

    def _getaddrinfo(self, host: Any, *arguments: Any, **options: Any) -> Any:
        if host == _NAME and not self._known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._resolve(host, *arguments, **options)


class Killed(Outage):
    """The process of the registry is killed between two requests, and started again with the same files and port."""

    def __init__(self, registry: RealRegistry) -> None:
        super().__init__(registry.host)
        self._registry = registry

    def begin(self) -> None:
        super().begin()
        self._registry.kill()

    async def end(self) -> None:
        await self._registry.restart()


class KilledActing(Killed):
    """The process of the registry is killed after a request has taken effect, and before its answer is sent."""

    def __init__(self, registry: RealRegistry, proxy: Proxy) -> None:
        super().__init__(registry)
        self.host = proxy.host
        self._proxy = proxy

    def arm(self, method: str, path: str, number: int) -> None:
        self._proxy.harm_once(method, path, number, self.begin)


@asynccontextmanager
async def outage_of(registry: RealRegistry, kind: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outage]:
    """Prepare an outage of a running registry."""
    match kind:
        case "name":
            yield NameLost(registry, monkeypatch)
        case "killed":
            yield Killed(registry)
        case _:
            async with proxied(registry.host, Harm.DROP_AFTER, "", 1) as proxy:
                yield KilledActing(registry, proxy)


class Patience(FakeClock):
    """A clock that ends an outage after the first wait; `then`: called at that moment."""

    def __init__(self, outage: Outage, then: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__(auto=True)
        self._outage = outage
        self._then = then
        self._ending = anyio.Lock()
        self._over = False

    async def sleep(self, seconds: float) -> None:
        async with self._ending:
            if not self._over:
                await self._outage.end()
                self._over = True
                if self._then is not None:
                    await self._then()
        await super().sleep(seconds)
