"""What else could steer `--concurrency auto`: the delay, in the two ways that are in use, beside the climb on throughput.

Each gets the number in flight and the answers a second, from which the mean delay follows (Little's law).
"""

import math
from collections.abc import Callable, Mapping

from bulkrm.protocol.pacing.hill_climb import HillClimb, Steering

_LEAST = 8


class Vegas:
    """TCP Vegas (Brakmo and Peterson 1995), with the thresholds of Netflix's concurrency-limits, `VegasLimit`."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._least = math.inf
        self._slow_start = True

    def is_enough(self, rounds: float, seconds: float) -> bool:
        return rounds >= 1 and seconds >= 0.05

    def restart(self, now: float) -> None:  # noqa: ARG002 (the shape of a steering)
        self._least, self._slow_start = math.inf, True

    def choose(self, number: int, rate: float, now: float) -> int:  # noqa: ARG002 (as above)
        delay = number / rate
        self._least = min(self._least, delay)
        waiting = number * (1 - self._least / delay)
        scale = math.log10(max(number, 10))
        if self._slow_start and waiting <= scale:
            return min(self._cap, number * 2)
        self._slow_start = False
        if waiting <= scale:
            number += round(6 * scale)
        elif waiting < 3 * scale:
            number += round(scale)
        elif waiting > 6 * scale:
            number -= round(scale)
        return max(_LEAST, min(self._cap, number))


class Gradient:
    """The ratio of the usual delay to the present one: Netflix's concurrency-limits, `Gradient2Limit`."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._usual: float | None = None

    def is_enough(self, rounds: float, seconds: float) -> bool:
        return rounds >= 1 and seconds >= 0.05

    def restart(self, now: float) -> None:  # noqa: ARG002 (the shape of a steering)
        self._usual = None

    def choose(self, number: int, rate: float, now: float) -> int:  # noqa: ARG002 (as above)
        delay = number / rate
        usual = delay if self._usual is None else self._usual * 0.95 + delay * 0.05
        self._usual = usual * 0.95 if usual > 2 * delay else usual
        gradient = max(0.5, min(1.0, 1.5 * self._usual / delay))
        wanted = number * gradient + math.sqrt(number)
        return max(_LEAST, min(self._cap, round(number * 0.8 + wanted * 0.2)))


STEERINGS: Mapping[str, Callable[[int], Steering]] = {"climb": HillClimb, "vegas": Vegas, "gradient": Gradient}
