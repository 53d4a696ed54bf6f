"""Authorizes requests to the registry, or challenges them, as distribution v2.8.2 registry/auth does."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus

from bulkrm.model.scope import Scope
from bulkrm.model.valueclass import valueclass
from bulkrm.sandbox.auth.accounts import Users, knows, read_basic
from bulkrm.sandbox.auth.tokens import TokenServer
from bulkrm.sandbox.listen import WallClock
from bulkrm.sandbox.settings import Auth, SandboxSettings
from bulkrm.sandbox.wire import ServerRequest, ServerResponse, coded_answer, refusal

# The number of verified tokens in the cache: a run sends the same token many thousand times.
_CACHED = 4096
_BASIC = 'Basic realm="basic-realm"'


@valueclass
class _Claims:
    """The claims of a token with a valid signature. `begins`, `ends`: seconds since 1970; `serial`: its `jti`."""

    fingerprint: str
    issuer: object
    audience: object
    serial: int
    begins: int
    ends: int
    access: tuple[Scope, ...]


class Gate:
    """Authorizes requests by Basic credentials or tokens."""

    def __init__(self, users: Users, tokens: TokenServer, clock: WallClock) -> None:
        """`users`: for Basic credentials; `tokens`: its key verifies tokens, its issuer and `revoked` are compared."""
        self._users = users
        self._tokens = tokens
        self._clock = clock
        self._tokens_read: dict[str, _Claims | None] = {}

    def check(
        self, request: ServerRequest, needed: Sequence[Scope], settings: SandboxSettings, realm: str
    ) -> ServerResponse | None:
        """Return None if the request is authorized, else the refusal.

        `needed` has one scope for each action; `realm` is the URL of the token server in a challenge.
        """
        header = request.headers.get("authorization")
        if settings.auth is Auth.NONE:
            return None
        if settings.auth is Auth.BASIC:
            return self._check_basic(read_basic(header), needed, settings)
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer":
            return _unauthorized(needed, _challenge(needed, settings, realm, ""))
        found = self._read(token.strip())
        if found is None or not self._valid(found, settings):
            return _unauthorized(needed, _challenge(needed, settings, realm, "invalid_token"))
        if not all(any(held.covers(want) for held in found.access) for want in needed):
            error = "insufficient_scope" if settings.error_in_challenge else ""
            return _unauthorized(needed, _challenge(needed, settings, realm, error))
        return None

    def _check_basic(
        self, login: tuple[str, str] | None, needed: Sequence[Scope], settings: SandboxSettings
    ) -> ServerResponse | None:
        if login is None or not knows(self._users, login):
            return _unauthorized(needed, _BASIC)
        user = self._users[login[0]]
        if settings.basic_refusal is None or all(user.grant(want).covers(want) for want in needed):
            return None
        if settings.basic_refusal == HTTPStatus.UNAUTHORIZED:
            return _unauthorized(needed, _BASIC)
        return coded_answer(settings.basic_refusal, "DENIED", "requested access to the resource is denied")

    def fingerprint(self, token: str) -> str:
        """Return a short hash that identifies a token in the log without revealing it."""
        found = self._tokens_read.get(token)
        return found.fingerprint if found else _fingerprint(token)

    def _read(self, token: str) -> _Claims | None:
        if token not in self._tokens_read:
            if len(self._tokens_read) >= _CACHED:
                self._tokens_read.clear()
            self._tokens_read[token] = self._verify(token)
        return self._tokens_read[token]

    def _verify(self, token: str) -> _Claims | None:
        claims = self._tokens.key.verify(token)
        if claims is None:
            return None
        access = claims.get("access")
        entries = access if isinstance(access, list) else []
        scopes = tuple(Scope(entry["type"], entry["name"], frozenset(entry["actions"])) for entry in entries)
        serial, begins, ends = (int(str(claims.get(name, 0))) for name in ("jti", "nbf", "exp"))
        return _Claims(_fingerprint(token), claims.get("iss"), claims.get("aud"), serial, begins, ends, scopes)

    def _valid(self, found: _Claims, settings: SandboxSettings) -> bool:
        now = self._clock()
        if found.serial <= self._tokens.revoked:
            return False
        if (found.issuer, found.audience) != (self._tokens.issuer, settings.service):
            return False
        return found.begins - settings.leeway <= now <= found.ends + settings.leeway


def _challenge(needed: Sequence[Scope], settings: SandboxSettings, realm: str, error: str) -> str:
    if settings.drops_untagged:
        # go-gitea/gitea routers/api/packages/container/container.go, APIUnauthorizedError
        return f'Bearer realm="{realm}",service="container_registry",scope="*"'
    text = f'Bearer realm="{realm}",service="{settings.service}"'
    if needed:
        text += f',scope="{_scopes(needed) if settings.scope_in_challenge else ""}"'
    return f'{text},error="{error}"' if error else text


def _scopes(needed: Sequence[Scope]) -> str:
    """Return the text of scopes, merged by resource. Actions are unsorted: 2.8.2 writes them in random order (a Go map)."""
    actions: dict[str, list[str]] = {}
    for scope in needed:
        actions.setdefault(f"{scope.type}:{scope.name}", []).extend(scope.actions)
    return " ".join(f"{resource}:{','.join(reversed(names))}" for resource, names in actions.items())


def _unauthorized(needed: Sequence[Scope], challenge: str) -> ServerResponse:
    wanted = [
        {"Type": scope.type, "Class": "", "Name": scope.name, "Action": action}
        for scope in needed
        for action in scope.actions
    ]
    return refusal("UNAUTHORIZED", wanted or None, headers={"WWW-Authenticate": challenge})


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:16]
