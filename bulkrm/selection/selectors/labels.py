"""`labels`: only images whose configuration has these labels. Of an index all images must."""

from bulkrm.model.details import Details
from bulkrm.selection.patterns.texts import TextPattern, all_fit, written
from bulkrm.selection.selector import ConditionStage, Fact, Key, KeyShape, OnlyImages, Selector, Values

_SCHEMA = {
    "title": "Labels",
    "description": "Labels of the image, with patterns of their values: all of them must match, and of an index those of "
    "each of its images. * crosses /.",
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
    "examples": [{"stage": "dev*"}],
}


def _make(values: Values) -> OnlyImages | None:
    patterns = values.get("labels")
    if patterns is None:
        return None

    def chooses(details: Details) -> bool:
        configs = details.configs
        return bool(configs) and all(config is not None and all_fit(patterns, config.labels) for config in configs)

    return OnlyImages(written("labels", patterns), frozenset({Fact.LABELS}), chooses)


SELECTOR = Selector(ConditionStage.CHOOSE_DIGEST, (Key("labels", _SCHEMA, TextPattern, KeyShape.PAIRS),), _make)
