"""Ages: of a moment, in words, and of the option `--older-than`."""

import re
from datetime import datetime, timedelta

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.text.layout import counted

_AGE = re.compile(r"(\d{1,6})([dhw])", re.ASCII)
_UNITS = {"h": (1, "hour"), "d": (24, "day"), "w": (168, "week")}
# The least number of seconds for which a unit is used, its length, and its name: 36 hours, and not 1 day.
_STEPS = (
    (2 * 365 * 86400, 365 * 86400, "year"),
    (60 * 86400, 30 * 86400, "month"),
    (2 * 86400, 86400, "day"),
    (2 * 3600, 3600, "hour"),
    (60, 60, "minute"),
)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in words: `35 minutes ago`, `3 days ago`."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "in the future"  # the clock was set back since
    for least, length, unit in _STEPS:
        if seconds >= least:
            return f"{counted(int(seconds // length), unit)} ago"
    return "just now"


def parse_age(text: str) -> tuple[timedelta, str]:
    """Read `--older-than`: return the age, and the age in words, such as `30 days`. Raises InputError."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise InputError(Problem("--older-than", f"{text[:40]!r} is not understood", "write 30d, 12h or 8w"))
    hours, unit = _UNITS[match[2]]
    return timedelta(hours=int(match[1]) * hours), counted(int(match[1]), unit)
