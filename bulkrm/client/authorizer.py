"""Which credentials a request to one registry host carries. They come from its challenges and go nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bulkrm.client.flight import SingleFlight
from bulkrm.client.realms import RealmCheck
from bulkrm.client.tokens import HeldToken, ScopeRefused, TokenKey, Tokens, basic
from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, Login
from bulkrm.protocol.challenge import Challenge
from bulkrm.protocol.exchange import (
    Attempt,
    Authorization,
    Authorize,
    BasicAuthorization,
    BearerAuthorization,
    NoAuthorization,
    bad_credentials,
    first_scope,
)
from bulkrm.protocol.manners import Manners
from bulkrm.protocol.message import Request
from bulkrm.protocol.realm import Realm


@dataclass(frozen=True, slots=True)
class Grant:
    """How one send is authorized, and until when (`held` and its key, for a Bearer token)."""

    authorization: Authorization
    header: str | None = None
    key: TokenKey | None = None
    held: HeldToken | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header to send, if any."""
        return {"Authorization": self.header} if self.header else {}


_BARE = Grant(NoAuthorization())


class Authorizer:
    """Remembers what one host challenged with, so that a request carries the right token the first time it is sent."""

    def __init__(self, host: str, login: Credential | None, manners: Manners, tokens: Tokens) -> None:
        """Begin without a challenge: requests go bare until the host asks for something."""
        self._host = host
        self._login = login
        self._manners = manners
        self._tokens = tokens
        self._base = ""
        self._check: RealmCheck | None = None
        self._challenge: Challenge | None = None
        self._checked: dict[Realm, SingleFlight[bool]] = {}
        # What was worked out for requests of one kind, and for one authorization, until the host says something new.
        self._first: dict[tuple[Repository | None, str], Authorization] = {}
        self._grants: dict[Authorization, Grant] = {}
        # What a challenge wanted beyond what was asked for, by method: asked for at once from then on.
        self._learned: dict[str, frozenset[str]] = {}

    @property
    def manners(self) -> Manners:
        """The host's manners, as far as they are known by now."""
        return self._manners

    def met(self, base: str, challenge: Challenge | None, *, plain_http: bool) -> None:
        """Take note of where the host is (scheme and host) and of the challenge it answered the first request with."""
        self._base = base
        self._check = RealmCheck(base, plain_http)
        self._challenge = challenge
        self._forget()

    def first(self, request: Request) -> Authorization:
        """Say how a request is sent the first time."""
        kind = request.repository, request.method
        found = self._first.get(kind)
        if found is None:
            found = self._first[kind] = self._worked_out(request)
        return found

    def _worked_out(self, request: Request) -> Authorization:
        if self._challenge is None:
            return NoAuthorization()
        if self._challenge.scheme == "basic":
            return BasicAuthorization() if isinstance(self._login, Login) else NoAuthorization()
        own = request.scope
        learned = self._learned.get(request.method)
        if own is not None and self._manners.actions is None and learned is None:
            return NoAuthorization()
        scope = first_scope(request, None, self._manners)
        if scope is not None and own is not None and learned is not None:
            base = frozenset() if self._manners.actions is None else scope.actions
            scope = replace(scope, actions=base | learned)
        return BearerAuthorization(scope)

    def held(self, authorization: Authorization, refused: Secret | None = None) -> Grant | None:
        """Return the token that an authorization needs if it is there already, as it nearly always is."""
        grant = self._grants.get(authorization) if refused is None else None
        return None if grant is None or (grant.held is not None and not self._tokens.is_good(grant.held)) else grant

    async def grant(self, authorization: Authorization, refused: Secret | None = None) -> Grant:
        """Get what an authorization needs; `refused` is a token that the registry no longer takes.

        Raises RequestFailed. Where the token server does not know an action, the request goes bare, and from then on
        every scope of this host is what its challenge asks for, to the letter.
        """
        match authorization:
            case NoAuthorization():
                return _BARE
            case BasicAuthorization():
                return self._basic()
            case BearerAuthorization(scope):
                known = self.held(authorization, refused)
                if known is None:
                    known = self._grants[authorization] = await self._bearer(scope, refused)
                return known

    def renewed(self, grant: Grant) -> Grant | None:
        """Look at a grant again right before it is used: as it is, with a newer token, or None where one must be got."""
        if grant.held is None or grant.key is None or self._tokens.is_good(grant.held):
            return grant
        held = self._tokens.peek(grant.key)
        return None if held is None else replace(grant, held=held, header=f"Bearer {held.secret.reveal()}")

    def answer(self, decision: Authorize) -> Attempt:
        """Take note of a challenge, and say how the next send is authorized."""
        self._forget()
        if decision.challenge is not None:
            self._challenge = decision.challenge
        attempt = decision.attempt
        if decision.challenge is not None and decision.challenge.scheme == "basic":
            if not isinstance(self._login, Login):
                raise RequestFailed(bad_credentials(self._host, given=False))
            return replace(attempt, authorization=BasicAuthorization())
        if attempt.extended and decision.scope is not None:
            known = self._learned.get(attempt.request.method, frozenset())
            self._learned[attempt.request.method] = known | decision.scope.actions
        elif self._manners.actions is None and decision.scope is not None:
            self._learned.setdefault(attempt.request.method, decision.scope.actions)
        return replace(attempt, authorization=BearerAuthorization(decision.scope))

    def _forget(self) -> None:
        self._first.clear()
        self._grants.clear()

    def _basic(self) -> Grant:
        if not isinstance(self._login, Login):
            raise RequestFailed(bad_credentials(self._host, given=False))
        return Grant(BasicAuthorization(), basic(self._login))

    async def _bearer(self, scope: Scope | None, refused: Secret | None) -> Grant:
        key = self._key(scope)
        await self._allow(key.realm)
        to_the_letter = self._manners.actions is None
        try:
            held = await self._tokens.get(key, refused)
        except ScopeRefused:
            if to_the_letter or scope is None or scope.type != "repository":
                raise
            self._manners = replace(self._manners, actions=None)
            self._forget()
            return _BARE
        return Grant(BearerAuthorization(scope), f"Bearer {held.secret.reveal()}", key, held)

    def _key(self, scope: Scope | None) -> TokenKey:
        # A host may ask for Basic meanwhile, whose realm is a name and no URL (RFC 9110 11.5).
        bearer = self._challenge is not None and self._challenge.scheme == "bearer"
        parameters = self._challenge.parameters if self._challenge and bearer else {}
        try:
            realm = Realm.parse(parameters.get("realm", ""), self._base + "/v2/")
        except ProtocolError as error:
            hint = f"is {self._host} an OCI / Docker v2 registry?"
            raise RequestFailed(Failure(FailureCode.UNSAFE_REALM, str(error), 401, hint, Reach.HOST)) from error
        return TokenKey(self._host, self._login, realm, parameters.get("service") or None, scope)

    async def _allow(self, realm: Realm) -> None:
        check = self._check
        if check is None:
            raise RuntimeError("a token is wanted before the host was met")
        flight = self._checked.get(realm)
        if flight is None:
            flight = self._checked[realm] = SingleFlight()
        await flight.get(lambda: check(realm), bool)
