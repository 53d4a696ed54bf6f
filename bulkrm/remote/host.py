"""One registry host: how it is reached, and which of its requests share a connection."""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

import anyio

from bulkrm.families.family import address_of, with_detected_traits
from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import Warned, WarningKind
from bulkrm.model.extensions.plugin_call import PluginError
from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, REQUEST_TIMEOUT, TOO_MANY_REQUESTS, UNAUTHORIZED
from bulkrm.model.result.failure import Reach
from bulkrm.protocol.attempt import Attempt
from bulkrm.protocol.auth.challenge import challenges_in, choose
from bulkrm.protocol.auth.realm import is_loopback
from bulkrm.protocol.decision import MAX_SENDS
from bulkrm.protocol.message import LOST, PING, Answer, NoAnswer, Request
from bulkrm.protocol.misrouted import is_misrouted, is_same_answer
from bulkrm.protocol.traits import Traits
from bulkrm.remote.auth.authorizer import Authorizer
from bulkrm.remote.auth.login_state import Logins
from bulkrm.remote.context import RemoteContext
from bulkrm.remote.credentials import Credentials
from bulkrm.remote.exchange import HostExchange, PingExchange
from bulkrm.remote.limiter import Limiter
from bulkrm.remote.send_loop import SendLoop, Waits
from bulkrm.remote.sending import Lookup, Sending
from bulkrm.remote.single_flight import SingleFlight
from bulkrm.remote.transport.connections import Reuse, Use

_READING = ("GET", "HEAD")


class Host:
    """One registry host, with its limiter, its authorizer and its shared connections.

    `base`: the scheme and host of its URLs, known after the first answer; `requests`: how many were sent to it.
    """

    def __init__(self, name: str, credentials: Credentials, traits: Traits, context: RemoteContext) -> None:
        """`name`: the host in normal form; `traits`: those known by its name. The first request is sent on first use."""
        self.name = name
        self.base = ""
        pacing = context.settings.own_pacings.get(name, context.settings.pacing)
        self.limiter = Limiter(pacing, context.clock)
        self.authorizer = Authorizer(name, Logins(name, credentials, context.clock), traits, context.tokens)
        self.transport = context.transport
        self.requests = 0
        self._connection = context.settings.connection
        self._loop = SendLoop(self.limiter, context.clock, Waits(name, context.clock, context.tell))
        self.clock = context.clock
        self._tell = context.tell
        self.reuse = Reuse(self._tell_of_mixed_answers)
        self._sharing = context.sharing
        self._ended_before = False
        self._first: SingleFlight[Answer] = SingleFlight()

    @property
    def traits(self) -> Traits:
        """The traits of the host that are known so far; its first answer may reveal more of them."""
        return self.authorizer.traits

    def exchange(
        self, request: Request, sending: Sending | None = None, lookup: Lookup | None = None, *, sends: int = MAX_SENDS
    ) -> Coroutine[Any, Any, Answer]:
        """Send a request until its answer is final, and return that. Raises RequestFailed if there is no usable answer.

        `lookup`: called before a request is sent again that may have taken effect. `sends`: the request is given up after
        this many sends that ended in a 408, a 5xx or without an answer.
        """
        access = self.authorizer.access(request)
        if access.authorization is None:
            return self._contact_and_exchange(request, sending, lookup, sends)
        attempt = Attempt(request, self.name, access.authorization, MAX_SENDS - sends)
        return self._loop.run(HostExchange(self, access, attempt, sending, lookup))

    async def _contact_and_exchange(
        self, request: Request, sending: Sending | None, lookup: Lookup | None, sends: int
    ) -> Answer:
        await self.authorizer.prepare(request.repository)
        await self._first.get(self._make_contact)
        return await self.exchange(request, sending, lookup, sends=sends)

    @property
    def address(self) -> str:
        """The name of the host, without a port."""
        return _name_of(self.name)

    @property
    def plain_http(self) -> bool:
        """Tell whether the user permits plain HTTP."""
        return self._connection.plain_http

    async def fetch(self, url: str, max_body: int) -> Answer | NoAnswer:
        """GET a URL of the registry's object store, once, alone on its connection, and without credentials.

        It takes a slot of the registry's limiter.
        """
        while True:
            async with self.limiter:
                if self.has_room():
                    self.limiter.spend()
                    self.requests += 1
                    return await self.transport.send("GET", url, {"Accept": "*/*"}, max_body)
            await self.make_room()

    def _tell_of_mixed_answers(self, why: str) -> None:
        text = f"{self.name}: {why}; from now on each request has a connection of its own"
        self._tell(Warned(WarningKind.MIXED_ANSWERS, text))

    def transmit(
        self, request: Request, url: str, headers: Mapping[str, str]
    ) -> Coroutine[Any, Any, Answer | NoAnswer]:
        """Send a request in the slot that the caller has: alone on its connection, unless it is a read that may share one.

        The caller has made sure that there is room for it (`has_room`).
        """
        return (
            self._share(request, url, headers) if self._may_share(request) else self._send(request, url, headers, None)
        )

    def has_room(self, request: Request | None = None) -> bool:
        """Tell whether a request may be sent in the slot that the caller has, without one connection too many.

        None: one that shares no connection.
        """
        return self.limiter.has_room(self.reuse.idle + self.transport.closings.number) or (
            request is not None and self.reuse.idle > 0 and self._may_share(request)
        )

    async def make_room(self) -> None:
        """Close the connection that is idle for longest, if any, and wait until one of those that are being closed is closed.

        What a change needs is checked in its slot, right before its send; so it waits here without a slot.
        """
        if self.reuse.idle:
            self.reuse.close_idle()
        await self.transport.closings.wait()

    def _may_share(self, request: Request) -> bool:
        may_share = request is PING or (self._sharing.allowed and request.method in _READING)
        return may_share and self.reuse.ended is None

    async def _share(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer | NoAnswer:
        """Send a request over a shared connection. An answer that may belong to another request is not returned."""
        use = Use(self.reuse, bulk=self._sharing.in_bulk or request is PING)
        answer = await self._send(request, url, headers, use)
        if not isinstance(answer, Answer) or not use.is_reused:
            return answer
        if is_misrouted(request, answer):
            self.reuse.end("an answer came that belongs to another request")
            return NoAnswer(LOST, "the answer belongs to another request")
        sent_again = answer.status in (REQUEST_TIMEOUT, TOO_MANY_REQUESTS) or answer.status >= INTERNAL_SERVER_ERROR
        return await self._send_alone(request, url, headers) if use.repeated and not sent_again else answer

    async def _send_alone(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer | NoAnswer:
        """Send a read once more, in the same slot, as soon as the connection of its repeated answer is closed."""
        while not self.has_room():
            await self.make_room()
        return await self._send(request, url, headers, None)

    def _send(
        self, request: Request, url: str, headers: Mapping[str, str], use: Use | None
    ) -> Coroutine[Any, Any, Answer | NoAnswer]:
        self.limiter.spend()
        self.requests += 1
        return self.transport.send(request.method, url, headers, request.max_body, request.body, use)

    @property
    def confirmed(self) -> bool:
        """Tell whether it is known that the answers so far belong to their requests."""
        return self._ended_before if self.reuse.ended is not None else not self.reuse.doubtful

    async def confirm(self) -> bool:
        """Check that the answers in bulk so far belong to their requests; False: everything has to be read again.

        It returns False only once, since later requests are sent alone. It costs one request for each open connection, and
        none if no answer on a connection equals an earlier one.
        """
        if self.reuse.ended is None and self.reuse.doubtful:
            async with anyio.create_task_group() as pings:
                for _ in range(self.reuse.number):
                    pings.start_soon(self._ping)
            if self.reuse.doubtful:
                self.reuse.end("whether answers came twice cannot be told")
        if self.reuse.ended is None:
            return True
        known, self._ended_before = self._ended_before, True
        return known

    async def _ping(self) -> None:
        """Send `GET /v2/` over the connection that was idle for longest, and compare the answer with the first one."""
        use = Use(self.reuse, bulk=True)
        async with self.limiter:
            answer = await self._send(PING, self.base + PING.target, {}, use)
        if self._first.value is not None and isinstance(answer, Answer) and use.is_reused:
            if is_same_answer(answer, self._first.value):
                use.in_order()
            elif answer.status < TOO_MANY_REQUESTS:
                self.reuse.end("an answer came twice")

    async def _make_contact(self) -> Answer:
        """Send the first request, and return its answer, which has the challenge: all later ones carry a token at once."""
        try:
            answer = await self._first_answer()
            self.authorizer.learn(with_detected_traits(self.name, self.traits, answer))
        except RequestFailed as error:
            # Otherwise a host that does not answer would be asked once for each image.
            raise RequestFailed(replace(error.failure, reach=Reach.HOST)) from error
        except PluginError as error:
            raise RequestFailed(error.failure(Reach.HOST)) from error
        challenge = choose(challenges_in(answer)) if answer.status == UNAUTHORIZED else None
        self.authorizer.set_challenge(self.base, challenge, plain_http=self._connection.plain_http)
        return answer

    async def _first_answer(self) -> Answer:
        """Return the first answer, over HTTPS; over HTTP if the user says so, or if a loopback host does not speak TLS."""
        if not self._connection.plain_http:
            ping = self._ping_over("https")
            try:
                return await self._loop.run(ping)
            except RequestFailed:
                if not (is_loopback(_name_of(self.name)) and ping.answered_without_tls):
                    raise
        return await self._loop.run(self._ping_over("http"))

    def _ping_over(self, scheme: str) -> PingExchange:
        self.base = f"{scheme}://{address_of(self.name)}"
        return PingExchange(self, self.authorizer.access(PING), Attempt(PING, self.name))


def _name_of(host: str) -> str:
    """Return a host without its port, and an IPv6 address without its brackets."""
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
