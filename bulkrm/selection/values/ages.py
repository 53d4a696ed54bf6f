"""Ages and dates of a list: `36h`, `30d`, `12w`, `2026-01-31`, `2026-01-31T12:00:00Z`."""

import re
from datetime import UTC, datetime, timedelta

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.syntax import refuse

_AGE = re.compile(r"(?P<number>[0-9]+)(?P<unit>[A-Za-z]+)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_MAX_HOURS = 100 * 365 * 24
_MAX_DIGITS = 9
_REMEDY = "write an age, such as 36h, 30d or 12w, or a date, such as 2026-01-31 or 2026-01-31T12:00:00Z"
_INSTEAD = {
    "m": "for minutes or months; write hours, days or weeks, such as 1h or 30d",
    "min": "minutes; write hours, days or weeks, such as 1h",
    "mo": "months; write days, such as 30d",
    "y": "years; write days, such as 365d",
    "s": "seconds; write hours, days or weeks, such as 1h",
}


@valueclass
class AgeLimit:
    """A limit of age: a `span` of time before now, or the point in time `before` (UTC). `text` is what the user wrote."""

    text: str
    span: timedelta | None = None
    before: datetime | None = None

    def limit(self, now: datetime) -> datetime:
        """Return the time before which images are older than the limit."""
        return self.before if self.before is not None else now - (self.span or timedelta())


def parse_age(text: str) -> AgeLimit:
    """Parse an age or a date; a date means 00:00 UTC. Raises InputError with one Problem."""
    match = _AGE.fullmatch(text)
    if match is not None:
        return AgeLimit(text, span=_span(text, match["number"], match["unit"]))
    if _DATE.fullmatch(text) or _MOMENT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)
            return AgeLimit(
                text, before=(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
            )
        except (ValueError, OverflowError) as error:
            raise InputError(Problem("", f"{text!r} is not a date: the calendar does not have it", _REMEDY)) from error
    return refuse(text, "is not an age", _REMEDY)


def _span(text: str, number: str, unit: str) -> timedelta:
    if unit not in _HOURS:
        instead = _INSTEAD.get(unit.lower()) or (
            f"not h, d or w; write {number}{unit.lower()}" if unit.lower() in _HOURS else ""
        )
        refuse(text, f"has the unit {unit}" + (f", which is {instead}" if instead else ""), _REMEDY)
    hours = int(number) * _HOURS[unit] if len(number) <= _MAX_DIGITS else _MAX_HOURS + 1
    if hours > _MAX_HOURS:
        refuse(text, "is more than 100 years", "write a shorter age, or a date such as 2026-01-31")
    return timedelta(hours=hours)
