"""One request to a registry host, from the first send to its final answer.

A request goes: token, limiter slot, is the token still good?, is it still wanted?, transport, `decide`.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from bulkrm.model.http_status import UNAUTHORIZED
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.secret import Secret
from bulkrm.protocol.attempt import Attempt, Authorize, Decision
from bulkrm.protocol.auth.rights import NO_CREDENTIALS
from bulkrm.protocol.decision import decide, decide_without_token
from bulkrm.protocol.effect import effect_of
from bulkrm.protocol.message import NOT_TLS, Answer, NoAnswer, Request
from bulkrm.protocol.refusal import no_answer, refusal
from bulkrm.remote.auth.grant import Grant
from bulkrm.remote.sending import Lookup, Sending, Withdrawn

if TYPE_CHECKING:
    from bulkrm.remote.host import Host


class HostExchange:
    """One request to a host, with its retries. It remembers the token of the last send, which a 401 may refuse."""

    __slots__ = ("_host", "_last", "_lookup", "_refused", "_sending", "_used", "attempt")

    def __init__(
        self, host: "Host", attempt: Attempt, sending: Sending | None = None, lookup: Lookup | None = None
    ) -> None:
        """Create the exchange; `sending` and `lookup` are for requests that change something (`bulkrm.remote.sending`)."""
        self.attempt = attempt
        self._host = host
        self._sending = sending or Sending()
        self._lookup = lookup
        self._used: Grant | None = None
        self._refused: Secret | None = None
        self._last: Answer | NoAnswer | None = None

    async def send(self) -> Answer | NoAnswer:
        """Send the request once, with a token and in a slot; both are checked right before the send.

        Raises RequestFailed without a token, and Withdrawn if the change is not wanted any more.
        """
        host, attempt, request, sending = self._host, self.attempt, self.attempt.request, self._sending
        if self._last is not None:
            await self._before_the_next(attempt)
        while True:
            refused = self._refused
            grant = host.authorizer.held(attempt, refused) or await host.authorizer.grant(attempt, refused)
            async with host.authorizer.alone(grant):
                async with host.limiter:
                    ready = host.authorizer.renewed(grant)
                    if ready is None:
                        continue  # the token expired while this task waited for the slot
                    self._used = ready
                    url, headers = host.base + request.target, {**ready.headers, **request.headers}
                    if not sending.permission.holds():
                        raise Withdrawn(self._last_failure(request))
                    before, sending.effect = sending.effect, Effect.OPEN
                    answer = await host.transmit(request, url, headers)
                self._last = answer = await host.authorizer.note_answer(request, ready, answer)
            sending.effect = before.or_more(effect_of(answer))
            if ready.authorization != attempt.authorization:
                # It was sent without a token, so the next 401 is a new challenge.
                self.attempt = replace(attempt, authorization=ready.authorization, authorized=False)
            return answer

    def decide(self, answer: Answer | NoAnswer) -> Decision:
        """Return the decision after an answer, by the state of the credentials that the request was sent with."""
        authorizer, attempt, used, state = self._host.authorizer, self.attempt, self._used, NO_CREDENTIALS
        if used is not None and isinstance(answer, Answer) and answer.status == UNAUTHORIZED:
            attempt, state = authorizer.known_to(attempt, used), authorizer.credential_state(attempt.request, used)
        return decide(attempt, answer, authorizer.traits, state)

    def authorized(self, decision: Authorize) -> Attempt:
        """Return the attempt of the next send, with its authorization. Raises RequestFailed if there is none."""
        if decision.renew and self._used is not None and self._used.held is not None:
            self._refused = self._used.held.secret
        return self._host.authorizer.answer(decision)

    async def _before_the_next(self, attempt: Attempt) -> None:
        """Prepare a further send: withdraw a change that must not be repeated, look up one that may have taken effect."""
        if not self._sending.repeatable:
            # The caller repeats it in a new exchange, which must not get the token that was just refused.
            if self._refused is not None:
                await self._host.authorizer.grant(attempt, self._refused)
            raise Withdrawn(self._last_failure(attempt.request))
        if self._lookup is not None and self._sending.is_open:
            await self._lookup.look(self._last_failure(attempt.request) or _UNKNOWN)

    def _last_failure(self, request: Request) -> Failure | None:
        """Return the failure of the last send; None after a 401, which only asks for a token."""
        match self._last:
            case Answer(status=status) as answer if status != UNAUTHORIZED:
                return refusal(answer, self._host.name, request, self._host.authorizer.traits)
            case NoAnswer() as failed:
                return no_answer(failed)
            case _:
                return None

    @property
    def answered_without_tls(self) -> bool:
        """Tell whether the server answered the last send, but not with TLS."""
        return isinstance(self._last, NoAnswer) and self._last.kind == NOT_TLS


class PingExchange(HostExchange):
    """The first request to a host, `GET /v2/`, whose answer has the challenge of the host: a 401 is accepted."""

    __slots__ = ()

    def decide(self, answer: Answer | NoAnswer) -> Decision:
        """Return the decision as for any request, but accept a 401."""
        return decide_without_token(self.attempt, answer)


# The failure for a lookup after a 401, if the send before it may have taken effect.
_UNKNOWN = Failure(FailureCode.CONNECTION_LOST, "an earlier answer did not come")
