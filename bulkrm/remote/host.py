"""One registry host: how it is reached, and one request to it from the first send to its final answer.

A request goes: token, limiter slot, is the token still good?, transport, `decide`.
"""

from collections.abc import Mapping
from dataclasses import replace

import anyio

from bulkrm.families.family import address_of, with_detected_traits
from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import Warned, WarningKind
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.secret import Secret
from bulkrm.protocol.auth.challenge import choose, parse_challenges
from bulkrm.protocol.auth.realm import is_loopback
from bulkrm.protocol.auth.rights import NO_CREDENTIALS
from bulkrm.protocol.decision import MAX_SENDS, Attempt, Authorize, Decision, decide, decide_without_token, is_limit
from bulkrm.protocol.message import LOST, NOT_TLS, PING, Answer, Broken, Request
from bulkrm.protocol.misrouted import is_misrouted, is_same_answer
from bulkrm.protocol.refusal import no_answer, refusal
from bulkrm.protocol.traits import Traits
from bulkrm.remote.auth.authorizer import Authorizer
from bulkrm.remote.auth.grant import Grant
from bulkrm.remote.auth.login_state import Logins
from bulkrm.remote.context import RemoteContext
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.footprint import Footprint, Look, Withdrawn
from bulkrm.remote.limiter import Limiter
from bulkrm.remote.send_loop import Final, Loop, Sent
from bulkrm.remote.single_flight import SingleFlight
from bulkrm.remote.transport.connections import Reuse, Use
from bulkrm.remote.waits import Waits

__all__ = ["Footprint", "Host", "Look", "Withdrawn"]

_UNAUTHORIZED = 401
_TIMED_OUT = 408
_TOO_MANY = 429
_SERVER_ERROR = 500
_READING = ("GET", "HEAD")


class Host:
    """The way to one registry."""

    def __init__(self, name: str, credentials: Credentials, traits: Traits, context: RemoteContext) -> None:
        """Take the host's normal form; nothing is sent before the first request."""
        self.name = name
        self.base = ""
        pacing = context.settings.own_pacings.get(name, context.settings.pacing)
        self.limiter = Limiter(pacing, context.clock)
        self.authorizer = Authorizer(name, Logins(name, credentials, context.clock), traits, context.tokens)
        self.transport = context.transport
        self.requests = 0
        self._connection = context.settings.connection
        self._loop = Loop(self.limiter, context.clock, Waits(name, context.clock, context.tell))
        self.clock = context.clock
        self._tell = context.tell
        self.reuse = Reuse(self._tell_of_mixed_answers)
        self._sharing = context.sharing
        self._greeting: Answer | None = None
        self._ended_before = False
        self._met: SingleFlight[bool] = SingleFlight()

    @property
    def traits(self) -> Traits:
        """How the host is to be treated, as far as that is known by now: its family may be recognised at the first answer."""
        return self.authorizer.traits

    async def exchange(
        self, request: Request, footprint: Footprint | None = None, look: Look | None = None, *, sends: int = MAX_SENDS
    ) -> Final:
        """Send a request until its answer is final. Raises RequestFailed when no usable answer will come.

        `look` is called before a request is sent again that may have taken effect; what it raises ends the exchange.
        `sends`: after so many that ended in a 5xx or without an answer it is given up.
        """
        if self._met.value is None:
            await self._met.get(self._meet, bool)
        call = _Call(self, footprint, look)
        attempt = replace(self.authorizer.first_attempt(request), faults=MAX_SENDS - sends)
        return await self._loop.run(attempt, call.send, call.decide, call.authorize)

    @property
    def address(self) -> str:
        """The name of the host, without a port."""
        return _name_of(self.name)

    @property
    def plain_http(self) -> bool:
        """Tell whether the user permits plain HTTP."""
        return self._connection.plain_http

    async def fetch(self, url: str, max_body: int) -> Answer | Broken:
        """GET what the registry keeps elsewhere, once and alone, in a slot of the registry's; without any secret of its."""
        async with self.limiter:
            self.limiter.spend()
            self.requests += 1
            return await self.transport.send("GET", url, {"Accept": "*/*"}, max_body)

    def _tell_of_mixed_answers(self, why: str) -> None:
        text = f"{self.name}: {why}; from now on each request has a connection of its own"
        self._tell(Warned(WarningKind.MIXED_ANSWERS, text))

    async def transmit(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer | Broken:
        """Send a request in the slot that is held; what may be the answer to another one is none."""
        may_share = request is PING or (self._sharing.allowed and request.method in _READING)
        alone = self.reuse.ended is not None or not may_share
        use = None if alone else Use(self.reuse, bulk=self._sharing.in_bulk or request is PING)
        answer = await self._transmit(request, url, headers, use)
        if use is None or not isinstance(answer, Answer) or not use.again:
            return answer
        if is_misrouted(request, answer):
            self.reuse.end("an answer came that belongs to another request")
            return Broken(LOST, "the answer belongs to another request")
        of_the_moment = answer.status in (_TIMED_OUT, _TOO_MANY) or answer.status >= _SERVER_ERROR  # sent again anyway
        return await self._transmit(request, url, headers, None) if use.repeated and not of_the_moment else answer

    async def _transmit(
        self, request: Request, url: str, headers: Mapping[str, str], use: Use | None
    ) -> Answer | Broken:
        self.limiter.spend()
        self.requests += 1
        return await self.transport.send(request.method, url, headers, request.max_body, request.body, use)

    @property
    def confirmed(self) -> bool:
        """Tell whether it is known that what was read so far are the answers to what was asked."""
        return self._ended_before if self.reuse.ended is not None else not self.reuse.doubtful

    async def confirm(self) -> bool:
        """Make sure that what was read in bulk so far are the answers to what was asked; False: it is to be read again.

        That is said once: what is read afterwards goes alone. Costs a request for each open connection, and only where
        an answer was like another one over one of them.
        """
        if self.reuse.ended is None and self.reuse.doubtful:
            async with anyio.create_task_group() as greetings:
                for _ in range(self.reuse.number):
                    greetings.start_soon(self._greet)
            if self.reuse.doubtful:
                self.reuse.end("whether answers came twice cannot be told")
        if self.reuse.ended is None:
            return True
        known, self._ended_before = self._ended_before, True
        return known

    async def _greet(self) -> None:
        """Ask for the greeting over the connection that was idle for longest, and see whether that is what comes."""
        use = Use(self.reuse, bulk=True)
        async with self.limiter:
            answer = await self._transmit(PING, self.base + PING.target, {}, use)
        if self._greeting is not None and isinstance(answer, Answer) and use.again:
            if is_same_answer(answer, self._greeting):
                use.in_order()
            elif answer.status < _TOO_MANY:
                self.reuse.end("an answer came twice")

    async def _meet(self) -> bool:
        """Ask for the challenge once, so that every later request brings its token with the first send."""
        try:
            final = await self._first_answer()
        except RequestFailed as error:
            # Who cannot even be met need not be asked once for each image.
            raise RequestFailed(replace(error.failure, reach=Reach.HOST)) from error
        self._greeting = final.answer
        self.authorizer.learn(with_detected_traits(self.name, self.traits, final.answer))
        challenge = None
        if final.answer.status == _UNAUTHORIZED:
            challenge = choose(parse_challenges(final.answer.headers.getall("WWW-Authenticate", [])))
        self.authorizer.met(self.base, challenge, plain_http=self._connection.plain_http)
        return True

    async def _first_answer(self) -> Final:
        """Speak HTTPS, unless the user said otherwise, or a loopback host answers with something that is no TLS at all."""
        if self._connection.plain_http:
            return await self._ping("http", _Call(self))
        call = _Call(self)
        try:
            return await self._ping("https", call)
        except RequestFailed:
            if not (is_loopback(_name_of(self.name)) and call.met_no_tls):
                raise
        return await self._ping("http", _Call(self))

    async def _ping(self, scheme: str, call: "_Call") -> Final:
        self.base = f"{scheme}://{address_of(self.name)}"
        return await self._loop.run(Attempt(PING, self.name), call.send, decide_without_token, call.authorize)


class _Call:
    """One request under way: remembers the token it used, to say which one was refused."""

    __slots__ = ("_footprint", "_host", "_last", "_look", "_refused", "_used")

    def __init__(self, host: Host, footprint: Footprint | None = None, look: Look | None = None) -> None:
        self._host = host
        self._footprint = footprint or Footprint()
        self._look = look
        self._used: Grant | None = None
        self._refused: Secret | None = None
        self._last: Answer | Broken | None = None

    async def send(self, attempt: Attempt) -> Sent:
        host, request = self._host, attempt.request
        if self._last is not None and not self._footprint.repeatable:
            await self._take_back(attempt)
        if attempt.uncertain and self._look is not None:
            await self._look(self._met(request) or _UNKNOWN)
        while True:
            refused = self._refused
            grant = host.authorizer.held(attempt, refused) or await host.authorizer.grant(attempt, refused)
            async with host.authorizer.alone(grant):
                async with host.limiter:
                    ready = host.authorizer.renewed(grant)
                    if ready is None:
                        continue  # it ended while we waited for the slot
                    self._used = ready
                    url, headers = host.base + request.target, {**ready.headers, **request.headers}
                    if self._footprint.withdrawn():
                        raise Withdrawn(self._met(request))
                    self._footprint.possible = True
                    answer = await host.transmit(request, url, headers)
                self._last = answer = await host.authorizer.saw(request, ready, answer)
            # A plain refusal and a redirect changed nothing; silence, a 5xx and a success may have.
            acted = answer.may_have_acted if isinstance(answer, Broken) else not _refused(answer)
            self._footprint.possible = attempt.uncertain or acted
            self._footprint.limited |= isinstance(answer, Answer) and is_limit(answer)
            if ready.authorization != attempt.authorization:
                # It went bare after all: its challenge is still to be answered.
                attempt = replace(attempt, authorization=ready.authorization, authorized=False)
            return attempt, answer

    def decide(self, attempt: Attempt, answer: Answer | Broken) -> Decision:
        authorizer, used, standing = self._host.authorizer, self._used, NO_CREDENTIALS
        if used is not None and isinstance(answer, Answer) and answer.status == _UNAUTHORIZED:
            attempt, standing = authorizer.known_to(attempt, used), authorizer.standing(attempt.request, used)
        return decide(attempt, answer, authorizer.traits, standing)

    @property
    def met_no_tls(self) -> bool:
        """Tell whether something answered the last send that does not speak TLS."""
        return isinstance(self._last, Broken) and self._last.kind == NOT_TLS

    async def _take_back(self, attempt: Attempt) -> None:
        """Raise Withdrawn; whoever sends it anew must not be given the token that was just refused."""
        if self._refused is not None:
            await self._host.authorizer.grant(attempt, self._refused)
        raise Withdrawn(self._met(attempt.request))

    async def authorize(self, decision: Authorize) -> Attempt:
        if decision.renew and self._used is not None and self._used.held is not None:
            self._refused = self._used.held.secret
        return self._host.authorizer.answer(decision)

    def _met(self, request: Request) -> Failure | None:
        """Say what the one send met; the want of a token is no failure."""
        match self._last:
            case Answer(status=status) as answer if status != _UNAUTHORIZED:
                return refusal(answer, self._host.name, request, self._host.authorizer.traits)
            case Broken() as broken:
                return no_answer(broken)
            case _:
                return None


# What a send met that only wanted another token, after one that may have taken effect.
_UNKNOWN = Failure(FailureCode.CONNECTION_LOST, "an earlier answer did not come")


def _refused(answer: Answer) -> bool:
    return 300 <= answer.status < 500 and answer.status != _TIMED_OUT  # noqa: PLR2004


def _name_of(host: str) -> str:
    """Cut the port off."""
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
