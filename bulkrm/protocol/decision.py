"""The one place that decides what to do after an answer: accept it, authorize, wait and send again, or give up.

`decide` is a pure function of the earlier sends and the answer; `bulkrm.remote.send_loop` carries out its decision. The
first row that holds counts:

=====================================================  ================================================================
answer                                                 decision
=====================================================  ================================================================
none: the certificate, no TLS, the proxy, or a body    `GiveUp`: another send would fail in the same way
that is too large
none, for another reason                               `Wait`, longer each time; `GiveUp` at the last fault
a success, a redirect                                  `Accept`
a rate limit (`is_limit`)                              `Wait` as long as the host asks, together with all requests to
                                                       it; `GiveUp` where that is too long for one request
401                                                    `Authorize`, by the challenge; `GiveUp` where no other token or
                                                       scope is left to try (`auth.unauthorized`)
408, 5xx                                               `Wait`, longer each time or as the host asks; `Accept` at the
                                                       last fault, or where the wait is too long
any other answer                                       `Accept`: the caller tells success from refusal
=====================================================  ================================================================

Why it ends: faults (408, 5xx, no answer) are counted up to `MAX_SENDS` and limits up to `MAX_LIMITED`, whatever answers come
in between; the waits that the host asks for add up to `MAX_PAUSE` seconds at most; credentials are added, renewed and widened
in scope at most once each. The table does not cover whether a change may be sent again at all: its sender decides that
(`bulkrm.model.result.effect`).
"""

from dataclasses import replace

from bulkrm.model.http_status import (
    BAD_REQUEST,
    FORBIDDEN,
    INTERNAL_SERVER_ERROR,
    MULTIPLE_CHOICES,
    REQUEST_TIMEOUT,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
)
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.protocol.attempt import (
    Accept,
    Attempt,
    Decision,
    GiveUp,
    Wait,
)
from bulkrm.protocol.auth.rights import NO_CREDENTIALS, CredentialState
from bulkrm.protocol.auth.unauthorized import after_unauthorized
from bulkrm.protocol.message import CERTIFICATE, NOT_TLS, PROXY, TOO_LARGE, Answer, NoAnswer
from bulkrm.protocol.pacing.pace import MAX_PAUSE, asked_wait, backoff, limited_backoff, quota
from bulkrm.protocol.refusal import LIMITED, no_answer
from bulkrm.protocol.traits import STANDARD, Traits

MAX_SENDS = 5
# The most rate limits of one request; without Retry-After the waits exceed `MAX_PAUSE` sooner.
MAX_LIMITED = 40
_JITTER = 0.5


def decide(
    attempt: Attempt, answer: Answer | NoAnswer, traits: Traits, state: CredentialState = NO_CREDENTIALS
) -> Decision:
    """Return the decision after an answer, or after none. `state`: that of the credentials that the request was sent with."""
    if isinstance(answer, NoAnswer):
        return _after_no_answer(attempt, answer)
    if answer.status < BAD_REQUEST:
        return Accept(answer)
    if is_limit(answer):
        return _after_limit(attempt, answer)
    if answer.status == UNAUTHORIZED:
        return after_unauthorized(attempt, answer, traits, state)
    if answer.status == REQUEST_TIMEOUT or answer.status >= INTERNAL_SERVER_ERROR:
        return _after_fault(attempt, answer)
    return Accept(answer)


def decide_without_token(attempt: Attempt, answer: Answer | NoAnswer) -> Decision:
    """Return the decision of `decide`, but accept a 401: for token servers, and for the request that asks for a challenge."""
    if isinstance(answer, Answer) and answer.status == UNAUTHORIZED:
        return Accept(answer)
    return decide(attempt, answer, STANDARD)


def _after_no_answer(attempt: Attempt, failed: NoAnswer) -> Decision:
    attempt = replace(attempt, faults=attempt.faults + 1)
    if failed.kind in (CERTIFICATE, NOT_TLS, PROXY, TOO_LARGE) or attempt.faults >= MAX_SENDS:
        return GiveUp(no_answer(failed))
    pause = backoff(attempt.faults)
    return Wait(pause, pause * _JITTER, whole_host=False, attempt=attempt)


def _after_fault(attempt: Attempt, answer: Answer) -> Decision:
    attempt = replace(attempt, faults=attempt.faults + 1)
    if attempt.faults >= MAX_SENDS:
        return Accept(answer)
    asked = asked_wait(answer)
    pause = backoff(attempt.faults) if asked is None else asked
    if attempt.waited + pause > MAX_PAUSE:
        return Accept(answer)
    attempt = replace(attempt, waited=attempt.waited + pause)
    return Wait(pause, backoff(attempt.faults) * _JITTER, whole_host=asked is not None, attempt=attempt)


def is_limit(answer: Answer) -> bool:
    """Tell whether an answer means a rate limit: a 429, or a 403 with an exhausted quota or `Retry-After`.

    GitHub answers 403 with its quota used up, and for its secondary limits with `Retry-After` alone although some of the
    quota may be left (docs.github.com, "Rate limits for the REST API").
    """
    if answer.status != FORBIDDEN:
        return answer.status == TOO_MANY_REQUESTS
    left = quota(answer.headers, answer.wall)
    return (left is not None and left[0] == 0) or bool(asked_wait(answer))


def effect_of(answer: Answer | NoAnswer) -> Effect:
    """Return what one send of a change may have done. A success is `OPEN`: its sender judges at once what it proves."""
    if isinstance(answer, NoAnswer):
        return Effect.OPEN if answer.may_have_acted else Effect.NONE
    if answer.status < MULTIPLE_CHOICES:
        return Effect.OPEN
    if is_limit(answer):
        return Effect.OVER
    # A refusal and a redirect changed nothing; a 5xx and a 408 may have.
    refused = answer.status < INTERNAL_SERVER_ERROR and answer.status != REQUEST_TIMEOUT
    return Effect.NONE if refused else Effect.OPEN


def _after_limit(attempt: Attempt, answer: Answer) -> Decision:
    attempt = replace(attempt, limited=attempt.limited + 1)
    asked = asked_wait(answer)
    left = quota(answer.headers, answer.wall)
    if asked is None and left is not None and left[0] == 0:
        asked = left[1]
    pause = max(limited_backoff(attempt.limited), asked or 0.0)
    if attempt.waited + pause > MAX_PAUSE or attempt.limited >= MAX_LIMITED:
        return GiveUp(still_limited(attempt.host, attempt.waited, asked, answer.status))
    attempt = replace(attempt, waited=attempt.waited + pause)
    spread = min(pause * _JITTER / 5, MAX_PAUSE - attempt.waited)
    return Wait(pause, spread, whole_host=True, attempt=attempt)


def still_limited(host: str, waited: float, asked: float | None = None, status: int = TOO_MANY_REQUESTS) -> Failure:
    """Return the failure of a request that has waited `waited` seconds, or is asked to wait `asked`: too long."""
    waits = f"asks to wait {asked:.0f} s" if asked else f"still limits after {waited:.0f} s of waiting"
    return Failure(FailureCode.RATE_LIMITED, f"HTTP {status}: {host} {waits}", status, LIMITED, Reach.HOST)
