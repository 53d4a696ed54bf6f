"""The loop round `decide`: send, look, and do what was decided, until the answer is final."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bulkrm.model.errors import RequestFailed
from bulkrm.protocol.decision import Accept, Attempt, Authorize, Decision, GiveUp, Wait, still_limited
from bulkrm.protocol.message import Answer, Broken
from bulkrm.protocol.pacing.pace import MAX_PAUSE, quota
from bulkrm.remote.clock import Clock
from bulkrm.remote.limiter import Limiter

Sent = tuple[Attempt, Answer | Broken]
# Puts one attempt on the wire, in a slot; the attempt comes back with the authorization that it really had.
Send = Callable[[Attempt], Awaitable[Sent]]
Judge = Callable[[Attempt, Answer | Broken], Decision]
# Gets what the decision asks for, and says how the next send is authorized. Raises RequestFailed.
GetAuthorized = Callable[[Authorize], Awaitable[Attempt]]


# Hears of a wait: how many seconds, and what came before it.
Announce = Callable[[float, Answer | Broken], None]


def _tell_nobody(seconds: float, after: Answer | Broken) -> None:
    """Tell nobody of a wait."""


@dataclass(frozen=True, slots=True)
class Final:
    """The last answer; `uncertain`: an earlier send may have taken effect without a proof of it."""

    answer: Answer
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """What the loop acts on: the limiter to pause, the clock to wait by, and who hears of a wait."""

    limiter: Limiter
    clock: Clock
    announce: Announce = _tell_nobody

    def _pause(self, attempt: Attempt, seconds: float) -> None:
        """Pause the host; give it up where it has refused everybody for longer than any request would wait."""
        if self.limiter.refused_for + seconds > MAX_PAUSE:
            failure = still_limited(attempt.host, self.limiter.refused_for)
            self.limiter.close(failure)
            raise RequestFailed(failure)
        self.limiter.pause(seconds)

    async def run(self, attempt: Attempt, send: Send, judge: Judge, authorize: GetAuthorized) -> Final:
        """Send until it is final. Raises RequestFailed when no usable answer will come."""
        while True:
            attempt, answer = await send(attempt)
            match judge(attempt, answer):
                case Accept(final):
                    self.limiter.succeeded()
                    left = quota(final.headers, final.wall)
                    if left is not None and self.limiter.rest(*left):
                        self.announce(left[1], final)
                    return Final(final, attempt.may_have_acted)
                case GiveUp(failure):
                    raise RequestFailed(failure)
                case Authorize() as decision:
                    attempt = await authorize(decision)
                case Wait(seconds, spread, whole_host, attempt):
                    self.announce(seconds, answer)
                    if whole_host:
                        self._pause(attempt, seconds)
                    await self.clock.sleep(seconds + spread * self.clock.random())
