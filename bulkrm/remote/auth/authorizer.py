"""Authorizes the requests to one registry host, by its challenges. A token that answers one is sent to no other host."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import assert_never

from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.http_status import MULTIPLE_CHOICES, NOT_FOUND, UNAUTHORIZED
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.scope import Scope
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, Login, RegistryToken
from bulkrm.protocol.attempt import (
    Attempt,
    Authorization,
    Authorize,
    BasicAuthorization,
    BearerAuthorization,
    NoAuthorization,
    ReadyAuthorization,
)
from bulkrm.protocol.auth.challenge import Challenge
from bulkrm.protocol.auth.realm import Realm
from bulkrm.protocol.auth.rights import CredentialState, bad_credentials
from bulkrm.protocol.auth.unauthorized import first_scope
from bulkrm.protocol.explanation import is_registry_answer, masked
from bulkrm.protocol.message import Answer, NoAnswer, Request
from bulkrm.protocol.traits import Traits
from bulkrm.remote.auth.grant import Grant
from bulkrm.remote.auth.login_state import NOBODY_WAITS, Logins
from bulkrm.remote.auth.realm_check import RealmCheck
from bulkrm.remote.auth.retries import Retries
from bulkrm.remote.auth.token_cache import HeldToken, ScopeRefused, TokenKey, Tokens, basic
from bulkrm.remote.single_flight import SingleFlight

_Kind = tuple[Repository | None, str]


class Authorizer:
    """Remembers the challenge of one host, so that a request carries the right token when it is sent first."""

    def __init__(self, host: str, logins: Logins, traits: Traits, tokens: Tokens) -> None:
        """`logins`: the credentials of `host`; `tokens`: the cache of the run. Without a challenge nothing is sent."""
        self._host = host
        self._logins = logins
        self._traits = traits
        self._tokens = tokens
        self._base = ""
        self._check: RealmCheck | None = None
        self._challenge: Challenge | None = None
        self._checked: dict[Realm, SingleFlight[bool]] = {}
        # Caches for requests of one kind, and for one authorization, until the next challenge.
        self._first: dict[_Kind, Authorization] = {}
        self._grants: dict[tuple[Credential | None, Authorization], Grant] = {}
        # The actions that a challenge named and the token did not have, by method: later tokens are requested with them.
        self._learned: dict[str, frozenset[str]] = {}
        self._retries = Retries()

    @property
    def traits(self) -> Traits:
        """The traits of the host, as far as they are known by now."""
        return self._traits

    def learn(self, traits: Traits) -> None:
        """Replace the traits of the host, because an answer of it showed others."""
        self._traits = traits

    @property
    def asks_for_credentials(self) -> bool:
        """Tell whether the host challenged the first request."""
        return self._challenge is not None

    def set_challenge(self, base: str, challenge: Challenge | None, *, plain_http: bool) -> None:
        """Note the base URL of the host (scheme and host), and the challenge to the first request; None: there was none."""
        self._base = base
        self._check = RealmCheck(base, plain_http)
        self._challenge = challenge
        self._forget()

    def is_anonymous(self, repository: Repository | None) -> bool:
        """Tell whether there are no credentials for a repository, or for the host itself."""
        return self._logins.of(repository) is None

    def is_prepared(self, repository: Repository | None) -> bool:
        """Tell whether the credentials for a repository are known without `prepare`."""
        return self._logins.is_prepared(repository)

    async def prepare(self, repository: Repository | None) -> None:
        """Ask the deferred sources for the credentials for a repository. Raises RequestFailed."""
        await self._logins.prepare(repository)

    def first_attempt(self, request: Request) -> Attempt:
        """Return the attempt with which a request is sent first."""
        kind = request.repository, request.method
        found = self._first.get(kind)
        if found is None:
            found = self._first[kind] = self._authorization_of(request)
        return Attempt(request, self._host, found)

    def _authorization_of(self, request: Request) -> Authorization:
        if self._challenge is None:
            return NoAuthorization()
        login = self._logins.of(request.repository)
        if self._challenge.scheme == "basic":
            return BasicAuthorization() if isinstance(login, Login) else NoAuthorization()
        if isinstance(login, RegistryToken):
            return ReadyAuthorization()
        own = request.scope
        learned = self._learned.get(request.method)
        if own is not None and self._traits.actions is None and learned is None:
            return NoAuthorization()
        scope = first_scope(request, None, self._traits)
        if scope is not None and own is not None and learned is not None:
            base = frozenset() if self._traits.actions is None else scope.actions
            scope = replace(scope, actions=base | learned)
        return BearerAuthorization(scope)

    def held(self, attempt: Attempt, refused: Secret | None = None) -> Grant | None:
        """Return the cached grant of an attempt, which nearly always exists; None: it has to be fetched.

        `refused`: a token that the registry no longer accepts, so that the cache is not used.
        """
        login = self._logins.of(attempt.request.repository)
        grant = self._grants.get((login, attempt.authorization)) if refused is None else None
        return None if grant is None or not self._is_good(grant) else grant

    async def grant(self, attempt: Attempt, refused: Secret | None = None) -> Grant:
        """Fetch the grant of an attempt, for `held` to return from then on. `refused`: a token that is no longer accepted.

        Raises RequestFailed. If the token server does not know an action, the request is sent without authorization, and
        from then on every scope for this host has exactly the actions of its challenge.
        """
        login = self._logins.of(attempt.request.repository)
        match attempt.authorization:
            case NoAuthorization():
                found = Grant(attempt.authorization, login)
            case BearerAuthorization(scope):
                found = await self._bearer(login, scope, refused)
                if refused is not None and found.held is not None:
                    self._retries.renewed(attempt.request, found.held.secret)
            case ReadyAuthorization():
                found = self._ready(login)
            case BasicAuthorization():
                found = self._basic(login)
            case unknown:
                assert_never(unknown)
        self._grants[found.login, found.authorization] = found
        return found

    def alone(self, grant: Grant) -> AbstractAsyncContextManager[None]:
        """Return a context for one send: a password that the host has not accepted yet is sent by one request at a time."""
        return self._logins.alone(grant.login) if isinstance(grant.authorization, BasicAuthorization) else NOBODY_WAITS

    def renewed(self, grant: Grant) -> Grant | None:
        """Return a valid grant right before it is used: the same, or one with a newer token; None: it has to be fetched."""
        if self._is_good(grant):
            return grant
        held = self._tokens.peek(grant.key) if grant.key else None
        return None if held is None else replace(grant, held=held, header=f"Bearer {held.secret.reveal()}")

    async def note_answer(self, request: Request, grant: Grant, answer: Answer | NoAnswer) -> Answer | NoAnswer:
        """Note whether an answer accepts or refuses a grant; return the answer without the secrets that it may repeat."""
        if isinstance(answer, NoAnswer):
            return answer
        if answer.status == UNAUTHORIZED:
            if grant.login is not None and isinstance(grant.authorization, BasicAuthorization):
                await self._logins.refused(grant.login)
            return masked(answer, grant.secrets)
        self._retries.settled(request)
        if answer.status >= MULTIPLE_CHOICES:
            answer = masked(answer, grant.secrets)
        accepted = answer.status < MULTIPLE_CHOICES or (answer.status == NOT_FOUND and is_registry_answer(answer))
        if accepted and grant.header is not None:
            self._logins.accepted(grant.login)
        return answer

    def known_to(self, attempt: Attempt, grant: Grant) -> Attempt:
        """Return a refused attempt, marked as renewed or extended if that was done for its kind already (`Retries`)."""
        return self._retries.known_to(attempt, grant.held.secret if grant.held else None)

    def credential_state(self, request: Request, grant: Grant) -> CredentialState:
        """Return the state of the credentials that a request was sent with."""
        login = self._logins.of(request.repository)
        return CredentialState(
            given=login is not None,
            accepted=self._logins.was_accepted(grant.login),
            replaced=login != grant.login,
            for_whole_host=self._logins.for_whole_host,
        )

    def answer(self, decision: Authorize) -> Attempt:
        """Note a challenge, and return the attempt of the next send, with its authorization.

        Raises RequestFailed if the host asks for Basic, and there is no password.
        """
        self._forget()
        if decision.challenge is not None:
            self._challenge = decision.challenge
        attempt = decision.attempt
        login = self._logins.of(attempt.request.repository)
        if decision.challenge is not None and decision.challenge.scheme == "basic":
            if not isinstance(login, Login):
                raise self._without_password(login)
            return replace(attempt, authorization=BasicAuthorization())
        if isinstance(login, RegistryToken):
            return replace(attempt, authorization=ReadyAuthorization())
        if attempt.extended and decision.scope is not None:
            known = self._learned.get(attempt.request.method, frozenset())
            self._learned[attempt.request.method] = known | decision.scope.actions
            self._retries.extended(attempt.request, decision.scope)
        elif self._traits.actions is None and decision.scope is not None:
            self._learned.setdefault(attempt.request.method, decision.scope.actions)
        return replace(attempt, authorization=BearerAuthorization(decision.scope))

    def _forget(self) -> None:
        self._first.clear()
        self._grants.clear()

    def _is_good(self, grant: Grant) -> bool:
        if grant.held is not None:
            return self._tokens.is_good(grant.held)
        return not (isinstance(grant.authorization, BasicAuthorization) and self._logins.was_refused(grant.login))

    def _without_password(self, login: Credential | None) -> RequestFailed:
        return RequestFailed(
            bad_credentials(self._host, given=False, for_whole_host=self._logins.for_whole_host, login=login)
        )

    def _basic(self, login: Credential | None) -> Grant:
        if not isinstance(login, Login):
            raise self._without_password(login)
        if self._logins.was_refused(login):
            raise RequestFailed(bad_credentials(self._host, given=True, for_whole_host=self._logins.for_whole_host))
        return Grant(BasicAuthorization(), login, basic(login))

    def _ready(self, login: Credential | None) -> Grant:
        if not isinstance(login, RegistryToken):
            raise self._without_password(login)
        return Grant(ReadyAuthorization(), login, f"Bearer {login.token.reveal()}")

    async def _bearer(self, login: Credential | None, scope: Scope | None, refused: Secret | None) -> Grant:
        key = self._key(login, scope)
        await self._allow(key.realm)
        to_the_letter = self._traits.actions is None
        try:
            key, held = await self._token(key, refused)
        except ScopeRefused:
            if to_the_letter or scope is None or scope.type != "repository":
                raise
            self._traits = replace(self._traits, actions=None)
            self._forget()
            return Grant(NoAuthorization(), login)
        return Grant(BearerAuthorization(scope), key.login, f"Bearer {held.secret.reveal()}", key, held)

    async def _token(self, key: TokenKey, refused: Secret | None) -> tuple[TokenKey, HeldToken]:
        """Return a token; if the password for it has expired, with a new one of the helper. Raises RequestFailed."""
        try:
            return key, await self._tokens.get(key, refused)
        except RequestFailed as error:
            failure = error.failure
            if failure.code is not FailureCode.BAD_CREDENTIALS or key.login is None:
                raise
        key = replace(key, login=await self._another_login(key.login, failure))
        return key, await self._tokens.get(key, refused)

    async def _another_login(self, refused: Credential, failure: Failure) -> Credential:
        """Return the login that replaces a refused one. Raises RequestFailed, with the failure of that one, if there is none."""
        fresh = await self._logins.refused(refused)
        if fresh is None:
            reach = Reach.HOST if self._logins.for_whole_host else Reach.REPOSITORY
            raise RequestFailed(replace(failure, reach=reach))
        return fresh

    def _key(self, login: Credential | None, scope: Scope | None) -> TokenKey:
        # The last challenge may be Basic, whose realm is a name and not a URL (RFC 9110 section 11.5).
        bearer = self._challenge is not None and self._challenge.scheme == "bearer"
        parameters = self._challenge.parameters if self._challenge and bearer else {}
        try:
            realm = Realm.parse(parameters.get("realm", ""), self._base + "/v2/")
        except ProtocolError as error:
            hint = f"is {self._host} an OCI / Docker v2 registry?"
            raise RequestFailed(Failure(FailureCode.UNSAFE_REALM, str(error), 401, hint, Reach.HOST)) from error
        return TokenKey(self._host, login, realm, parameters.get("service") or None, scope)

    async def _allow(self, realm: Realm) -> None:
        check = self._check
        if check is None:
            raise RuntimeError("a token is needed before the first request to the host")
        flight = self._checked.get(realm)
        if flight is None:
            flight = self._checked[realm] = SingleFlight()
        await flight.get(lambda: check(realm), bool)
