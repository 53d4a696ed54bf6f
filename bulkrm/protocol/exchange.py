"""What to do with an answer: the one place that decides about tokens, waiting and giving up.

Pure: `decide` looks at what was tried and what came back, and says what comes next. The loop that acts on it is
`bulkrm.client.exchange`. Per request at most one token renewal and one extension of its scope, at most `MAX_SENDS`
sends that ended in a fault, and at most `MAX_PAUSE` seconds of waiting because the host asked for it.
"""

from dataclasses import dataclass, replace

from bulkrm.model.errors import ProtocolError
from bulkrm.model.failure import Failure, FailureCode, Reach
from bulkrm.model.reference import Repository
from bulkrm.model.scope import Scope
from bulkrm.protocol.challenge import Challenge, choose, parse_challenges
from bulkrm.protocol.manners import STANDARD, Manners
from bulkrm.protocol.message import CERTIFICATE, NOT_TLS, PROXY, TOO_LARGE, Answer, Broken, Request
from bulkrm.protocol.pace import MAX_PAUSE, backoff, limited_backoff, quota, retry_after
from bulkrm.protocol.refusal import LIMITED, no_answer, no_permission, refusal

MAX_SENDS = 5
# A host that answers 429 without Retry-After costs a request one of these each time; the waits add up to `MAX_PAUSE`.
MAX_LIMITED = 40
_TOO_MANY = 429
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_JITTER = 0.5


@dataclass(frozen=True, slots=True)
class NoAuthorization:
    """The request was sent bare."""


@dataclass(frozen=True, slots=True)
class BasicAuthorization:
    """The request was sent with user and password."""


@dataclass(frozen=True, slots=True)
class BearerAuthorization:
    """The request was sent with a token that was asked for with this scope."""

    scope: Scope | None


Authorization = NoAuthorization | BasicAuthorization | BearerAuthorization


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request so far. `faults` counts sends that ended in a 5xx, 408 or no answer; `waited` is in seconds.

    `uncertain`: an earlier send may have taken effect although no proof of it came back.
    """

    request: Request
    host: str
    authorization: Authorization = NoAuthorization()
    faults: int = 0
    uncertain: bool = False
    limited: int = 0
    waited: float = 0.0
    authorized: bool = False
    renewed: bool = False
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """Final: the caller judges the answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Authorize:
    """Send again with credentials for this challenge (None: the one remembered). `renew`: not the token just used."""

    challenge: Challenge | None
    scope: Scope | None
    renew: bool
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Wait:
    """Send again after `seconds` and up to `spread` more; `whole_host`: nobody sends to this host meanwhile."""

    seconds: float
    spread: float
    whole_host: bool
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Final: there will be no usable answer."""

    failure: Failure


Decision = Accept | Authorize | Wait | GiveUp


def decide(attempt: Attempt, answer: Answer | Broken, manners: Manners) -> Decision:
    """Say what follows from an answer, or from none."""
    if isinstance(answer, Broken):
        return _after_break(attempt, answer)
    if answer.status == _TOO_MANY or _is_used_up(answer):
        return _after_limit(attempt, answer)
    if answer.status == _UNAUTHORIZED:
        return _after_unauthorized(attempt, answer, manners)
    if answer.status == 408 or answer.status >= 500:  # noqa: PLR2004
        return _after_fault(attempt, answer)
    return Accept(answer)


def decide_without_token(attempt: Attempt, answer: Answer | Broken) -> Decision:
    """Say what follows where no token can help: at the token server, and when asking a registry for its challenge."""
    if isinstance(answer, Answer) and answer.status == _UNAUTHORIZED:
        return Accept(answer)
    return decide(attempt, answer, STANDARD)


def _after_break(attempt: Attempt, broken: Broken) -> Decision:
    attempt = replace(attempt, faults=attempt.faults + 1, uncertain=attempt.uncertain or broken.may_have_acted)
    if broken.kind in (CERTIFICATE, NOT_TLS, PROXY, TOO_LARGE) or attempt.faults >= MAX_SENDS:
        return GiveUp(no_answer(broken))
    pause = backoff(attempt.faults)
    return Wait(pause, pause * _JITTER, whole_host=False, attempt=attempt)


def _after_fault(attempt: Attempt, answer: Answer) -> Decision:
    attempt = replace(attempt, faults=attempt.faults + 1, uncertain=True)
    if attempt.faults >= MAX_SENDS:
        return Accept(answer)
    asked = retry_after(answer.headers.get("Retry-After"), answer.wall, answer.headers.get("Date"))
    pause = backoff(attempt.faults) if asked is None else asked
    if attempt.waited + pause > MAX_PAUSE:
        return Accept(answer)
    attempt = replace(attempt, waited=attempt.waited + pause)
    return Wait(pause, backoff(attempt.faults) * _JITTER, whole_host=asked is not None, attempt=attempt)


def _is_used_up(answer: Answer) -> bool:
    """Tell whether a 403 is about a quota, as it is with GitHub, and not about a permission."""
    left = quota(answer.headers, answer.wall) if answer.status == _FORBIDDEN else None
    return left is not None and left[0] == 0


def _after_limit(attempt: Attempt, answer: Answer) -> Decision:
    attempt = replace(attempt, limited=attempt.limited + 1)
    asked = retry_after(answer.headers.get("Retry-After"), answer.wall, answer.headers.get("Date"))
    left = quota(answer.headers, answer.wall)
    if asked is None and left is not None and left[0] == 0:
        asked = left[1]
    pause = max(limited_backoff(attempt.limited), asked or 0.0)
    if attempt.waited + pause > MAX_PAUSE or attempt.limited >= MAX_LIMITED:
        return GiveUp(still_limited(attempt.host, attempt.waited, asked))
    attempt = replace(attempt, waited=attempt.waited + pause)
    spread = min(pause * _JITTER / 5, MAX_PAUSE - attempt.waited)
    return Wait(pause, spread, whole_host=True, attempt=attempt)


def still_limited(host: str, waited: float, asked: float | None = None) -> Failure:
    """Say that a host limits for longer than anybody should wait; seconds."""
    waits = f"asks to wait {asked:.0f} s" if asked else f"still limits after {waited:.0f} s of waiting"
    return Failure(FailureCode.RATE_LIMITED, f"HTTP 429: {host} {waits}", _TOO_MANY, LIMITED, Reach.HOST)


def _after_unauthorized(attempt: Attempt, answer: Answer, manners: Manners) -> Decision:
    challenge = choose(parse_challenges(answer.headers.getall("WWW-Authenticate", [])))
    match attempt.authorization:
        case BearerAuthorization(scope):
            return _after_token(attempt, answer, challenge, scope)
        case BasicAuthorization():
            return GiveUp(bad_credentials(attempt.host, given=True))
        case NoAuthorization():
            if challenge is None or attempt.authorized:
                return GiveUp(refusal(answer, attempt.host, attempt.request, manners))
            scope = first_scope(attempt.request, challenge, manners)
            return Authorize(challenge, scope, renew=False, attempt=replace(attempt, authorized=True))


def _after_token(attempt: Attempt, answer: Answer, challenge: Challenge | None, asked: Scope | None) -> Decision:
    """Renew a token that the registry no longer takes; extend one that allows too little; both once at most.

    distribution names the cause in `error`; zot repeats its challenge without one where a permission is missing, and
    sends no challenge at all for an expired token (zot pkg/api/bearer_auth.go).
    """
    repository = attempt.request.repository
    error = challenge.parameters.get("error", "") if challenge else "invalid_token"
    wanted = challenge_scope(challenge, attempt.request) if challenge else None
    if error != "invalid_token" and wanted is not None and (asked is None or not asked.covers(wanted)):
        if attempt.extended:
            return GiveUp(_not_permitted(answer, repository, wanted))
        merged = wanted if asked is None else asked.merge(wanted)
        return Authorize(challenge, merged, renew=False, attempt=replace(attempt, extended=True))
    if error != "insufficient_scope" and not attempt.renewed:
        return Authorize(challenge, asked, renew=True, attempt=replace(attempt, renewed=True))
    if error == "invalid_token":
        message = "HTTP 401: the registry refuses the tokens of its token server"
        hint = "compare the clocks, issuer, service and certificate of the registry and its token server"
        return GiveUp(Failure(FailureCode.TOKEN_SERVER, message, _UNAUTHORIZED, hint, Reach.HOST))
    return GiveUp(_not_permitted(answer, repository, wanted))


def _not_permitted(answer: Answer, repository: Repository | None, wanted: Scope | None) -> Failure:
    missing = " and ".join(sorted(wanted.actions)) if wanted else "pull and delete"
    message = f"HTTP {answer.status}: the token does not allow {missing}"
    hint = no_permission(repository, missing)
    return Failure(FailureCode.NOT_PERMITTED, message, answer.status, hint, Reach.REPOSITORY)


def bad_credentials(host: str, *, given: bool) -> Failure:
    """Say that user or password are wrong, or that there should have been some."""
    message = f"HTTP 401: {host} " + ("does not accept the user or password" if given else "wants a user and password")
    hint = "check the user and password: -u with -p, --password-stdin or REGISTRY_PASSWORD, or `docker login`"
    return Failure(FailureCode.BAD_CREDENTIALS, message, _UNAUTHORIZED, hint, Reach.HOST)


def challenge_scope(challenge: Challenge, request: Request) -> Scope | None:
    """Return the scope that a challenge wants for the request's own resource, None where it names none."""
    own = request.scope
    for text in challenge.parameters.get("scope", "").split():
        try:
            scope = Scope.parse(text)
        except ProtocolError:
            continue
        if own is not None and (scope.type, scope.name) == (own.type, own.name):
            return scope
    return None


def first_scope(request: Request, challenge: Challenge | None, manners: Manners) -> Scope | None:
    """Return the scope to ask for first: the manners' actions and whatever the challenge wants beside them."""
    own = request.scope
    if own is None:
        return None
    wanted = challenge_scope(challenge, request) if challenge else None
    if request.repository is None or manners.actions is None:
        return wanted or own
    # One token serves reading and deleting, so both are asked for at once; pushing is asked for by what pushes.
    scope = own if "push" in own.actions else Scope(own.type, own.name, manners.actions)
    return scope.merge(wanted) if wanted else scope
