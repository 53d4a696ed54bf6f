"""`older-than`: what is younger stays. Something exactly as old stays too."""

from datetime import datetime

from bulkrm.model.details import Details
from bulkrm.model.result.outcome import KeptReason
from bulkrm.selection.selector import ConditionStage, Key, Narrow, Selector, Stays, Values
from bulkrm.selection.values.ages import Age, parse_age
from bulkrm.selection.values.dating import FACTS, By, Undated, moment

_SCHEMA = {
    "title": "Older than",
    "description": "An age, 36h, 30d or 12w, or a date, 2026-01-31 or 2026-01-31T12:00:00Z (a date is 00:00 UTC). What "
    "is younger stays.",
    "type": "string",
    "examples": ["30d", "2026-01-31"],
}


def _make(values: Values) -> Narrow | None:
    age: Age | None = values.get("older-than")
    if age is None:
        return None
    by, undated = values.get("by", By.CREATED), values.get("undated", Undated.KEEP)

    def remaining_tags(details: Details, now: datetime) -> Stays | None:
        date = moment(details, by, now)
        if date is None:
            return Stays(KeptReason.NO_DATE) if undated is Undated.KEEP else None
        return Stays(KeptReason.TOO_YOUNG, f"{by} {date:%Y-%m-%dT%H:%M:%SZ}") if date >= age.limit(now) else None

    return Narrow(f"older-than: {age.text}", frozenset({FACTS[by]}), remaining_tags)


SELECTOR = Selector(ConditionStage.NARROW, (Key("older-than", _SCHEMA, parse_age),), _make)
