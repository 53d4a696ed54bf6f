"""Authorizes the requests to one registry host, by its challenges. A token that answers one is sent to no other host."""

from dataclasses import replace

from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.http_status import MULTIPLE_CHOICES, NOT_FOUND
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
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.traits import Traits
from bulkrm.remote.auth.access import Access, Grant
from bulkrm.remote.auth.login_state import Logins
from bulkrm.remote.auth.realm_check import RealmCheck
from bulkrm.remote.auth.token_cache import HeldToken, ScopeRefused, TokenKey, Tokens, basic
from bulkrm.remote.single_flight import SingleFlight


class Authorizer:
    """Remembers the challenge of one host, so that a request carries the right token when it is sent first.

    `traits`: those of the host, as far as they are known by now.
    """

    def __init__(self, host: str, logins: Logins, traits: Traits, tokens: Tokens) -> None:
        """`logins`: the credentials of `host`; `tokens`: the cache of the run. Without a challenge nothing is sent."""
        self.traits = traits
        self._host = host
        self._logins = logins
        self._tokens = tokens
        self._base = ""
        self._check: RealmCheck | None = None
        self._challenge: Challenge | None = None
        self._checked: dict[Realm, SingleFlight[bool]] = {}
        self._accesses: dict[tuple[Repository | None, str], Access] = {}
        # It goes up with each challenge, and with each login that replaces another; then every `Access` is renewed.
        self._round = 0
        # The actions that a challenge named and the token did not have, by method: later tokens are requested with them.
        self._learned: dict[str, frozenset[str]] = {}

    def learn(self, traits: Traits) -> None:
        """Replace the traits of the host, because an answer of it showed others."""
        self.traits = traits

    @property
    def asks_for_credentials(self) -> bool:
        """Tell whether the host challenged the first request."""
        return self._challenge is not None

    def set_challenge(self, base: str, challenge: Challenge | None, *, plain_http: bool) -> None:
        """Note the base URL of the host (scheme and host), and the challenge to the first request; None: there was none."""
        self._base = base
        self._check = RealmCheck(base, plain_http)
        self._challenge = challenge
        self._begin_round()

    def is_anonymous(self, repository: Repository | None) -> bool:
        """Tell whether there are no credentials for a repository, or for the host itself."""
        return self._logins.of(repository) is None

    async def prepare(self, repository: Repository | None) -> None:
        """Ask the deferred sources for the credentials for a repository. Raises RequestFailed."""
        await self._logins.prepare(repository)

    def access(self, request: Request) -> Access:
        """Return the access of a request. It has no authorization before the first answer of the host, and `prepare`."""
        kind = request.repository, request.method
        access = self._accesses.get(kind)
        if access is None:
            access = self._accesses[kind] = Access()
        if access.round != self._round:
            access.authorization = access.grant = None
            if self._logins.is_prepared(request.repository):
                access.authorization, access.round = self._authorization_of(request), self._round
        return access

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
        if own is not None and self.traits.actions is None and learned is None:
            return NoAuthorization()
        scope = first_scope(request, None, self.traits)
        if scope is not None and own is not None and learned is not None:
            base = frozenset() if self.traits.actions is None else scope.actions
            scope = replace(scope, actions=base | learned)
        return BearerAuthorization(scope)

    async def grant(self, attempt: Attempt, refused: Secret | None = None) -> Grant:
        """Return the grant of an attempt, fetched if there is no good one. `refused`: a token that is no longer accepted.

        Raises RequestFailed. If the token server does not know an action, the request is sent without authorization, and
        from then on every scope for this host has exactly the actions of its challenge.
        """
        access, begun_in = self.access(attempt.request), self._round
        held = access.grant if refused is None and access.authorization == attempt.authorization else None
        if held is not None and self._is_good(held):
            return held
        login = self._logins.of(attempt.request.repository)
        if isinstance(attempt.authorization, BearerAuthorization):
            found = await self._bearer(login, attempt.authorization.scope, refused)
        else:
            found = self._unfetched(login, attempt.authorization)
        if refused is not None and found.held is not None:
            access.renewed = found.held.secret
            self._begin_round()  # other requests have the refused token too
        if begun_in == self._round == access.round and found.authorization == access.authorization:
            access.grant = found
        return found

    def is_ready(self, grant: Grant) -> bool:
        """Tell whether a request may be sent with a grant at once."""
        return self._is_good(grant) and not grant.goes_alone

    def renewed(self, grant: Grant) -> Grant | None:
        """Return a grant that is valid in this moment: this one, or one with a newer token; None: it has to be fetched."""
        if self._is_good(grant):
            return grant
        held = self._tokens.peek(grant.key) if grant.key else None
        return None if held is None else replace(grant, held=held, headers=_bearer_headers(held.secret))

    def note_answer(self, access: Access, grant: Grant, answer: Answer) -> Answer:
        """Note an answer that is no 401, and so may accept a grant; return it without the secrets that it may repeat."""
        access.settled()
        if answer.status >= MULTIPLE_CHOICES:
            answer = masked(answer, grant.secrets)
        if grant.headers and (
            answer.status < MULTIPLE_CHOICES or (answer.status == NOT_FOUND and is_registry_answer(answer))
        ):
            grant.login.accepted = True
        return answer

    async def note_refusal(self, grant: Grant, answer: Answer) -> Answer:
        """Note a 401, which may refuse a password; return it without the secrets that it may repeat."""
        if grant.is_password and grant.login.credential is not None:
            await self._refused(grant.login.credential)
        return masked(answer, grant.secrets)

    def credential_state(self, request: Request, grant: Grant) -> CredentialState:
        """Return the state of the credentials that a request was sent with."""
        login = self._logins.of(request.repository)
        return CredentialState(
            given=login is not None,
            accepted=grant.login.accepted,
            replaced=login != grant.login.credential,
            for_whole_host=self._logins.for_whole_host,
        )

    def answer(self, decision: Authorize) -> Attempt:
        """Note a challenge, and return the attempt of the next send, with its authorization.

        Raises RequestFailed if the host asks for Basic, and there is no password.
        """
        self._begin_round()
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
            self.access(attempt.request).extended = decision.scope
        elif self.traits.actions is None and decision.scope is not None:
            self._learned.setdefault(attempt.request.method, decision.scope.actions)
        return replace(attempt, authorization=BearerAuthorization(decision.scope))

    def _begin_round(self) -> None:
        """Have every `Access` find its authorization and its grant anew."""
        self._round += 1

    async def _refused(self, login: Credential) -> Credential | None:
        """Note that a credential was refused; return the one of the helper that replaces it, or None."""
        fresh = await self._logins.refused(login)
        if fresh is not None:
            self._begin_round()
        return fresh

    def _is_good(self, grant: Grant) -> bool:
        if grant.held is not None:
            return self._tokens.is_good(grant.held)
        return not (grant.login.refused and grant.is_password)

    def _without_password(self, login: Credential | None) -> RequestFailed:
        return RequestFailed(
            bad_credentials(self._host, given=False, for_whole_host=self._logins.for_whole_host, login=login)
        )

    def _unfetched(
        self, login: Credential | None, authorization: NoAuthorization | BasicAuthorization | ReadyAuthorization
    ) -> Grant:
        """Return a grant that needs no token server. Raises RequestFailed without the credentials for it."""
        state = self._logins.state_of(login)
        match authorization, login:
            case NoAuthorization(), _:
                return Grant(authorization, state)
            case ReadyAuthorization(), RegistryToken(token):
                return Grant(authorization, state, _bearer_headers(token))
            case BasicAuthorization(), Login() if state.refused:
                raise RequestFailed(bad_credentials(self._host, given=True, for_whole_host=self._logins.for_whole_host))
            case BasicAuthorization(), Login():
                return Grant(authorization, state, {"Authorization": basic(login)})
            case _:
                raise self._without_password(login)

    async def _bearer(self, login: Credential | None, scope: Scope | None, refused: Secret | None) -> Grant:
        key = self._key(login, scope)
        await self._allow(key.realm)
        asks_for_more = self.traits.actions is not None and scope is not None and scope.type == "repository"
        try:
            key, held = await self._token(key, refused)
        except ScopeRefused:
            if not asks_for_more:
                raise
            self.traits = replace(self.traits, actions=None)
            self._begin_round()
            return Grant(NoAuthorization(), self._logins.state_of(login))
        state, headers = self._logins.state_of(key.login), _bearer_headers(held.secret)
        return Grant(BearerAuthorization(scope), state, headers, key, held)

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
        """Return the login that replaces a refused one. Raises RequestFailed with `failure` if there is none."""
        fresh = await self._refused(refused)
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
        await flight.get(lambda: check(realm))


def _bearer_headers(token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.reveal()}"}
