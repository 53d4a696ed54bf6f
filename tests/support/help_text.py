"""The help as documents show it, without the formats of installed plugins."""

import re

from bulkrm.reports.format import formats

FORMATS = ("json", "jsonl", "text")


def comparable(text: str) -> str:
    """The text as it is; where there are more formats than documents know, without their names and its line breaks."""
    if tuple(formats()) == FORMATS:
        return text
    return re.sub(r"(standard output: )[a-z0-9, -]+\.", r"\1FORMAT.", " ".join(text.split()))
