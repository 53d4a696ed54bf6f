"""`labels`: chooses only images whose configuration has these labels; of an index, all its images must have them."""

from bulkrm.model.manifests.details import Details
from bulkrm.selection.patterns.text_patterns import TextPattern, all_match, as_text
from bulkrm.selection.selector import ChooseImages, ConditionStage, Fact, Key, KeyShape, Selector, Values

_SCHEMA = {
    "title": "Labels",
    "description": "Labels of the image, with patterns of their values: all of them must match; for an index, on each of "
    "its images. * crosses /.",
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
    "examples": [{"stage": "dev*"}],
}


def _make(values: Values) -> ChooseImages | None:
    patterns = values.get("labels")
    if patterns is None:
        return None

    def chooses(details: Details) -> bool:
        configs = details.configs
        return bool(configs) and all(config is not None and all_match(patterns, config.labels) for config in configs)

    return ChooseImages(as_text("labels", patterns), frozenset({Fact.LABELS}), chooses)


SELECTOR = Selector(ConditionStage.CHOOSE_DIGEST, (Key("labels", _SCHEMA, TextPattern, KeyShape.PAIRS),), _make)
