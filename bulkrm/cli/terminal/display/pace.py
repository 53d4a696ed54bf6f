"""Durations and rates in words, and the pauses that are going on."""

from bulkrm.model.events import Paused

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Return a duration in words: `45 s`, `7 min`, `2 h 5 min`."""
    if seconds < 90:  # noqa: PLR2004 (a minute would be too coarse)
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min"
    hours, rest = divmod(minutes, _MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def speed(number: float) -> str:
    """Return a rate per second in words: `41/s`, `0.3/s`."""
    return f"{number:,.0f}/s" if number >= 10 else f"{number:.1f}/s"  # noqa: PLR2004 (two digits are enough)


class PausedHosts:
    """The hosts that get no requests now, and for how long. `now`: a monotonic time, in seconds."""

    def __init__(self) -> None:
        """`add` brings hosts in; each leaves when its pause is over."""
        self._until: dict[str, float] = {}

    def add(self, pause: Paused, now: float) -> None:
        """Add a pause that begins now."""
        self._until[pause.host] = max(now + pause.seconds, self._until.get(pause.host, 0.0))

    def left(self, now: float) -> tuple[str, float] | None:
        """Return the host whose pause ends last, and the seconds left of it; None where no host pauses."""
        self._until = {host: until for host, until in self._until.items() if until > now}
        if not self._until:
            return None
        host = max(self._until, key=self._until.__getitem__)
        return host, self._until[host] - now
