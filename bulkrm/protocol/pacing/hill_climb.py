"""Hill climbing on throughput: finds the number of requests in flight that brings the most answers a second.

A larger number is kept if it brings more answers, a smaller one if it brings as many. Two methods that use delay instead
were measured for comparison (python -m tests.bench pace): TCP Vegas (Brakmo and Peterson 1995) and the gradient limit of
Netflix's concurrency-limits. But delay changes for other reasons than load: a registry takes up to a hundred times as
long for a DELETE as for a HEAD, and a failover may move it farther away. Vegas mistakes the longer delay for a queue, and
reaches a sixth of the throughput. The gradient limit does not, but grows so slowly on a distant registry that it reaches
two thirds.
"""

from typing import Protocol

_LEAST = 8
_DOUBLE, _CAREFUL = 2.0, 1.3  # the steps: the first ones, and later
# The shortest measurement of a rate after a step by _DOUBLE and by _CAREFUL: rounds of answers, seconds.
_LONG, _SHORT = (1.0, 0.05), (2.0, 0.1)
# The factors by which a larger number has to raise the rate after a step by _DOUBLE and by _CAREFUL, and the factor to
# which a smaller number may lower it.
_CLEARLY, _WORTH, _AS_GOOD = 1.3, 1.06, 0.98
_CHANGED = 1.6  # a rate that differs by this factor means that the registry itself has changed
_CALM, _MOST_CALM = 1.0, 30.0  # seconds between two trials that changed nothing


class Steering(Protocol):
    """Chooses the number of requests in flight by the rate of answers, as long as the registry refuses none."""

    def is_enough(self, rounds: float, seconds: float) -> bool:
        """Tell whether a measurement is long enough. `rounds`: answers divided by the requests in flight."""
        ...

    def restart(self, now: float) -> None:
        """Search again from the present number, because the registry has changed."""
        ...

    def choose(self, number: int, rate: float, now: float) -> int:
        """Return the next number to use; `rate`: the answers a second that `number` brought."""
        ...


class HillClimb:
    """Tries larger and smaller numbers in turn, and keeps those that pay off."""

    __slots__ = ("_before", "_cap", "_patience", "_rate", "_step", "_try_at", "_up")

    def __init__(self, cap: int) -> None:
        """`cap`: the largest number to try."""
        self._cap = cap
        self._before: tuple[int, float] | None = None  # what a trial is compared with: the number, and its rate
        self._rate: float | None = None
        self._step, self._up = _DOUBLE, True
        self._try_at, self._patience = 0.0, _CALM

    def is_enough(self, rounds: float, seconds: float) -> bool:
        """Tell whether a measurement is long enough; after a large step it may be shorter."""
        enough, epoch = _LONG if self._step == _DOUBLE else _SHORT
        return rounds >= enough and seconds >= epoch

    def restart(self, now: float) -> None:
        """Search again from the present number, because the registry has changed."""
        self._before, self._rate = None, None
        self._step, self._up, self._try_at, self._patience = _DOUBLE, True, now, _CALM

    def choose(self, number: int, rate: float, now: float) -> int:
        """Return the next number to use; `rate`: the answers a second that `number` brought."""
        if self._before is None:
            if self._rate is not None and not 1 / _CHANGED < rate / self._rate < _CHANGED:
                self.restart(now)
            self._rate = rate
            return self._begin_trial(number, rate) if now >= self._try_at else number
        before, was = self._before
        self._before = None
        if rate >= was * self._required_factor(number > before):
            self._rate, self._patience = rate, _CALM
            return self._begin_trial(number, rate)
        self._rate = was
        self._step, self._up = _CAREFUL, not self._up
        self._try_at, self._patience = now + self._patience, min(_MOST_CALM, self._patience * 2)
        return before

    def _required_factor(self, more: bool) -> float:  # noqa: FBT001 (a comparison)
        """Return the factor that the rate must reach to keep a number; `more`: the number is larger than before."""
        if not more:
            return _AS_GOOD
        return _CLEARLY if self._step == _DOUBLE else _WORTH

    def _begin_trial(self, number: int, rate: float) -> int:
        if self._up:
            other = min(self._cap, max(number + 1, int(number * self._step)))
        else:
            other = max(min(number, _LEAST), int(number / self._step))
        if other == number:
            self._step, self._up = _CAREFUL, not self._up
        else:
            self._before = number, rate
        return other
