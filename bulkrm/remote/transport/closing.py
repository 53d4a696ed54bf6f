"""Closes connections promptly, and counts those whose socket is not closed yet.

Each socket is an open file, and a process may have a limited number of these. aiohttp closes it later than the request ends:
in one of the next steps of the event loop, and over TLS only after the server's answer.
"""

import asyncio
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler


class Closings:
    """The connections that are being closed. Each is an open file until the event loop has come round to it."""

    def __init__(self) -> None:
        """No connection is being closed yet."""
        self.number = 0
        self._next: asyncio.Event | None = None

    def began(self) -> None:
        """Count a connection that is to be closed."""
        self.number += 1

    def ended(self) -> None:
        """Count a connection that is closed now."""
        self.number -= 1
        if self._next is not None:
            self._next.set()
            self._next = None

    async def wait(self) -> None:
        """Wait until the next of them is closed; return at once if there are none."""
        if self.number:
            self._next = self._next or asyncio.Event()
            await self._next.wait()


class PromptlyClosed(ResponseHandler):
    """aiohttp's protocol of a connection, which gives its file back to the system as soon as the connection is closed.

    Otherwise a TLS connection stays open until the server has answered the end of TLS, for which asyncio waits 30 s
    (`SSL_SHUTDOWN_TIMEOUT` in Lib/asyncio/constants.py); some servers never answer it. That end protects against answers that
    were cut off, which their `Content-Length` or last chunk already shows.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, closings: Closings) -> None:
        """Create the protocol of a new connection; aiohttp does so."""
        super().__init__(loop)
        self._closings = closings
        self._is_closing = False

    def close(self) -> None:
        """Close the connection without the end of TLS; what was not sent yet is discarded."""
        self._abort()
        super().close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note that the connection is closed; the event loop calls this."""
        if self._is_closing:
            self._is_closing = False
            self._closings.ended()
        super().connection_lost(exc)

    def _abort(self) -> None:
        if self.transport is not None and not self._is_closing:
            self._is_closing = True
            self._closings.began()
            self.transport.abort()


class UnsharedConnector(aiohttp.TCPConnector):
    """Opens a connection for each request, and closes it promptly."""

    def __init__(self, closings: Closings, **options: Any) -> None:
        """`options`: those of aiohttp.TCPConnector. Create it inside the event loop."""
        super().__init__(force_close=True, **options)
        self._factory = cast("partial[ResponseHandler]", partial(PromptlyClosed, asyncio.get_running_loop(), closings))
