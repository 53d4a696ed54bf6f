"""`annotations`: chooses only manifests and indexes that have these annotations themselves."""

from bulkrm.selection.patterns.text_patterns import TextPattern, all_match, as_text
from bulkrm.selection.selector import ChooseImages, ConditionStage, Fact, Key, KeyShape, Selector, Values

_SCHEMA = {
    "title": "Annotations",
    "description": "Annotations of the manifest or index itself, with patterns of their values: all of them must match. "
    "* crosses /.",
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
    "examples": [{"team": "*"}],
}


def _make(values: Values) -> ChooseImages | None:
    patterns = values.get("annotations")
    if patterns is None:
        return None
    needs = frozenset({Fact.ANNOTATIONS})
    return ChooseImages(
        as_text("annotations", patterns), needs, lambda details: all_match(patterns, details.annotations)
    )


SELECTOR = Selector(ConditionStage.CHOOSE_DIGEST, (Key("annotations", _SCHEMA, TextPattern, KeyShape.PAIRS),), _make)
