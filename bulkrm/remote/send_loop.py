"""The loop around `decide`: sends a request and carries out the decision, until the answer is final.

Waits that are long enough for users to notice are told as events (`Waits`).
"""

from collections.abc import Callable
from typing import Protocol

from bulkrm.model.errors import RequestFailed
from bulkrm.model.events import EventListener, Paused, PauseReason
from bulkrm.model.http_status import INTERNAL_SERVER_ERROR, REQUEST_TIMEOUT
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.attempt import Accept, Attempt, Authorize, Decision, GiveUp, Wait
from bulkrm.protocol.decision import still_limited
from bulkrm.protocol.message import UNREACHABLE, Answer, NoAnswer
from bulkrm.protocol.pacing.pace import MAX_PAUSE, quota
from bulkrm.remote.clock import Clock
from bulkrm.remote.limiter import Limiter


class Exchange(Protocol):
    """One request with its retries. `attempt`: how it is sent next, and how often it has failed so far."""

    attempt: Attempt

    async def send(self) -> Answer | NoAnswer:
        """Send the request once, in a slot of the limiter. Raises RequestFailed if it cannot be sent."""
        ...

    def decide(self, answer: Answer | NoAnswer) -> Decision:
        """Return the decision after an answer."""
        ...

    def authorized(self, decision: Authorize) -> Attempt:
        """Return the attempt for the next send, with its authorization. Raises RequestFailed if there is none."""
        ...


_NOTICED, _SILENCE = 2.0, 10.0  # seconds


class Waits:
    """A function that is called with each wait for one host, and tells one event for all requests that wait."""

    def __init__(self, host: str, clock: Clock, tell: EventListener) -> None:
        """`host`: in normal form, for the events; `tell`: receives them."""
        self._host = host
        self._clock = clock
        self._tell = tell
        self._silent_until = 0.0

    def __call__(self, seconds: float, after: Answer | NoAnswer) -> None:
        """Tell a wait, unless it is short or another one was told recently. `after`: the last answer, or its failure."""
        now = self._clock.monotonic()
        if seconds >= _NOTICED and now >= self._silent_until:
            self._silent_until = now + max(seconds, _SILENCE)
            self._tell(Paused(self._host, seconds, _reason(after)))


def _reason(after: Answer | NoAnswer) -> PauseReason:
    if isinstance(after, NoAnswer):
        return PauseReason.UNREACHABLE if after.kind == UNREACHABLE else PauseReason.TROUBLE
    trouble = after.status == REQUEST_TIMEOUT or after.status >= INTERNAL_SERVER_ERROR
    return PauseReason.TROUBLE if trouble and "Retry-After" not in after.headers else PauseReason.ASKED


# Called before a wait, with its seconds and the last answer.
Announce = Callable[[float, Answer | NoAnswer], None]


def _tell_nobody(seconds: float, after: Answer | NoAnswer) -> None:
    """Do nothing."""


@valueclass
class SendLoop:
    """Sends a request until its answer is final: pauses the limiter, waits by the clock, and announces waits."""

    limiter: Limiter
    clock: Clock
    announce: Announce = _tell_nobody

    async def run(self, exchange: Exchange) -> Answer:
        """Send until the answer is final, and return that. Raises RequestFailed if there is no usable answer."""
        while True:
            answer = await exchange.send()
            match exchange.decide(answer):
                case Accept(final):
                    self.limiter.succeeded()
                    left = quota(final.headers, final.wall)
                    if left is not None and self.limiter.rest(*left):
                        self.announce(left[1], final)
                    return final
                case GiveUp(failure):
                    raise RequestFailed(failure)
                case Authorize() as decision:
                    exchange.attempt = exchange.authorized(decision)
                case Wait() as wait:
                    exchange.attempt = wait.attempt
                    await self._wait(wait, answer)

    async def _wait(self, wait: Wait, answer: Answer | NoAnswer) -> None:
        """Wait before the next send. `answer`: that of the last one."""
        self.announce(wait.seconds, answer)
        if wait.whole_host:
            self._pause(wait.attempt, wait.seconds)
        await self.clock.sleep(wait.seconds + wait.spread * self.clock.random())

    def _pause(self, attempt: Attempt, seconds: float) -> None:
        """Pause the host; raise RequestFailed, now and for all its requests, if it has refused for longer than `MAX_PAUSE`."""
        if self.limiter.refused_for + seconds > MAX_PAUSE:
            failure = still_limited(attempt.host, self.limiter.refused_for)
            self.limiter.close(failure)
            raise RequestFailed(failure)
        self.limiter.pause(seconds)
