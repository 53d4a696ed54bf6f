"""How many requests in flight bring the most answers a second: a climb on throughput.

More in flight is kept where it brings more answers, less where it brings as many. Two ways to steer by delay were
measured beside it (python -m tests.bench pace): TCP Vegas (Brakmo and Peterson 1995) and the gradient limit of Netflix's
concurrency-limits. A registry takes from one to a hundred times as long for a DELETE as for a HEAD, or answers from
farther away after a failover: Vegas takes the longer delay for a queue, and goes down to a sixth of the answers. The
gradient does not, and needs so long to come up to a registry which is far that it has two thirds of them.
"""

from typing import Protocol

_LEAST = 8
_DOUBLE, _CAREFUL = 2.0, 1.3  # the steps: the first ones, and later
_LONG, _SHORT = (1.0, 0.05), (2.0, 0.1)  # rounds of answers and seconds that a rate is measured over, by steps
# More in flight has to bring so much: in a long step, whose rate is a rough one, and later. Less may cost so much.
_CLEARLY, _WORTH, _AS_GOOD = 1.3, 1.06, 0.98
_CHANGED = 1.6  # by this factor another rate means that the registry is another one now
_CALM, _MOST_CALM = 1.0, 30.0  # seconds between two trials that changed nothing


class Steering(Protocol):
    """Chooses the number of requests in flight by what comes of it, as long as nothing is refused."""

    def is_enough(self, rounds: float, seconds: float) -> bool:
        """Tell whether a rate that was measured over so many rounds of answers, and seconds, can be relied on."""
        ...

    def begin_anew(self, now: float) -> None:
        """Look for the best number from where it is: the registry has changed."""
        ...

    def next(self, number: int, rate: float, now: float) -> int:
        """Return the number to go on with, after so many answers a second with this one."""
        ...


class HillClimb:
    """Tries more and less in turn, and keeps what is worth it."""

    __slots__ = ("_before", "_cap", "_patience", "_rate", "_step", "_try_at", "_up")

    def __init__(self, cap: int) -> None:
        """Never go above the cap."""
        self._cap = cap
        self._before: tuple[int, float] | None = None  # what a trial is compared with: the number, and its rate
        self._rate: float | None = None
        self._step, self._up = _DOUBLE, True
        self._try_at, self._patience = 0.0, _CALM

    def is_enough(self, rounds: float, seconds: float) -> bool:
        """Tell whether a rate can be relied on: long steps show in a short time."""
        enough, epoch = _LONG if self._step == _DOUBLE else _SHORT
        return rounds >= enough and seconds >= epoch

    def begin_anew(self, now: float) -> None:
        """Look for the best number from where it is: the registry has changed."""
        self._before, self._rate = None, None
        self._step, self._up, self._try_at, self._patience = _DOUBLE, True, now, _CALM

    def next(self, number: int, rate: float, now: float) -> int:
        """Return the number to go on with, after so many answers a second with this one."""
        if self._before is None:
            if self._rate is not None and not 1 / _CHANGED < rate / self._rate < _CHANGED:
                self.begin_anew(now)
            self._rate = rate
            return self._begin_trial(number, rate) if now >= self._try_at else number
        before, was = self._before
        self._before = None
        if rate >= was * self._wanted(number > before):
            self._rate, self._patience = rate, _CALM
            return self._begin_trial(number, rate)
        self._rate = was
        self._step, self._up = _CAREFUL, not self._up
        self._try_at, self._patience = now + self._patience, min(_MOST_CALM, self._patience * 2)
        return before

    def _wanted(self, more: bool) -> float:  # noqa: FBT001 (a comparison)
        """Return by how much the rate has to grow, or may shrink."""
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
