"""The token server (distribution docs/spec/auth/token.md): on the sandbox's host and port, or on a port of its own.

It can also serve another registry, for example a real one, that trusts `key.bundle_pem`.
"""

import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from bulkrm.model.errors import ProtocolError
from bulkrm.model.scope import Scope
from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.auth.accounts import ANONYMOUS, User, Users, knows, read_basic
from bulkrm.sandbox.auth.keys import SigningKey
from bulkrm.sandbox.faults import Faults
from bulkrm.sandbox.listen import LoopbackServer, WallClock, wall_clock, with_faults
from bulkrm.sandbox.wire import ServerRequest, ServerResponse, coded_answer, json_answer, not_found

TOKEN_PATH = "/token"  # noqa: S105 (a path)
GITEA_TOKEN_PATH = "/v2/token"  # noqa: S105 (a path)
DEFAULT_USERS: Mapping[str, User] = {"admin": User("admin")}
# Quay's token endpoint knows no other action and refuses the whole request (quay/quay endpoints/v2/v2auth.py).
_QUAY_ACTIONS = frozenset({"push", "pull", "*"})


@valueclass
class TokenSettings:
    """How the token server answers. `lifetime`: of tokens, in seconds; `fields`: the keys of the answer that hold the token.

    `expires_in`, `issued_at` False: the answer lacks that key, as docker_auth's does. `announced`: a wrong `expires_in`, in
    seconds; None: the true one. `skew`: seconds by which this server's clock is ahead of the registry's. `quay_actions`:
    refuse scopes with any action but push, pull and `*`. `all_or_nothing`: answer 403 unless all requested actions are
    granted, as GitLab does. `wrong_password`: the status for a wrong password. `post`: accept the OAuth2 form as well
    (docs/spec/auth/oauth.md); `refresh_tokens`: pairs of refresh token and user name for it.
    """

    lifetime: int = 300
    fields: tuple[str, ...] = ("token", "access_token")
    expires_in: bool = True
    issued_at: bool = True
    announced: int | None = None
    skew: int = 0
    quay_actions: bool = False
    all_or_nothing: bool = False
    wrong_password: int = HTTPStatus.UNAUTHORIZED
    post: bool = False
    refresh_tokens: tuple[tuple[str, str], ...] = ()


@valueclass
class TokenRequest:
    """A line of the log. `scope`: the requested scopes, joined by blanks; `account`: the user; None: anonymous.

    `status` is None where the connection was dropped.
    """

    scope: str
    account: str | None
    status: int | None
    method: str = "GET"


class TokenServer:
    """Issues tokens to users, with the actions that their rules grant.

    `settings` may be replaced at any time. `max_in_flight`: by scope, the largest number of requests in progress at the
    same time. `issued`: how many tokens were issued.
    """

    def __init__(
        self,
        users: Users | None = None,
        settings: TokenSettings | None = None,
        *,
        key: SigningKey | None = None,
        clock: WallClock = wall_clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`users`: by default `admin` with the password `admin`, who may do everything; `tls`: serve HTTPS."""
        self.users: dict[str, User] = dict(DEFAULT_USERS if users is None else users)
        self.settings = settings or TokenSettings()
        self.key = key or SigningKey.generate()
        self.issuer = "bulkrm-sandbox"
        self.faults = Faults()
        self.log: list[TokenRequest] = []
        self.max_in_flight: Counter[str] = Counter()
        self.issued = 0
        self.revoked = 0
        self._in_flight: Counter[str] = Counter()
        self._clock = clock
        self._listener = LoopbackServer(self.handle, tls)

    async def __aenter__(self) -> Self:
        """Listen on a free port of its own."""
        await self._listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port."""
        await self._listener.stop()

    @property
    def url(self) -> str:
        """The realm of a token server on its own port."""
        return self._listener.url + TOKEN_PATH

    def change(self, **settings: Any) -> None:
        """Replace some fields of the settings."""
        self.settings = replace(self.settings, **settings)

    def revoke(self) -> None:
        """Make the sandbox refuse all tokens issued so far. A real registry cannot do that before they expire."""
        self.revoked = self.issued

    async def handle(self, request: ServerRequest) -> ServerResponse | None:
        """Answer one request and log it; None: close the connection."""
        scope = " ".join(_requested_scopes(request))
        self._in_flight[scope] += 1
        self.max_in_flight[scope] = max(self.max_in_flight[scope], self._in_flight[scope])
        answer: ServerResponse | None = None
        try:
            answer = await with_faults(self.faults, request, lambda: self.answer(request))
        finally:
            self._in_flight[scope] -= 1
            status = answer.status if answer else None
            self.log.append(TokenRequest(scope, self._account(request), status, request.method))
        return answer

    def answer(self, request: ServerRequest) -> ServerResponse:
        """Return the answer to one request."""
        # docs/spec/auth/oauth.md: a server without OAuth2 answers 404 to POST, and the client tries GET instead.
        methods = ("GET", "POST") if self.settings.post else ("GET",)
        if request.path not in (TOKEN_PATH, GITEA_TOKEN_PATH) or request.method not in methods:
            return not_found()
        name = self._account(request)
        if not self._is_authenticated(request, name):
            challenge = {"WWW-Authenticate": 'Basic realm="token server"'}
            return coded_answer(
                self.settings.wrong_password, "UNAUTHORIZED", "authentication required", headers=challenge
            )
        try:
            wishes = [Scope.parse(text) for text in _requested_scopes(request)]
        except ProtocolError as error:
            return json_answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        if self.settings.quay_actions and any(wish.actions - _QUAY_ACTIONS for wish in wishes):
            return json_answer(HTTPStatus.BAD_REQUEST, {"error": "Unable to decode repository and actions"})
        return self._granted(request, name, wishes)

    def _granted(self, request: ServerRequest, name: str | None, wishes: list[Scope]) -> ServerResponse:
        user = self.users.get(name or ANONYMOUS, User(acl=()))
        service = dict(_parameters(request)).get("service", "")
        granted = [user.grant(wish) for wish in wishes]
        if self.settings.all_or_nothing and granted != wishes:
            return coded_answer(HTTPStatus.FORBIDDEN, "DENIED", "requested access to the resource is denied")
        return self._issue(name or "", service, granted)

    def token(self, account: str, service: str, granted: list[Scope]) -> str:
        """Return a signed token; tests call this where they need one without a request."""
        self.issued += 1
        # Whole seconds and a single audience: 2.8.2 reads nothing else (registry/auth/token/token.go, ClaimSet).
        now = int(self._clock()) + self.settings.skew
        return self.key.sign(
            {
                "iss": self.issuer,
                "sub": account,
                "aud": service,
                "exp": now + self.settings.lifetime,
                "nbf": now,
                "iat": now,
                "jti": str(self.issued),
                "access": [
                    {"type": scope.type, "name": scope.name, "actions": sorted(scope.actions)}
                    for scope in granted
                    if scope.actions
                ],
            }
        )

    def _issue(self, account: str, service: str, granted: list[Scope]) -> ServerResponse:
        issued_at = datetime.fromtimestamp(int(self._clock()) + self.settings.skew, UTC)
        text = self.token(account, service, granted)
        fields: dict[str, object] = dict.fromkeys(self.settings.fields, text)
        if self.settings.expires_in:
            announced = self.settings.announced
            fields["expires_in"] = self.settings.lifetime if announced is None else announced
        if self.settings.issued_at:
            fields["issued_at"] = issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_answer(HTTPStatus.OK, fields)

    def _account(self, request: ServerRequest) -> str | None:
        if request.method == "POST":
            form = dict(_parameters(request))
            return form.get("username") or dict(self.settings.refresh_tokens).get(form.get("refresh_token", ""))
        credentials = read_basic(request.headers.get("authorization"))
        return credentials[0] if credentials else None

    def _is_authenticated(self, request: ServerRequest, name: str | None) -> bool:
        if request.method == "POST":
            form = dict(_parameters(request))
            if form.get("grant_type") == "refresh_token":
                return name is not None and form.get("refresh_token") in dict(self.settings.refresh_tokens)
            return knows(self.users, (form.get("username", ""), form.get("password", "")))
        header = request.headers.get("authorization")
        return header is None or knows(self.users, read_basic(header))


def _parameters(request: ServerRequest) -> list[tuple[str, str]]:
    text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
    return parse_qsl(text)


def _requested_scopes(request: ServerRequest) -> list[str]:
    """Return the requested scopes: the parameter may be repeated, and may hold several, separated by blanks."""
    return [part for key, value in _parameters(request) if key == "scope" for part in value.split()]
