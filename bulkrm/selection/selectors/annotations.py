"""`annotations`: only manifests and indexes that have these annotations themselves."""

from bulkrm.selection.patterns.texts import TextPattern, all_fit, written
from bulkrm.selection.selector import ConditionStage, Fact, Key, KeyShape, OnlyImages, Selector, Values

_SCHEMA = {
    "title": "Annotations",
    "description": "Annotations of the manifest or index itself, with patterns of their values: all of them must match. "
    "* crosses /.",
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
    "examples": [{"team": "*"}],
}


def _make(values: Values) -> OnlyImages | None:
    patterns = values.get("annotations")
    if patterns is None:
        return None
    needs = frozenset({Fact.ANNOTATIONS})
    return OnlyImages(written("annotations", patterns), needs, lambda details: all_fit(patterns, details.annotations))


SELECTOR = Selector(ConditionStage.CHOOSE_DIGEST, (Key("annotations", _SCHEMA, TextPattern, KeyShape.PAIRS),), _make)
