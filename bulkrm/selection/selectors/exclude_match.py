"""`exclude-match`: a regular expression of tags that the entry does not choose."""

from bulkrm.selection.patterns.expressions import ExcludedTags, Expression
from bulkrm.selection.selector import ConditionStage, ExcludeTags, Key, Selector, Values

_SCHEMA = {
    "title": "Tags to leave out, by a regular expression",
    "description": "Tags that the entry does not choose. RE2's syntax; it has to match the whole tag.",
    "type": "string",
    "minLength": 1,
    "examples": [r".*-rc\d+"],
}


def _make(values: Values) -> ExcludeTags | None:
    expression = values.get("exclude-match")
    return ExcludeTags(ExcludedTags(expression)) if expression is not None else None


SELECTOR = Selector(ConditionStage.CHOOSE_TAG, (Key("exclude-match", _SCHEMA, Expression),), _make)
