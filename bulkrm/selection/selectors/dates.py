"""`by` and `undated`: which date of an image counts, and whether an image without one is kept."""

from bulkrm.model.errors import InputError, Problem
from bulkrm.selection.selector import ConditionStage, Key, Selector, Values
from bulkrm.selection.values.choice import choice
from bulkrm.selection.values.dating import DateKind, Undated

_BY = {
    "title": "Which date counts",
    "description": "For older-than and keep-newest: when the image was built, or when it was pushed, which only some "
    "registries know.",
    "enum": [str(by) for by in DateKind],
    "default": str(DateKind.CREATED),
}
_UNDATED = {
    "title": "Images without a date",
    "description": "They are kept, or count as the oldest. An image has no date if it names none, one before 1981 (as "
    "reproducible builds do), or one that is more than a day ahead.",
    "enum": [str(undated) for undated in Undated],
    "default": str(Undated.KEEP),
}


def _make(values: Values) -> None:
    """Refuse `by` and `undated` in an entry without a condition that uses dates. Raises InputError."""
    dated = "older-than" in values or ("keep-newest" in values and values.get("sort", "date") == "date")
    for key in ("by", "undated"):
        if key in values and not dated:
            raise InputError(
                Problem(
                    "", f"{key} has no effect without older-than or keep-newest", f"add one of them, or remove {key}"
                )
            )


SELECTOR = Selector(
    ConditionStage.NARROW,
    (Key("by", _BY, choice("by", DateKind)), Key("undated", _UNDATED, choice("undated", Undated))),
    _make,
)
