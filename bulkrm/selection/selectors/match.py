"""`match`: a regular expression that chooses tags, instead of a pattern."""

from bulkrm.selection.patterns.expressions import Expression, MatchingTags
from bulkrm.selection.selector import ChooseTags, ConditionStage, Key, Selector, Values

_SCHEMA = {
    "title": "Tags by a regular expression",
    "description": "Chooses tags instead of a pattern; `image` is the repository only. RE2's syntax; it has to match the "
    "whole tag.",
    "type": "string",
    "minLength": 1,
    "examples": [r"pr-\d+-.*"],
}


def _make(values: Values) -> ChooseTags | None:
    expression = values.get("match")
    return ChooseTags(MatchingTags(expression)) if expression is not None else None


SELECTOR = Selector(ConditionStage.CHOOSE_TAG, (Key("match", _SCHEMA, Expression),), _make, ("match",))
