"""`min-keep`: this many tagged images of each repository are kept, whatever the list names."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bulkrm.model.digest import Digest
from bulkrm.selection.selector import ConditionStage, Key, KeyLevel, Selector
from bulkrm.selection.values.counting import positive_number

_SCHEMA = {
    "title": "Keep at least",
    "description": "At least this many tagged images of each repository are kept. With several files the largest number holds.",
    "type": "integer",
    "minimum": 1,
}
_NEVER = datetime.max.replace(tzinfo=UTC)


def newest_to_keep(missing: int, deletions: Mapping[Digest, datetime | None]) -> frozenset[Digest]:
    """Return `missing` of the manifests that would be deleted, which are kept instead: undated ones first, then the newest.

    Manifests that tie with the last of them are returned too.
    """
    if missing <= 0:
        return frozenset()
    dates = {digest: date or _NEVER for digest, date in deletions.items()}
    ranked = sorted(dates.values(), reverse=True)
    last = ranked[min(missing, len(ranked)) - 1] if ranked else _NEVER
    return frozenset(digest for digest, date in dates.items() if date >= last)


SELECTOR = Selector(ConditionStage.KEEP, (Key("min-keep", _SCHEMA, positive_number("min-keep"), level=KeyLevel.FILE),))
