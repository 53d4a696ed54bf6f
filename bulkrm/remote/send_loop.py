"""The loop round `decide`: send, look, and do what was decided, until the answer is final."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bulkrm.model.errors import RequestFailed
from bulkrm.protocol.decision import Accept, Attempt, Authorize, Decision, GiveUp, Wait, still_limited
from bulkrm.protocol.message import Answer, Broken
from bulkrm.protocol.pacing.pace import MAX_PAUSE, quota
from bulkrm.remote.clock import Clock
from bulkrm.remote.limiter import Limiter


class Exchange(Protocol):
    """One request under way. `attempt` is what was tried so far, and how it is sent next."""

    attempt: Attempt

    async def send(self) -> Answer | Broken:
        """Send it once, in a slot of the limiter. Raises RequestFailed where it cannot be sent."""
        ...

    def decide(self, answer: Answer | Broken) -> Decision:
        """Say what follows from an answer."""
        ...

    def authorized(self, decision: Authorize) -> Attempt:
        """Say how the next send is authorized. Raises RequestFailed where it cannot be."""
        ...


# Hears of a wait: how many seconds, and what came before it.
Announce = Callable[[float, Answer | Broken], None]


def _tell_nobody(seconds: float, after: Answer | Broken) -> None:
    """Tell nobody of a wait."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What the loop acts on: the limiter to pause, the clock to wait by, and who hears of a wait."""

    limiter: Limiter
    clock: Clock
    announce: Announce = _tell_nobody

    async def run(self, exchange: Exchange) -> Answer:
        """Send until the answer is final. Raises RequestFailed when no usable answer will come."""
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
                case Wait(seconds, spread, whole_host, attempt):
                    exchange.attempt = attempt
                    self.announce(seconds, answer)
                    if whole_host:
                        self._pause(exchange.attempt, seconds)
                    await self.clock.sleep(seconds + spread * self.clock.random())

    def _pause(self, attempt: Attempt, seconds: float) -> None:
        """Pause the host; give it up where it has refused everybody for longer than any request would wait."""
        if self.limiter.refused_for + seconds > MAX_PAUSE:
            failure = still_limited(attempt.host, self.limiter.refused_for)
            self.limiter.close(failure)
            raise RequestFailed(failure)
        self.limiter.pause(seconds)
