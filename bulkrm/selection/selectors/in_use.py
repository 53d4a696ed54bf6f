"""`in-use`: files that name running images, which are kept, with their children and indexes."""

from bulkrm.selection.selector import ConditionStage, Key, KeyLevel, KeyShape, Selector

_SCHEMA = {
    "title": "Files of images in use",
    "description": "Relative to this file: the output of `kubectl get pods -A -o json` and the like, `docker ps --format "
    "json`, `crictl images -o json`, compose files, manifests, or lines with one reference each. Their images are kept.",
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "minItems": 1,
    "examples": [["cluster.json"]],
}


SELECTOR = Selector(ConditionStage.KEEP, (Key("in-use", _SCHEMA, str, KeyShape.TEXTS, KeyLevel.FILE),))
