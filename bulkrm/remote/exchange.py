"""One request to a registry host, from the first send to its final answer.

A request goes: token, limiter slot, is the token still good?, is it still wanted?, transport, `decide`.
"""

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bulkrm.model.http_status import UNAUTHORIZED
from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import Failure, FailureCode
from bulkrm.model.secret import Secret
from bulkrm.protocol.attempt import Attempt, Authorize, Decision
from bulkrm.protocol.auth.rights import NO_CREDENTIALS
from bulkrm.protocol.decision import decide, decide_without_token, effect_of
from bulkrm.protocol.message import NOT_TLS, Answer, NoAnswer, Request
from bulkrm.protocol.refusal import no_answer, refusal
from bulkrm.remote.auth.access import Access, Grant
from bulkrm.remote.sending import Lookup, Sending, Withdrawn

if TYPE_CHECKING:
    from bulkrm.remote.host import Host


class HostExchange:
    """One request to a host, with its retries. It remembers the token of the last send, which a 401 may refuse."""

    __slots__ = ("_access", "_alone", "_host", "_last", "_lookup", "_refused", "_sending", "_used", "attempt")

    def __init__(
        self,
        host: "Host",
        access: Access,
        attempt: Attempt,
        sending: Sending | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        """Create the exchange; `sending` and `lookup` are for requests that change something (`bulkrm.remote.sending`)."""
        self.attempt = attempt
        self._host = host
        self._access = access
        self._sending = sending
        self._lookup = lookup
        self._alone = False
        self._used: Grant | None = None
        self._refused: Secret | None = None
        self._last: Answer | NoAnswer | None = None

    async def send(self) -> Answer | NoAnswer:
        """Send the request once, with a token and in a slot; both are checked right before the send.

        Raises RequestFailed without a token, and Withdrawn if the change is not wanted any more.
        """
        grant = self._take_slot() or await self._wait_for_slot()
        host, request, sending = self._host, self.attempt.request, self._sending
        try:
            try:
                before = Effect.NONE if sending is None else self._begin(sending)
                answer = await host.transmit(request, host.base + request.target, {**grant.headers, **request.headers})
            finally:
                host.limiter.release()
            if isinstance(answer, Answer) and answer.status == UNAUTHORIZED:
                answer = await host.authorizer.note_refusal(grant, answer)
            elif isinstance(answer, Answer):
                answer = host.authorizer.note_answer(self._access, grant, answer)
        finally:
            if self._alone:
                grant.login.lock.release()
        self._used, self._last = grant, answer
        if sending is not None:
            sending.effect = before.or_more(effect_of(answer))
        return answer

    def _take_slot(self) -> Grant | None:
        """Take a slot for the first send, and return its grant; None: the grant or the slot has to be waited for."""
        grant, host = self._access.grant, self._host
        if grant is None or self._last is not None or not host.authorizer.is_ready(grant) or not host.limiter.take():
            return None
        if host.has_room(self.attempt.request):
            return grant
        host.limiter.release()
        return None

    async def _wait_for_slot(self) -> Grant:
        """Take a slot, and with a password that is not accepted yet its lock; return the grant, valid in this moment."""
        if self._last is not None:
            await self._before_the_next(self.attempt)
        ready = None
        while ready is None:
            grant = await self._host.authorizer.grant(self.attempt, self._refused)
            ready = await self._take_slot_for(grant)
        if ready.authorization != self.attempt.authorization:
            # It is sent without a token, so the next 401 is a new challenge.
            self.attempt = replace(self.attempt, authorization=ready.authorization, authorized=False)
        return ready

    async def _take_slot_for(self, grant: Grant) -> Grant | None:
        """Take a slot, and the lock that a grant needs, for `send` to release; return the grant, valid in this moment.

        None: its token expired while this task waited for the slot, or no further connection could be opened.
        """
        host, alone = self._host, grant.goes_alone  # a password may be accepted while this task waits
        async with AsyncExitStack() as stack:
            if alone:
                await stack.enter_async_context(grant.login.lock)
            await stack.enter_async_context(host.limiter)
            ready = host.authorizer.renewed(grant)
            if ready is not None and host.has_room(self.attempt.request):
                stack.pop_all()
                self._alone = alone
                return ready
        if ready is not None:
            await host.make_room()  # without the slot, as what is checked in it must be true at the send
        return None

    def _begin(self, sending: Sending) -> Effect:
        """Check right before the send that the change is still wanted; return what its earlier sends may have done."""
        if not sending.permission.holds():
            raise Withdrawn(self._last_failure(self.attempt.request))
        before, sending.effect = sending.effect, Effect.OPEN
        return before

    def decide(self, answer: Answer | NoAnswer) -> Decision:
        """Return the decision after an answer, by the state of the credentials that the request was sent with."""
        authorizer, attempt, used, state = self._host.authorizer, self.attempt, self._used, NO_CREDENTIALS
        if used is not None and isinstance(answer, Answer) and answer.status == UNAUTHORIZED:
            attempt = self._access.marked(attempt, used.held.secret if used.held is not None else None)
            state = authorizer.credential_state(attempt.request, used)
        return decide(attempt, answer, authorizer.traits, state)

    def authorized(self, decision: Authorize) -> Attempt:
        """Return the attempt of the next send, with its authorization. Raises RequestFailed if there is none."""
        if decision.renew and self._used is not None and self._used.held is not None:
            self._refused = self._used.held.secret
        return self._host.authorizer.answer(decision)

    async def _before_the_next(self, attempt: Attempt) -> None:
        """Prepare a further send: withdraw a change that must not be repeated, look up one that may have taken effect."""
        if self._sending is not None and not self._sending.repeatable:
            # The caller repeats it in a new exchange, which must not get the token that was just refused.
            if self._refused is not None:
                await self._host.authorizer.grant(attempt, self._refused)
            raise Withdrawn(self._last_failure(attempt.request))
        if self._lookup is not None and self._sending is not None and self._sending.is_open:
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
