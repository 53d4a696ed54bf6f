"""Reused connections, and whether answers that were read over them can be relied on.

HTTP/1.1 numbers nothing: on a connection that is kept alive, an answer belongs to a request because it is the next one to
come. Where something between here and the registry sends an answer twice, everything after it on that connection is the
answer to the request before: a tag seems to lead where another one leads, a DELETE seems done that was refused. aiohttp
does not see it: what comes on a pooled connection while nobody waits is kept, and is the answer to the next request.

The rules. "Alone" is a request on a connection of its own, which is closed after it.

1. The first answer on a connection is that to the first request: nothing came before it that could come twice. So what
   goes alone is answered truly: whatever changes a registry, tokens, and single reads. Only where much is read are
   connections shared, in the two ways of `Sharing`.
2. More answers than requests, bytes while nobody waits, bytes that are no HTTP, or an answer that speaks of another
   digest than was asked for: the answers on this connection are mixed up. From then on everything at this host goes
   alone, what still comes over shared connections is no answer, and what was read before is read again.
3. A repetition is the same answer again, and comes soon. An answer that is like none of the `REMEMBERED` ones before it
   on its connection repeats none; and if none was repeated, each belongs to its request.
4. Where a repository is read a second time, or a tag right before it goes, an answer that is like one before it is not
   believed: the connection is closed, and the request is sent again, alone.
5. In the bulk of the reading, before a plan, such answers are common (many tags of one image), so they are taken at
   first, and the connections are confirmed at the end by `GET /v2/` on each: answers come in order, so one that is not
   the greeting shows that they are mixed up, and one that is shows that none before it was. A connection that was
   closed before it could be asked shows nothing, so what this host sent is read again, alone.

What this does not cover: a repetition that something changed on its way, or one that comes after `REMEMBERED` others, may
escape the rules 3 to 5, as long as rule 2 does not see it.
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

REMEMBERED = 64
_ON_ITS_WAY: ContextVar["Use | None"] = ContextVar("use", default=None)
_FINAL, _SWITCHING = 200, 101
# What servers say of themselves before they close an idle connection (RFC 9110 section 15.5.9): HAProxy does.
_IDLE_FOR_TOO_LONG = (b"HTTP/1.1 408 ", b"HTTP/1.0 408 ")


def _tell_nobody(why: str) -> None:
    """Tell nobody."""


class Sharing:
    """What reads may share connections now: nothing; anything, unless it is like what came before; or all of a bulk."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.in_bulk = False
        self._again = 0

    @property
    def allowed(self) -> bool:
        """Tell whether a request that reads may share a connection."""
        return self.in_bulk or self._again > 0

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Read in bulk: whoever relies on it has it confirmed first."""
        self.in_bulk = True
        try:
            yield
        finally:
            self.in_bulk = False

    @contextmanager
    def again(self) -> Iterator[None]:
        """Read what was read before; several may do so at a time."""
        self._again += 1
        try:
            yield
        finally:
            self._again -= 1


class Reuse:
    """What is known of the shared connections to one host. `ended`: why there are none any more."""

    def __init__(self, tell: Callable[[str], None] = _tell_nobody) -> None:
        """`tell` gets the reason when sharing ends."""
        self.ended: str | None = None
        self._tell = tell
        self._open: set[WatchedConnection] = set()
        self._closed_in_doubt = False

    @property
    def number(self) -> int:
        """How many connections are open: as many requests, one after the other, come by all that are idle."""
        return len(self._open)

    @property
    def doubtful(self) -> bool:
        """Tell whether an answer that is like one before it was taken, and it is not known yet that it was no repetition."""
        return self._closed_in_doubt or any(connection.doubtful for connection in self._open)

    def end(self, why: str) -> None:
        """Share no connection any more."""
        if self.ended is None:
            self.ended = why
            self._tell(why)

    def opened(self, connection: "WatchedConnection") -> None:
        """Add a new connection."""
        self._open.add(connection)

    def closed(self, connection: "WatchedConnection") -> None:
        """Remove a closed connection; answers that came over it cannot be confirmed any more."""
        self._open.discard(connection)
        self._closed_in_doubt = self._closed_in_doubt or connection.doubtful


class WatchedConnection(ResponseHandler):
    """aiohttp's protocol of a connection. It counts requests and answers, and detects answers that no request asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with no request."""
        super().__init__(loop)
        self.doubtful = False
        self.asked = 0
        self._answered = 0
        self._seen: dict[int, None] = {}
        self._reuse: Reuse | None = None

    def belong(self, reuse: Reuse) -> None:
        """Note whose it is."""
        if self._reuse is None:
            self._reuse = reuse
            reuse.opened(self)

    def repeats(self, likeness: int) -> bool:
        """Note an answer by what it looks like; tell whether it is like one of those before it."""
        seen = likeness in self._seen
        self._seen.pop(likeness, None)
        self._seen[likeness] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return seen

    def close_now(self) -> None:
        """Close it, whoever uses it."""
        if self.transport is not None:
            self.transport.close()

    def set_response_params(self, **params: Any) -> None:
        """Hear from aiohttp that a request is about to be sent."""
        self.asked += 1
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Hear from the event loop that bytes came."""
        if data and self.asked == self._answered and not self.should_close:
            if data.startswith(_IDLE_FOR_TOO_LONG):
                self.close_now()
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
        self.close_now()


class Use:
    """One request over a shared connection: which one it was. `bulk`: answers like others are taken, and confirmed later.

    `repeated`: the answer is like one before it, and not to be believed.
    """

    __slots__ = ("_bulk", "_connection", "_reuse", "repeated")

    def __init__(self, reuse: Reuse, *, bulk: bool = False) -> None:
        """Take what is known of the host's connections."""
        self._reuse = reuse
        self._bulk = bulk
        self._connection: WatchedConnection | None = None
        self.repeated = False

    @property
    def ended(self) -> str | None:
        """Why no answer over a shared connection counts any more."""
        return self._reuse.ended

    @property
    def again(self) -> bool:
        """Tell whether the connection was used before."""
        return self._connection is not None and self._connection.asked > 1

    def take(self, connection: WatchedConnection) -> None:
        """Note the connection."""
        connection.belong(self._reuse)
        self._connection = connection

    def received(self, likeness: int) -> None:
        """Note an answer, by what it looks like."""
        if self._connection is None or not self._connection.repeats(likeness):
            return
        if self._bulk:
            self._connection.doubtful = True
        else:
            self.repeated = True
            self._connection.close_now()

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
