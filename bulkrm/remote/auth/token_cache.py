"""Bearer tokens: one for each host, credential, realm, service and scope, fetched once, and renewed before it expires.

The registry host is part of the key, so that a token never goes to another host than the one whose challenge it
answered, even when two hosts announce the same realm and service.
"""

import base64
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio

from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.http_status import BAD_REQUEST, FORBIDDEN, OK, UNAUTHORIZED
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.scope import CATALOG, Scope
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login, Pacing, RegistryToken
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.attempt import Attempt, Authorize, Decision
from bulkrm.protocol.auth.realm import Realm
from bulkrm.protocol.auth.rights import bad_credentials, permission_hint
from bulkrm.protocol.auth.token import Token, parse_token
from bulkrm.protocol.decision import decide_without_token
from bulkrm.protocol.explanation import explanation, masked
from bulkrm.protocol.message import MAX_ERROR, Answer, NoAnswer, Request
from bulkrm.protocol.pacing.pace import asked_wait
from bulkrm.remote.clock import Clock
from bulkrm.remote.limiter import Limiter
from bulkrm.remote.send_loop import SendLoop
from bulkrm.remote.single_flight import SingleFlight
from bulkrm.remote.transport.sessions import Transport

# The statuses of a server that does not accept an identity token, or does not support them.
_NO_IDENTITY = frozenset({400, 401, 404, 405})
_NO_SCOPE = "the token server does not take the scope that bulkrm asks for"
_WRONG_TOO = "or the user or password is wrong: some token servers answer 403 to that too"
_LOOK = "the registry sends clients there for tokens: look into that server's log"
_MOST_DOUBTS = 3  # accounts get locked after more wrong passwords than this


@valueclass
class TokenKey:
    """The key of a token in the cache: what it is valid for. `scope` None: for no resource, as `docker login` requests it."""

    host: str
    login: Credential | None
    realm: Realm
    service: str | None
    scope: Scope | None

    @property
    def server(self) -> str:
        """The token server in messages, with the registry that names it: users know the registry only."""
        return f"the token server {self.realm.host} that {self.host} names"


@valueclass
class HeldToken:
    """A token. `good_until`: when it has to be renewed, in seconds of the monotonic clock."""

    secret: Secret
    good_until: float


class ScopeRefused(RequestFailed):
    """The token server answered 400: it does not know an action of the scope (Quay does not know `delete`)."""


@dataclass(slots=True)
class _LoginState:
    """The state of a login at a token server.

    `proved`: it issued a token for a scope. `plausible`: it issued one without a scope, as `docker login` requests it.
    `doubts`: the number of 403s that may be about the user or about the scope. `refused`: why no more requests are sent.
    """

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    proved: bool = False
    plausible: bool = False
    doubts: int = 0
    refused: Failure | None = None

    def was_accepted(self) -> bool:
        """Tell whether the login has got a token. It is a method, as that may change while a task waits for the lock."""
        return self.proved or self.plausible


class Tokens:
    """The token cache of a run. The caller has to check (`RealmCheck`) that credentials may be sent to the realm of a key."""

    def __init__(self, transport: Transport, clock: Clock, concurrency: int = Pacing().token_connections) -> None:
        """Create an empty cache. `concurrency`: of each token server; --concurrency and --rate are for registries."""
        self.transport = transport
        self._clock = clock
        self._in_flight: dict[TokenKey, SingleFlight[HeldToken]] = {}
        self._limiters: dict[str, Limiter] = defaultdict(lambda: Limiter(Pacing(concurrency), clock))
        self._logins: dict[tuple[Realm, Credential | None], _LoginState] = defaultdict(_LoginState)
        self.requests = 0

    async def get(self, key: TokenKey, refused: Secret | None = None) -> HeldToken:
        """Return a token that need not be renewed yet. `refused`: the token that the registry just refused is not returned.

        Raises RequestFailed; ScopeRefused if the server does not know an action.
        """
        flight = self._in_flight.get(key)
        if flight is None:
            flight = self._in_flight[key] = SingleFlight()
        return await flight.get(lambda: self._fetch(key), lambda held: self.is_good(held) and held.secret != refused)

    def peek(self, key: TokenKey) -> HeldToken | None:
        """Return the cached token for a key if it need not be renewed yet, else None. Nothing is sent."""
        flight = self._in_flight.get(key)
        held = flight.value if flight else None
        return held if held is not None and self.is_good(held) else None

    def is_good(self, held: HeldToken) -> bool:
        """Tell whether a token need not be renewed yet."""
        return self._clock.monotonic() < held.good_until

    async def _fetch(self, key: TokenKey) -> HeldToken:
        """Request a token. The first request of a login is sent alone: many wrong passwords at once could lock the account."""
        login = self._logins[key.realm, key.login]
        if not login.was_accepted():
            async with login.lock:
                if login.refused is not None:
                    raise RequestFailed(login.refused)
                if not login.was_accepted():
                    return await self._first_request(key, login)
        return await self._request(key, login)

    async def _first_request(self, key: TokenKey, login: _LoginState) -> HeldToken:
        try:
            return await self._request(key, login)
        except RequestFailed as error:
            if error.failure.code is FailureCode.BAD_CREDENTIALS:
                login.refused = error.failure
            elif error.failure.code is FailureCode.NOT_PERMITTED and key.login is not None:
                await self._check_login(key, login, error.failure)
            raise

    async def _check_login(self, key: TokenKey, login: _LoginState, failure: Failure) -> None:
        """Find out whether a 403 is about the user, by a request for a token without a scope, as `docker login` sends it.

        If that remains unclear several times, no more requests are sent: a wrong password for each repository would lock
        the account.
        """
        try:
            await self._request(replace(key, scope=None), login)
        except RequestFailed as error:
            if error.failure.code is FailureCode.BAD_CREDENTIALS:
                login.refused = error.failure
                raise
            login.doubts += 1
            if login.doubts >= _MOST_DOUBTS:
                what = f"{failure.message}; so it did {login.doubts} times, and was not asked again"
                login.refused = replace(
                    failure, message=what, hint="check the user and password, and what the user may"
                )
        else:
            login.plausible = True

    async def _request(self, key: TokenKey, login: _LoginState) -> HeldToken:
        limiter = self._limiters[key.realm.host]
        try:
            answer = await SendLoop(limiter, self._clock).run(_TokenExchange(self, key, limiter))
        except RequestFailed as error:
            raise _unanswered(error.failure, key) from error
        token = _token_in(answer, key, proved=login.proved)
        login.proved = login.proved or key.scope is not None
        return HeldToken(token.secret, self._clock.monotonic() + token.life - token.margin)


def _asked(key: TokenKey) -> tuple[str, Mapping[str, str], bytes | None]:
    """Return the URL, headers and body of a request for a token."""
    scope = str(key.scope) if key.scope else None
    match key.login:
        case Login() as login:
            return key.realm.with_query(key.service, scope), {"Authorization": basic(login)}, None
        case IdentityToken(token):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return key.realm.url, headers, key.realm.form(key.service, scope, token.reveal())
        case RegistryToken():
            raise RuntimeError("a token for the registry itself goes to no token server")
        case None:
            return key.realm.with_query(key.service, scope), {}, None


class _TokenExchange:
    """One request for a token, with its retries."""

    __slots__ = ("_key", "_limiter", "_tokens", "attempt")

    def __init__(self, tokens: Tokens, key: TokenKey, limiter: Limiter) -> None:
        method = "POST" if isinstance(key.login, IdentityToken) else "GET"
        self.attempt = Attempt(Request(method, key.realm.parts.path), key.server)
        self._tokens = tokens
        self._key = key
        self._limiter = limiter

    async def send(self) -> Answer | NoAnswer:
        """Send the request once, in a slot of the limiter."""
        url, headers, body = _asked(self._key)
        async with self._limiter:
            self._limiter.spend()
            self._tokens.requests += 1
            answer = await self._tokens.transport.send(self.attempt.request.method, url, headers, MAX_ERROR, body)
        return masked(answer, secrets_of(self._key.login)) if isinstance(answer, Answer) else answer

    def decide(self, answer: Answer | NoAnswer) -> Decision:
        """Return the decision as for any request, but accept a 401."""
        return decide_without_token(self.attempt, answer)

    def authorized(self, decision: Authorize) -> Attempt:
        """Never called: requests to the token server carry no token."""
        raise AssertionError(decision)


def _unanswered(failure: Failure, key: TokenKey) -> RequestFailed:
    """Return the error with the token server in its message, because the user has named another host."""
    named = failure.message if key.server in failure.message else f"{key.server}: {failure.message}"
    return RequestFailed(replace(failure, message=named))


def _token_in(answer: Answer, key: TokenKey, *, proved: bool) -> Token:
    """Return the token in a final answer. Raises RequestFailed. `proved`: the server has issued tokens to this login before."""
    detail = explanation(answer)
    if answer.status == OK:
        try:
            return parse_token(answer)
        except ProtocolError as error:
            # The body may have an unusable token, so it is not shown, except for its error messages.
            message = f"{key.server} sent no usable token: {detail or error}"
            raise RequestFailed(Failure(FailureCode.TOKEN_SERVER, message, answer.status, _LOOK, Reach.HOST)) from error
    message = f"HTTP {answer.status} from {key.server}" + (f": {detail}" if detail else "")
    if isinstance(key.login, IdentityToken) and answer.status in _NO_IDENTITY:
        what = f"{message}; it does not take the identity token that `docker login` left"
        hint = "`docker login` again, or give -u and a password"
        raise RequestFailed(Failure(FailureCode.BAD_CREDENTIALS, what, answer.status, hint, Reach.HOST))
    if answer.status == BAD_REQUEST:
        raise ScopeRefused(Failure(FailureCode.TOKEN_SERVER, message, answer.status, _NO_SCOPE, Reach.REPOSITORY))
    if answer.status == UNAUTHORIZED:
        asked = asked_wait(answer)
        failure = bad_credentials(key.server, given=key.login is not None, asked=asked)
        raise RequestFailed(replace(failure, message=f"{failure.message}: {detail}") if detail else failure)
    if answer.status == FORBIDDEN:
        hint = _right(key) if key.login is None or proved else f"{_right(key)}; {_WRONG_TOO}"
        raise RequestFailed(Failure(FailureCode.NOT_PERMITTED, message, answer.status, hint, Reach.REPOSITORY))
    raise RequestFailed(Failure(FailureCode.TOKEN_SERVER, message, answer.status, _LOOK, Reach.HOST))


def _right(key: TokenKey) -> str:
    """Return a hint about the missing right. One token is for reading and deleting, so it is not known which is missing."""
    if key.scope is None or key.scope.type != "repository":
        return permission_hint(None, str(key.scope or CATALOG))
    actions = key.scope.actions
    missing = "push" if "push" in actions else " and ".join(sorted(actions, reverse=True))
    return permission_hint(Repository(key.host, key.scope.name), missing)


def secrets_of(login: Credential | None) -> tuple[str, ...]:
    """Return the secret texts of credentials, also in the form in which they are sent."""
    match login:
        case Login(_, password):
            return (password.reveal(), basic(login).partition(" ")[2])
        case IdentityToken(token) | RegistryToken(token):
            return (token.reveal(),)
        case None:
            return ()


def basic(login: Login) -> str:
    """Return the value of a Basic Authorization header (RFC 7617, UTF-8)."""
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
