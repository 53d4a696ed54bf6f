"""The decision after a 401: answer the challenge, renew the token, widen its scope, or fail.

For one request a token or a helper's password is renewed at most once, and a scope is widened at most once.
"""

from collections.abc import Sequence
from dataclasses import replace

from bulkrm.model.errors import ProtocolError
from bulkrm.model.http_status import UNAUTHORIZED
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.scope import Scope
from bulkrm.protocol.attempt import (
    Attempt,
    Authorize,
    BasicAuthorization,
    BearerAuthorization,
    Decision,
    GiveUp,
    NoAuthorization,
    ReadyAuthorization,
)
from bulkrm.protocol.auth.challenge import Challenge, challenges_in, choose
from bulkrm.protocol.auth.rights import (
    CredentialState,
    bad_credentials,
    bad_ready_token,
    missing_right,
    not_permitted,
    permission_hint,
)
from bulkrm.protocol.message import Answer, Request
from bulkrm.protocol.pacing.pace import asked_wait
from bulkrm.protocol.refusal import refusal
from bulkrm.protocol.traits import Traits

_BASIC = Challenge("basic")
_COMPARE = "compare the clocks, issuer, service and certificate of the registry and its token server"


def after_unauthorized(attempt: Attempt, answer: Answer, traits: Traits, state: CredentialState) -> Decision:
    """Return the decision after a 401 to a request that was sent with `attempt.authorization`. `state`: its credentials'."""
    challenges = challenges_in(answer)
    challenge = choose(challenges)
    match attempt.authorization:
        case BearerAuthorization(scope):
            return _after_token(attempt, challenge, scope, state)
        case ReadyAuthorization():
            return GiveUp(_ready_token_refused(attempt, challenge, state))
        case BasicAuthorization():
            if state.replaced and not attempt.renewed:
                return Authorize(challenge or _BASIC, None, renew=True, attempt=replace(attempt, renewed=True))
            return GiveUp(_password_refused(attempt, answer, state))
        case NoAuthorization():
            if challenge is None or attempt.authorized:
                return GiveUp(_unknown_scheme(attempt, answer, challenges, traits, given=state.given))
            scope = first_scope(attempt.request, challenge, traits)
            return Authorize(challenge, scope, renew=False, attempt=replace(attempt, authorized=True))


def _password_refused(attempt: Attempt, answer: Answer, state: CredentialState) -> Failure:
    """Return the failure for a 401 to a password: if it was accepted before, the user lacks a right."""
    request, host = attempt.request, attempt.host
    missing = missing_right(request, None)
    hint = permission_hint(request.repository, missing)
    if state.accepted:
        return not_permitted(f"HTTP 401: {host} knows this user, but does not allow {missing}", UNAUTHORIZED, hint)
    failure = bad_credentials(host, given=True, for_whole_host=state.for_whole_host, asked=asked_wait(answer))
    # Where anonymous users may read, the registry checks the password for the first time at a DELETE.
    return replace(failure, hint=f"{failure.hint}; or {hint}") if request.method in ("DELETE", "PUT") else failure


def _ready_token_refused(attempt: Attempt, challenge: Challenge | None, state: CredentialState) -> Failure:
    """Return the failure for a 401 to a token of the user's configuration."""
    error = challenge.parameters.get("error", "") if challenge else ""
    wanted = challenge_scope(challenge, attempt.request) if challenge else None
    if error == "insufficient_scope" or (state.accepted and error != "invalid_token"):
        return _not_permitted(attempt.request, wanted, docker_auth=False)
    return bad_ready_token(attempt.host, for_whole_host=state.for_whole_host)


def _unknown_scheme(
    attempt: Attempt, answer: Answer, challenges: Sequence[Challenge], traits: Traits, *, given: bool
) -> Failure:
    """Return the failure for a 401 without a challenge, or with schemes that bulkrm does not support."""
    failure = refusal(answer, attempt.host, attempt.request, traits)
    others = sorted({challenge.scheme.title()[:40] for challenge in challenges} - {"Basic", "Bearer"})
    if not others or choose(challenges) is not None:
        return failure
    what = f"HTTP 401: {attempt.host} wants {' or '.join(others)}, and bulkrm speaks Basic and Bearer only"
    unsent = "; the user and password were not sent" if given else ""
    hint = f"ask who runs {attempt.host} for user and password (Basic) or tokens (Bearer){unsent}"
    return replace(failure, message=what, hint=hint)


def _after_token(
    attempt: Attempt, challenge: Challenge | None, asked: Scope | None, state: CredentialState
) -> Decision:
    """Renew a token that the registry no longer accepts, or widen one that allows too little; each once at most.

    distribution names the cause in `error`; zot repeats its challenge without one where a permission is missing, and
    sends no challenge at all for an expired token (zot pkg/api/bearer_auth.go). A 401 to a renewed token is final: if
    the registry accepted other tokens of this user, this one allows too little.
    """
    error = challenge.parameters.get("error", "") if challenge else "invalid_token"
    wanted = challenge_scope(challenge, attempt.request) if challenge else None
    if error != "invalid_token" and wanted is not None and (asked is None or not asked.covers(wanted)):
        if attempt.extended:
            return GiveUp(_not_permitted(attempt.request, wanted, docker_auth=error == "insufficient_scope"))
        merged = wanted if asked is None else asked.merge(wanted)
        return Authorize(challenge, merged, renew=False, attempt=replace(attempt, extended=True))
    if error != "insufficient_scope" and not attempt.renewed:
        return Authorize(challenge, asked, renew=True, attempt=replace(attempt, renewed=True))
    if error == "invalid_token" and not state.accepted:
        message = "HTTP 401: the registry refuses the tokens of its token server"
        return GiveUp(Failure(FailureCode.TOKEN_SERVER, message, UNAUTHORIZED, _COMPARE, Reach.HOST))
    failure = _not_permitted(attempt.request, wanted, docker_auth=error == "insufficient_scope")
    if error == "invalid_token" and challenge is not None:
        failure = replace(failure, hint=f"{failure.hint}; if the user has that right, {_COMPARE}")
    return GiveUp(failure)


def _not_permitted(request: Request, wanted: Scope | None, *, docker_auth: bool) -> Failure:
    missing = missing_right(request, wanted)
    hint = permission_hint(request.repository, missing, docker_auth=docker_auth)
    return not_permitted(f"HTTP 401: the token does not allow {missing}", UNAUTHORIZED, hint)


def challenge_scope(challenge: Challenge, request: Request) -> Scope | None:
    """Return the scope in a challenge for the resource of the request; None: the challenge does not name it."""
    own = request.scope
    for text in challenge.parameters.get("scope", "").split():
        try:
            scope = Scope.parse(text)
        except ProtocolError:
            continue
        if own is not None and (scope.type, scope.name) == (own.type, own.name):
            return scope
    return None


def first_scope(request: Request, challenge: Challenge | None, traits: Traits) -> Scope | None:
    """Return the scope of the first token request: the actions of the host's traits, and those of the challenge."""
    own = request.scope
    if own is None:
        return None
    wanted = challenge_scope(challenge, request) if challenge else None
    if request.repository is None or traits.actions is None:
        return wanted or own
    # One token serves reading and deleting, so both are requested at once; only a PUT requests `push`.
    scope = own if "push" in own.actions else Scope(own.type, own.name, traits.actions)
    return scope.merge(wanted) if wanted else scope
