"""Connections that are used again, and whether what was read over them can be relied on.

HTTP/1.1 numbers nothing: on a connection that is kept alive, an answer belongs to a request because it is the next one to
come. Where something between here and the registry sends an answer twice, everything after it on that connection is the
answer to the request before: a tag seems to lead where another one leads, a DELETE seems done that was refused. aiohttp
does not see it: what comes on a pooled connection while nobody waits is kept, and is the answer to the next request.

The rules. "Alone" is a request on a connection of its own, which is closed after it.

1. The first answer on a connection is that to the first request: nothing came before it that could come twice.
2. So whatever changes a registry goes alone, and so does reading in between. Only the bulk of the reading, before the
   plan, goes over connections that are used again, and all else after a host has earned it (rule 6).
3. More answers than requests, bytes while nobody waits, bytes that are no HTTP, or an answer that speaks of another
   digest than was asked for: the answers on this connection are mixed up. From then on everything at this host goes
   alone, and what came over shared connections is no answer; what was read before is read again.
4. A repetition is the same answer again. On a connection that never gave the same answer twice, there was none.
5. Where one did (tags of one image), the bulk ends with `GET /v2/` on each open connection: answers come in order, so
   one that is not the greeting shows that they are mixed up, and one that is shows that none before it was. A
   connection that was closed before it could be asked shows nothing, so what it brought is read again, alone.
6. A host whose first `ENOUGH` answers were found to be in order by rules 4 and 5 may get everything over shared
   connections. Rule 3 still holds.

What this does not cover: a host that gives `ENOUGH` answers in order and begins to repeat them only then can hide that
a DELETE was refused behind the success of the one before, until rule 3 notices; and a repetition that something changed
on its way escapes rule 4, unless one of the others sees it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

ENOUGH = 200
_ON_ITS_WAY: ContextVar["Use | None"] = ContextVar("use", default=None)
_FINAL, _SWITCHING = 200, 101
# What servers say of themselves before they close an idle connection (RFC 9110 section 15.5.9): HAProxy does.
_IDLE_FOR_TOO_LONG = (b"HTTP/1.1 408 ", b"HTTP/1.0 408 ")


def _tell_nobody(why: str) -> None:
    """Tell nobody."""


class Reuse:
    """What is known of the shared connections to one host. `ended`: why there are none any more."""

    def __init__(self, tell: Callable[[str], None] = _tell_nobody) -> None:
        """`tell` hears when it ends, and why."""
        self.ended: str | None = None
        self.relied_on = 0
        self._tell = tell
        self._open: set[WatchedConnection] = set()
        self._answers = 0
        self._unknown = False

    def allows(self, *, bulk: bool) -> bool:
        """Tell whether a request may go over a shared connection; `bulk`: it is one of the bulk of the reading."""
        return self.ended is None and (bulk or self.relied_on >= ENOUGH)

    @property
    def number(self) -> int:
        """How many connections are open: as many requests, one after the other, come by all that are idle."""
        return len(self._open)

    @property
    def doubtful(self) -> bool:
        """Tell whether an answer came twice over one connection, and it was not shown to be in order."""
        return self._unknown or any(connection.doubtful for connection in self._open)

    def rely(self) -> None:
        """Note that everything so far was in order."""
        self.relied_on = self._answers

    def end(self, why: str) -> None:
        """Share no connection any more."""
        if self.ended is None:
            self.ended = why
            self._tell(why)

    def opened(self, connection: "WatchedConnection") -> None:
        """Hear of a new connection."""
        self._open.add(connection)

    def closed(self, connection: "WatchedConnection") -> None:
        """Hear that one is no more; what came over it cannot be shown to be in order any more."""
        self._open.discard(connection)
        self._unknown = self._unknown or connection.doubtful

    def count(self) -> None:
        """Count an answer."""
        self._answers += 1


class WatchedConnection(ResponseHandler):
    """aiohttp's protocol of a connection. It counts requests and answers, and notices what nobody asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with no request."""
        super().__init__(loop)
        self.doubtful = False
        self.asked = 0
        self._answered = 0
        self._seen: set[int] = set()
        self._reuse: Reuse | None = None

    def belong(self, reuse: Reuse) -> None:
        """Note whose it is."""
        if self._reuse is None:
            self._reuse = reuse
            reuse.opened(self)

    def note(self, likeness: int) -> None:
        """Note an answer by what it looks like."""
        self.doubtful = self.doubtful or likeness in self._seen
        self._seen.add(likeness)

    def set_response_params(self, **params: Any) -> None:
        """Hear from aiohttp that a request is about to be sent."""
        self.asked += 1
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Hear from the event loop that bytes came."""
        if data and self.asked == self._answered and not self.should_close:
            if data.startswith(_IDLE_FOR_TOO_LONG):
                self._close()
            elif data.strip(b"\r\n"):  # line ends between answers are ignored (RFC 9112 section 2.2)
                self._mixed_up("bytes came that nobody waited for")
            return
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Hear from the parser that an answer came, as far as its headers."""
        status = data[0].code
        if status >= _FINAL or status == _SWITCHING:
            self._answered += 1
            if self._answered > self.asked:
                self._mixed_up("an answer came that nobody waited for")
        super().feed_data(data, size)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Hear from aiohttp that the connection is of no use any more."""
        if isinstance(exc, HttpProcessingError) and self.asked > 1:
            self._mixed_up("bytes came that are no answer")
        super().set_exception(exc, *(() if exc_cause is None else (exc_cause,)))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hear from the event loop that the connection is closed."""
        if self._reuse is not None:
            self._reuse.closed(self)
        super().connection_lost(exc)

    def _mixed_up(self, why: str) -> None:
        if self._reuse is not None:
            self._reuse.end(why)
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class Use:
    """One request over a shared connection: which one it was."""

    __slots__ = ("_connection", "reuse")

    def __init__(self, reuse: Reuse) -> None:
        """Take what is known of the host's connections."""
        self.reuse = reuse
        self._connection: WatchedConnection | None = None

    @property
    def again(self) -> bool:
        """Tell whether the connection was used before."""
        return self._connection is not None and self._connection.asked > 1

    def take(self, connection: WatchedConnection) -> None:
        """Note the connection."""
        connection.belong(self.reuse)
        self._connection = connection

    def received(self, likeness: int) -> None:
        """Count an answer, by what it looks like."""
        self.reuse.count()
        if self._connection is not None:
            self._connection.note(likeness)

    def in_order(self) -> None:
        """Note that the answers on this connection so far were in order."""
        if self._connection is not None:
            self._connection.doubtful = False

    @contextmanager
    def on_its_way(self) -> Iterator[None]:
        """Let the connector know whose request it is that the current task sends."""
        token = _ON_ITS_WAY.set(self)
        try:
            yield
        finally:
            _ON_ITS_WAY.reset(token)


def _watched(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return WatchedConnection(loop)


class SharedConnector(aiohttp.TCPConnector):
    """Opens and pools watched connections. aiohttp takes the one that was idle for longest first: pinned by a test."""

    def __init__(self, **options: Any) -> None:
        """Take the options of aiohttp.TCPConnector. Create it inside the event loop."""
        super().__init__(**options)
        self._factory = partial(_watched, asyncio.get_running_loop())

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's)
    ) -> aiohttp.connector.Connection:
        """Return a connection, and tell whoever sends the request which one it is."""
        connection = await super().connect(req, traces, timeout)
        use = _ON_ITS_WAY.get()
        if use is not None and isinstance(connection.protocol, WatchedConnection):
            use.take(connection.protocol)
        return connection
