"""`older-than`: keeps images that are younger, or exactly that old."""

from datetime import datetime

from bulkrm.model.manifests.details import Details
from bulkrm.model.result.outcome import KeptReason
from bulkrm.selection.selector import ConditionStage, KeepVerdict, Key, Narrow, Selector, Values
from bulkrm.selection.values.ages import AgeLimit, parse_age
from bulkrm.selection.values.dating import FACTS, DateKind, Undated, date_of

_SCHEMA = {
    "title": "Older than",
    "description": "An age, 36h, 30d or 12w, or a date, 2026-01-31 or 2026-01-31T12:00:00Z (a date is 00:00 UTC). Younger "
    "images are kept.",
    "type": "string",
    "examples": ["30d", "2026-01-31"],
}


def _make(values: Values) -> Narrow | None:
    age: AgeLimit | None = values.get("older-than")
    if age is None:
        return None
    by, undated = values.get("by", DateKind.CREATED), values.get("undated", Undated.KEEP)

    def verdict(details: Details, now: datetime) -> KeepVerdict | None:
        date = date_of(details, by, now)
        if date is None:
            return KeepVerdict(KeptReason.NO_DATE) if undated is Undated.KEEP else None
        return KeepVerdict(KeptReason.TOO_YOUNG, f"{by} {date:%Y-%m-%dT%H:%M:%SZ}") if date >= age.limit(now) else None

    return Narrow(f"older-than: {age.text}", frozenset({FACTS[by]}), verdict)


SELECTOR = Selector(ConditionStage.NARROW, (Key("older-than", _SCHEMA, parse_age),), _make)
