"""`platform`: chooses only single images of this platform, never an index."""

import re

from bulkrm.model.manifests.details import Details
from bulkrm.selection.patterns.syntax import refuse
from bulkrm.selection.selector import ChooseImages, ConditionStage, Fact, Key, Selector, Values

_SCHEMA = {
    "title": "Platform",
    "description": "os/architecture or os/architecture/variant of single images, as image-spec has them. It never chooses "
    "an index.",
    "type": "string",
    "examples": ["linux/amd64", "linux/arm/v7"],
}
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")


def _parse(text: str) -> str:
    if _PLATFORM.fullmatch(text) is None:
        refuse(text, "is not a platform", "write os/architecture in lower case, such as linux/amd64 or linux/arm/v7")
    return text


def _make(values: Values) -> ChooseImages | None:
    platform = values.get("platform")
    if platform is None:
        return None

    def chooses(details: Details) -> bool:
        found = details.configs[0] if len(details.configs) == 1 and not details.is_index else None
        if found is None or found.platform is None:
            return False
        # A platform without a variant stands for all variants of the architecture.
        return found.platform == platform or found.platform.startswith(f"{platform}/")

    return ChooseImages(f"platform: {platform}", frozenset({Fact.PLATFORM}), chooses)


SELECTOR = Selector(ConditionStage.CHOOSE_DIGEST, (Key("platform", _SCHEMA, _parse),), _make)
