"""Reused connections, and whether answers that were read over them can be trusted.

HTTP/1.1 does not number answers: on a persistent connection, an answer belongs to a request only because it comes next. If a
proxy or the registry sends an answer twice, every later answer on that connection is the answer to the request before: a tag
seems to lead to the manifest of another tag, and a refused DELETE seems to have been carried out. aiohttp does not detect
this: it keeps bytes that arrive on an idle pooled connection, and reads them as the answer to the next request.

The rules. A request is sent "alone" if it has a connection of its own, which is closed after it.

1. The first answer on a connection belongs to the first request, since no earlier answer could be repeated. So answers to
   requests that are sent alone are right: all changes of a registry, tokens, and single reads. Connections are shared only
   where much is read, in the two modes of `Sharing`.
2. The answers on a connection are mixed up if there are more answers than requests, bytes on an idle connection, bytes that
   are not HTTP, or an answer for another digest than the requested one. From then on all requests to this host are sent
   alone, later answers over shared connections are discarded, and everything that was read before is read again.
3. A repeated answer equals the original, and comes soon after it. So an answer that differs from the last `REMEMBERED` ones
   on its connection repeats none of them; and if no answer was repeated, each belongs to its request.
4. When a repository is read a second time, or a tag right before its deletion, an answer that equals an earlier one is
   discarded: the connection is closed, and the request is sent again, alone.
5. When much is read before a plan, equal answers are common (many tags of one image), so they are accepted at first. At the
   end `GET /v2/` is sent on each connection: since answers come in order, an answer that is not the one to `GET /v2/` shows
   that the answers are mixed up, and otherwise none was repeated. Nothing is known about a connection that was closed before
   that, so everything that this host sent is read again, alone.

Not covered: a repeated answer that was changed on its way, or that comes after `REMEMBERED` others, may pass the rules 3 to
5, as long as it does not break rule 2.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from bulkrm.remote.transport.closing import Closings, PromptlyClosed

REMEMBERED = 64
_CURRENT: ContextVar["Use | None"] = ContextVar("use", default=None)  # of the request that this task sends
_FINAL, _SWITCHING = 200, 101
# Some servers, such as HAProxy, send this answer before they close an idle connection (RFC 9110 section 15.5.9).
_IDLE_FOR_TOO_LONG = (b"HTTP/1.1 408 ", b"HTTP/1.0 408 ")


def _tell_nobody(why: str) -> None:
    """Do nothing."""


class Sharing:
    """The mode in which reads share connections now: not at all, as rule 4 has it (`again`), or as rule 5 has it (`bulk`)."""

    def __init__(self) -> None:
        """Share no connections at first."""
        self.in_bulk = False
        self._again = 0

    @property
    def allowed(self) -> bool:
        """Tell whether a read may share a connection now."""
        return self.in_bulk or self._again > 0

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Share connections for all reads in the block; their answers have to be confirmed before they are used."""
        self.in_bulk = True
        try:
            yield
        finally:
            self.in_bulk = False

    @contextmanager
    def again(self) -> Iterator[None]:
        """Share connections for second readings in the block; several tasks may be in such a block at the same time."""
        self._again += 1
        try:
            yield
        finally:
            self._again -= 1


class Reuse:
    """The state of the shared connections to one host. `ended`: why connections are not shared any more; None: they are."""

    def __init__(self, tell: Callable[[str], None] = _tell_nobody) -> None:
        """`tell`: called with the reason when sharing ends."""
        self.ended: str | None = None
        self._tell = tell
        self._open: set[WatchedConnection] = set()
        self._idle: dict[WatchedConnection, None] = {}  # the one that is idle for longest comes first
        self._closed_in_doubt = False

    @property
    def number(self) -> int:
        """The number of open connections. As many requests, one after the other, use every idle connection once."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """The number of open connections that no request uses."""
        return len(self._idle)

    @property
    def doubtful(self) -> bool:
        """Tell whether an accepted answer equals an earlier one, and has not been confirmed."""
        return self._closed_in_doubt or any(connection.doubtful for connection in self._open)

    def end(self, why: str) -> None:
        """Share no connections from now on, for the reason `why`."""
        if self.ended is None:
            self.ended = why
            self._tell(why)

    def used(self, connection: "WatchedConnection") -> None:
        """Note that a request uses a connection, which may be a new one."""
        self._open.add(connection)
        self._idle.pop(connection, None)

    def unused(self, connection: "WatchedConnection", use: "Use") -> None:
        """Note that a request has ended. The next one may have its connection by now: aiohttp gives it back with the answer."""
        if connection in self._open and connection.use is use:
            self._idle[connection] = None

    def doubt(self, connection: "WatchedConnection") -> None:
        """Note that an accepted answer equals an earlier one. The connection may be closed by now."""
        connection.doubtful = True
        self._closed_in_doubt = self._closed_in_doubt or connection not in self._open

    def close_idle(self) -> None:
        """Close the connection that is idle for longest, if possible one whose answers need not be confirmed."""
        connection = next((one for one in self._idle if not one.doubtful), next(iter(self._idle)))
        del self._idle[connection]
        connection.close_now()

    def closed(self, connection: "WatchedConnection") -> None:
        """Remove a closed connection, whose answers cannot be confirmed any more."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        self._closed_in_doubt = self._closed_in_doubt or connection.doubtful


class WatchedConnection(PromptlyClosed):
    """The protocol of a shared connection. It counts requests and answers, and detects answers that no request asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, closings: Closings) -> None:
        """Create the protocol of a new connection; aiohttp does so."""
        super().__init__(loop, closings)
        self.doubtful = False
        self.use: Use | None = None
        self.asked = 0
        self._answered = 0
        self._seen: dict[int, None] = {}
        self._reuse: Reuse | None = None

    def belong(self, reuse: Reuse, use: "Use") -> None:
        """Note the host that the connection belongs to, the same for all requests, and the request that uses it now."""
        self._reuse, self.use = reuse, use
        reuse.used(self)

    def repeats(self, likeness: int) -> bool:
        """Note the hash of an answer (`Answer.likeness`); tell whether it equals one of the `REMEMBERED` before it."""
        seen = likeness in self._seen
        self._seen.pop(likeness, None)
        self._seen[likeness] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return seen

    def close_now(self) -> None:
        """Close the connection, even if a request is using it, which then fails."""
        self._abort()

    def set_response_params(self, **params: Any) -> None:
        """Count a request; aiohttp calls this before it sends one."""
        self.asked += 1
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Check bytes that arrive while no request waits; the event loop calls this."""
        if data and self.asked == self._answered and not self.should_close:
            if data.startswith(_IDLE_FOR_TOO_LONG):
                self.close_now()
            elif data.strip(b"\r\n"):  # line ends between answers are ignored (RFC 9112 section 2.2)
                self._mixed_up("bytes came that nobody waited for")
            return
        super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Count an answer; aiohttp's parser calls this after the headers of one."""
        status = data[0].code
        if status >= _FINAL or status == _SWITCHING:
            self._answered += 1
            if self._answered > self.asked:
                self._mixed_up("an answer came that nobody waited for")
        super().feed_data(data, size)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Detect bytes that are not HTTP; aiohttp calls this when the connection cannot be used any more."""
        if isinstance(exc, HttpProcessingError) and self.asked > 1:
            self._mixed_up("bytes came that are no answer")
        super().set_exception(exc, *(() if exc_cause is None else (exc_cause,)))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note that the connection is closed; the event loop calls this."""
        if self._reuse is not None:
            self._reuse.closed(self)
        super().connection_lost(exc)

    def _mixed_up(self, why: str) -> None:
        if self._reuse is not None:
            self._reuse.end(why)
        self.close_now()


class Use:
    """One request over a shared connection; the context of its send.

    `bulk`: an answer that equals an earlier one is accepted, and confirmed later. `repeated`: the answer equals an earlier one,
    and has to be discarded.
    """

    __slots__ = ("_bulk", "_connection", "_reuse", "repeated")

    def __init__(self, reuse: Reuse, *, bulk: bool = False) -> None:
        """`reuse`: the shared connections of the host."""
        self._reuse = reuse
        self._bulk = bulk
        self._connection: WatchedConnection | None = None
        self.repeated = False

    @property
    def ended(self) -> str | None:
        """Why answers over shared connections are discarded from now on; None: they are not."""
        return self._reuse.ended

    @property
    def is_reused(self) -> bool:
        """Tell whether an earlier request used the connection."""
        return self._connection is not None and self._connection.asked > 1

    def take(self, connection: WatchedConnection) -> None:
        """Note the connection that the request is sent over."""
        connection.belong(self._reuse, self)
        self._connection = connection

    def received(self, likeness: int) -> None:
        """Note the hash of the answer (`Answer.likeness`)."""
        if self._connection is None or not self._connection.repeats(likeness):
            return
        if self._bulk:
            self._reuse.doubt(self._connection)
        else:
            self.repeated = True
            self._connection.close_now()

    def in_order(self) -> None:
        """Note that the answers on this connection are confirmed so far."""
        if self._connection is not None:
            self._connection.doubtful = False

    def __enter__(self) -> None:
        """Let the connector know that the current task sends this request in the block."""
        _CURRENT.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the block: the connection is not used by this request any more."""
        _CURRENT.set(None)
        if self._connection is not None:
            self._reuse.unused(self._connection, self)


class SharedConnector(aiohttp.TCPConnector):
    """Opens and pools watched connections. aiohttp reuses the longest idle connection first, which a test checks."""

    def __init__(self, closings: Closings, **options: Any) -> None:
        """`options`: those of aiohttp.TCPConnector. Create it inside the event loop."""
        super().__init__(**options)
        self._factory = cast(
            "partial[ResponseHandler]", partial(WatchedConnection, asyncio.get_running_loop(), closings)
        )

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's)
    ) -> aiohttp.connector.Connection:
        """Return a connection, and note it in the `Use` of the request that the current task sends."""
        connection = await super().connect(req, traces, timeout)
        use = _CURRENT.get()
        if use is not None and isinstance(connection.protocol, WatchedConnection):
            use.take(connection.protocol)
        return connection
