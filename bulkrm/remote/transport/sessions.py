"""The transport: aiohttp sessions for the whole run, without aiohttp's automatic actions.

These are switched off, because they are dangerous in a tool that deletes: redirects (a 303 turns DELETE into a GET, whose
200 would look like success), the silent second send after a dropped connection, cookies, `.netrc` (`trust_env`), content
decoding. `bulkrm.remote.transport.connections` decides which requests share a connection.
"""

import io
import ssl
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from bulkrm import __version__
from bulkrm.model.http_status import MULTIPLE_CHOICES
from bulkrm.model.limits import is_exhausted
from bulkrm.model.settings import Connection
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.message import (
    CERTIFICATE,
    EXHAUSTED,
    LOST,
    MAX_ERROR,
    NOT_TLS,
    PROXY,
    TIMEOUT,
    TOO_LARGE,
    UNREACHABLE,
    Answer,
    NoAnswer,
)
from bulkrm.remote.clock import Clock
from bulkrm.remote.transport.closing import Closings, UnsharedConnector
from bulkrm.remote.transport.connections import SharedConnector, Use
from bulkrm.remote.transport.deadlines import Deadlines
from bulkrm.remote.transport.proxy import UnusableProxy, proxy_for
from bulkrm.remote.transport.redaction import Redaction
from bulkrm.remote.transport.tls import OwnTls, tls_of

_UNSHARED = nullcontext()
_CHUNK = 64 * 2**10
_KEEP_ALIVE = 30.0
_CONNECT = 15.0  # seconds for a TCP connection; a host that drops packets must not cost a whole --timeout each time
# ValueError: a host that cannot be encoded, such as `a..b` in the realm of a hostile registry.
_ERRORS = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
# OpenSSL's reasons when a plain HTTP server answers its ClientHello: the first bytes are not a TLS record.
_NOT_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})


# Called after every send with the method, the URL and the result (the HTTP status, or what went wrong).
Trace = Callable[[str, str, str], None]


def no_trace(method: str, url: str, result: str) -> None:
    """Do nothing; the default trace."""


class _SendFailedError(Exception):
    """A failed send, as an exception that aiohttp does not know: after a ClientError it would send some requests again."""

    def __init__(self, failed: NoAnswer) -> None:
        super().__init__(failed.message)
        self.failed = failed


@valueclass
class _Opened:
    """Two sessions, for requests that share connections and for those that are sent alone; and the time limit of all."""

    shared: aiohttp.ClientSession
    alone: aiohttp.ClientSession
    deadlines: Deadlines


class Transport:
    """Sends requests, and returns answers and failures as values; it raises no errors of aiohttp.

    `closings`: its connections that are being closed.
    """

    def __init__(
        self,
        connection: Connection,
        timeout: float,
        clock: Clock,
        trace: Trace = no_trace,
        own: Mapping[str, Connection] | None = None,
    ) -> None:
        """Read the TLS files. `own`: the connections of single hosts; `timeout`: seconds for one request.

        Raises InputError for unusable files.
        """
        self._clock = clock
        self._trace = trace
        self._tls = tls_of(connection)
        self._proxies = connection.proxies
        self._own = OwnTls(own) if own else None
        self._timeout = timeout
        self._opened: _Opened | None = None
        self._redaction = Redaction()
        self.closings = Closings()

    async def __aenter__(self) -> Self:
        """Open the sessions. Their connectors have no limit of connections, since each host has a limiter."""
        shared = SharedConnector(self.closings, limit=0, ssl=self._tls, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=60)
        alone = UnsharedConnector(self.closings, limit=0, ssl=self._tls, ttl_dns_cache=60)
        self._opened = _Opened(self._session(shared), self._session(alone), Deadlines(self._timeout))
        return self

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(self._timeout, _CONNECT)),
            headers={"User-Agent": f"bulkrm/{__version__}", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            middlewares=(_no_second_send,),
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sessions."""
        if self._opened is not None:
            await self._opened.shared.close()
            await self._opened.alone.close()

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        max_body: int = MAX_ERROR,
        body: bytes | None = None,
        use: Use | None = None,
    ) -> Answer | NoAnswer:
        """Send a request once. Returns NoAnswer if there is no answer, or if that of a success is longer than `max_body` bytes.

        The body of any other answer is truncated to 64 KiB. Without `use` the request has a connection of its own.
        """
        if self._opened is None:
            raise RuntimeError("the transport is not open")
        session = self._opened.alone if use is None else self._opened.shared
        # A new file for each send: aiohttp warns about `bytes` of more than 1 MiB.
        data = None if body is None else io.BytesIO(body)
        try:
            with self._opened.deadlines, use or _UNSHARED:
                # encoded=True: yarl would quote the URL again, and the cursor of a listing must be sent unchanged.
                target = URL(url, encoded=True)
                proxy = proxy_for(url, self._proxies) if self._proxies else None
                tls = self._own.of(target) if self._own else True
                response = await session.request(
                    method, target, headers=headers, data=data, allow_redirects=False, proxy=proxy, ssl=tls
                )
                try:
                    answer = await self._received(response, max_body)
                finally:
                    response.release()
        except (_SendFailedError, UnusableProxy, *_ERRORS) as error:
            answer = _failed(error)
        return self._seen((method, url), headers, answer, use)

    def _seen(
        self, sent: tuple[str, str], headers: Mapping[str, str], answer: Answer | NoAnswer, use: Use | None
    ) -> Answer | NoAnswer:
        """Return the answer without credentials; NoAnswer if it came over a shared connection and may be another one's."""
        if use is not None and isinstance(answer, Answer):
            answer = _checked(answer, use)
        answer = self._redaction.apply(answer, headers.get("Authorization"))
        if self._trace is not no_trace:
            self._trace(*sent, str(answer.status) if isinstance(answer, Answer) else answer.message)
        return answer

    async def _received(self, response: aiohttp.ClientResponse, max_body: int) -> Answer | NoAnswer:
        """Read at most one byte more than the limit; the rest is discarded with the connection."""
        success = response.status < MULTIPLE_CHOICES
        limit = max_body if success else MAX_ERROR
        content = await response.content.read(min(_CHUNK, limit + 1))
        if not response.content.at_eof():
            content += await _rest(response.content, limit + 1 - len(content))
        if len(content) > limit:
            response.close()
            if success:
                return NoAnswer(TOO_LARGE, f"the answer has more than {max_body} bytes")
        return Answer(response.status, response.headers, content[:limit], self._clock.wall())


def _checked(answer: Answer, use: Use) -> Answer | NoAnswer:
    """Return an answer that came over a shared connection; NoAnswer if it may belong to another request."""
    if use.ended is not None:
        return NoAnswer(LOST, f"the answers on a connection were mixed up: {use.ended}")
    use.received(answer.likeness)
    return answer


async def _rest(stream: aiohttp.StreamReader, most: int) -> bytes:
    """Return the rest of a stream, at most `most` bytes of it."""
    parts = []
    while most > 0 and (chunk := await stream.read(min(_CHUNK, most))):
        parts.append(chunk)
        most -= len(chunk)
    return b"".join(parts)


async def _no_second_send(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Prevent aiohttp's own resend: `ClientSession._request` repeats idempotent methods after a ClientError.

    The caller would only get the second answer, for instance a 404 after a first DELETE that took effect. A test checks it.
    """
    try:
        return await handler(request)
    except _ERRORS as error:
        raise _SendFailedError(_failed(error)) from error


def _failed(error: BaseException) -> NoAnswer:
    """Return the failure for an error of aiohttp, without URLs, which may have secrets."""
    if isinstance(error, _SendFailedError):
        return error.failed
    if isinstance(error, UnusableProxy):
        return NoAnswer(PROXY, str(error))
    if isinstance(error, OSError) and is_exhausted(error):
        return NoAnswer(EXHAUSTED, "no connection: too many files are open in this process")
    return _failed_exchange(error)


def _failed_exchange(error: BaseException) -> NoAnswer:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            failed = NoAnswer(CERTIFICATE, _unverified(f"{error.host}:{error.port}", error.certificate_error))
        case aiohttp.ClientConnectorSSLError():
            failed = _failed_tls(error)
        case aiohttp.ConnectionTimeoutError():
            failed = NoAnswer(UNREACHABLE, "no connection within the time limit")
        case TimeoutError():
            failed = NoAnswer(TIMEOUT, "no answer within the time limit")
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            failed = NoAnswer(UNREACHABLE, "the proxy does not connect")
        case aiohttp.ClientConnectorError():
            # asyncio raises a ConnectionResetError without text where the peer hangs up during the TLS handshake.
            reason = error.os_error.strerror or str(error.os_error) or "the server closed the connection"
            failed = NoAnswer(UNREACHABLE, f"cannot connect to {error.host}:{error.port}: {reason}")
        case UnicodeError() | aiohttp.InvalidURL():
            failed = NoAnswer(UNREACHABLE, "the address, or that of the proxy, is not valid")
        case _:
            failed = NoAnswer(LOST, f"the connection broke ({type(error).__name__})")
    return failed


def _unverified(where: str, cause: BaseException) -> str:
    return f"the certificate of {where} does not verify: {getattr(cause, 'verify_message', None) or cause}"


def _failed_tls(error: aiohttp.ClientConnectorSSLError) -> NoAnswer:
    cause = error.os_error
    reason = getattr(cause, "reason", None) or type(cause).__name__
    where = f"{error.host}:{error.port}"
    if reason in _NOT_TLS_REASONS:
        return NoAnswer(NOT_TLS, f"{where} does not speak TLS")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NoAnswer(CERTIFICATE, _unverified(where, cause))
    return NoAnswer(UNREACHABLE, f"TLS with {where} fails: {reason}")
