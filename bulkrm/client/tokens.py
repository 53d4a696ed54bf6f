"""Bearer tokens: one for each host, credential, realm, service and scope, fetched once, renewed before it ends.

The registry host is part of the key, so that a token never goes to another host than the one whose challenge it
answered, even when two hosts announce the same realm and service.
"""

import base64
from dataclasses import dataclass, field
from functools import partial

import anyio

from bulkrm.client.clock import Clock
from bulkrm.client.exchange import Loop, Sent
from bulkrm.client.flight import SingleFlight
from bulkrm.client.limiter import Limiter
from bulkrm.client.transport import Transport
from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login, Pacing
from bulkrm.protocol.exchange import Attempt, Authorize, bad_credentials, decide_without_token
from bulkrm.protocol.message import MAX_ERROR, Answer, Request
from bulkrm.protocol.realm import Realm
from bulkrm.protocol.refusal import no_permission
from bulkrm.protocol.token import Token, parse_token

# No --concurrency and no --rate: those are for the registry. A token server gets as many as a browser would send.
_TOKEN_CONCURRENCY = 16
_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN = 200, 400, 401, 403
# Of a server that knows the token no more, or nothing of such tokens.
_NO_IDENTITY = frozenset({400, 401, 404, 405})
_NO_SCOPE = "the token server does not take the scope that bulkrm asks for"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What a token is good for. `scope` None asks for a token without any resource."""

    host: str
    login: Credential | None
    realm: Realm
    service: str | None
    scope: Scope | None


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token and until when it is used, in seconds of the clock's monotonic time."""

    secret: Secret
    good_until: float


class ScopeRefused(RequestFailed):
    """The token server answered 400: it does not know an action that was asked for (Quay knows no `delete`)."""


@dataclass(slots=True)
class _LoginState:
    """What a token server has said of a login so far."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    accepted: bool = False
    refused: Failure | None = None

    def was_accepted(self) -> bool:
        """Tell whether a token was given to it. A method: what it says changes while one waits for the lock."""
        return self.accepted


class Tokens:
    """The cache of a run. Whether a realm may be given credentials is the caller's to check, before it asks here."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        """Begin empty."""
        self._transport = transport
        self._clock = clock
        self._flights: dict[TokenKey, SingleFlight[HeldToken]] = {}
        self._limiters: dict[str, Limiter] = {}
        self._logins: dict[tuple[Realm, Credential | None], _LoginState] = {}
        self.requests = 0

    async def get(self, key: TokenKey, refused: Secret | None = None) -> HeldToken:
        """Return a token that is still good, and is not the one that the registry just refused.

        Raises RequestFailed, or ScopeRefused where the server does not know an action.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = SingleFlight()
        return await flight.get(lambda: self._fetch(key), lambda held: self.is_good(held) and held.secret != refused)

    def peek(self, key: TokenKey) -> HeldToken | None:
        """Return the token held for a key if it is still good, without asking for one."""
        flight = self._flights.get(key)
        held = flight.value if flight else None
        return held if held is not None and self.is_good(held) else None

    def is_good(self, held: HeldToken) -> bool:
        """Tell whether a token is not near its end."""
        return self._clock.monotonic() < held.good_until

    async def _fetch(self, key: TokenKey) -> HeldToken:
        """Ask for a token. The first of a login goes alone: many wrong passwords at once could lock the account."""
        login = self._logins.get((key.realm, key.login))
        if login is None:
            login = self._logins[key.realm, key.login] = _LoginState()
        if login.was_accepted():
            return await self._request(key)
        async with login.lock:
            if login.refused is not None:
                raise RequestFailed(login.refused)
            if not login.was_accepted():
                return await self._first_request(key, login)
        return await self._request(key)

    async def _first_request(self, key: TokenKey, login: _LoginState) -> HeldToken:
        try:
            held = await self._request(key)
        except RequestFailed as error:
            if error.failure.code is FailureCode.BAD_CREDENTIALS:
                login.refused = error.failure
            raise
        login.accepted = True
        return held

    async def _request(self, key: TokenKey) -> HeldToken:
        limiter = self._limiters.get(key.realm.host)
        if limiter is None:
            limiter = self._limiters[key.realm.host] = Limiter(Pacing(_TOKEN_CONCURRENCY), self._clock)
        method = "POST" if isinstance(key.login, IdentityToken) else "GET"
        attempt = Attempt(Request(method, key.realm.parts.path), key.realm.host)
        send = partial(self._send, key, limiter)
        final = await Loop(limiter, self._clock).run(attempt, send, decide_without_token, _never)
        token = _judge(final.answer, key)
        return HeldToken(token.secret, self._clock.monotonic() + token.life - token.margin)

    async def _send(self, key: TokenKey, limiter: Limiter, attempt: Attempt) -> Sent:
        scope = str(key.scope) if key.scope else None
        url, headers, body = key.realm.with_query(key.service, scope), dict[str, str](), None
        match key.login:
            case Login() as login:
                headers = {"Authorization": basic(login)}
            case IdentityToken(token):
                url, headers = key.realm.url, {"Content-Type": "application/x-www-form-urlencoded"}
                body = key.realm.form(key.service, scope, token.reveal())
            case None:
                pass
        async with limiter:
            limiter.spend()
            self.requests += 1
            return attempt, await self._transport.send(attempt.request.method, url, headers, MAX_ERROR, body)


async def _never(decision: Authorize) -> Attempt:
    raise AssertionError(decision)


def _judge(answer: Answer, key: TokenKey) -> Token:
    """Read the token server's final answer. It has no say in the message: its bodies may hold secrets."""
    where = f"the token server {key.realm.host}"
    if answer.status == _OK:
        try:
            return parse_token(answer)
        except ProtocolError as error:
            message = f"{where} sent no usable token: {error}"
            raise RequestFailed(Failure(FailureCode.TOKEN_SERVER, message, answer.status, None, Reach.HOST)) from error
    message = f"HTTP {answer.status} from {where}"
    if isinstance(key.login, IdentityToken) and answer.status in _NO_IDENTITY:
        what = f"{message}, which does not take the identity token that `docker login` left"
        hint = "`docker login` again, or give -u and a password"
        raise RequestFailed(Failure(FailureCode.BAD_CREDENTIALS, what, answer.status, hint, Reach.HOST))
    if answer.status == _BAD_REQUEST:
        raise ScopeRefused(Failure(FailureCode.TOKEN_SERVER, message, answer.status, _NO_SCOPE, Reach.REPOSITORY))
    if answer.status == _UNAUTHORIZED:
        raise RequestFailed(bad_credentials(where, given=key.login is not None))
    if answer.status == _FORBIDDEN:
        repository = Repository(key.host, key.scope.name) if key.scope and key.scope.type == "repository" else None
        hint = no_permission(repository)
        raise RequestFailed(Failure(FailureCode.NOT_PERMITTED, message, answer.status, hint, Reach.REPOSITORY))
    hint = "the registry sends clients there for tokens: look into that server's log"
    raise RequestFailed(Failure(FailureCode.TOKEN_SERVER, message, answer.status, hint, Reach.HOST))


def basic(login: Login) -> str:
    """Return the value of a Basic Authorization header (RFC 7617, UTF-8)."""
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
