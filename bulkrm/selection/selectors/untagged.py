"""`untagged`: chooses manifests without any tag, on registries that list them."""

from bulkrm.model.errors import InputError, Problem
from bulkrm.selection.patterns.syntax import refuse
from bulkrm.selection.selector import ConditionStage, Fact, Key, RequiresFact, Selector, Values

_SCHEMA = {
    "title": "Untagged manifests",
    "description": "Instead of tags: the manifests of the repository that have none. Only where the registry lists them.",
    "const": True,
}


def _parse(text: str) -> bool:
    if text != "true":
        refuse(text, "is not a value of untagged", "write untagged: true, or leave the key out")
    return True


def _make(values: Values) -> RequiresFact | None:
    if "untagged" not in values:
        return None
    if "older-than" not in values:
        what = "untagged without older-than would delete images that are being pushed"
        raise InputError(Problem("", what, "add older-than: a manifest has no tag until its push is complete"))
    return RequiresFact(frozenset({Fact.UNTAGGED}))


SELECTOR = Selector(ConditionStage.CHOOSE_TAG, (Key("untagged", _SCHEMA, _parse),), _make, ("untagged",))
