"""The seam of files of what is in use: a file of `readers/` for each shape, with a constant `READER`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bulkrm.model.discovery import discover

Document = Any  # what JSON or YAML made of one document


@dataclass(frozen=True, slots=True)
class InUseReader:
    """One shape. `fits` tells whether a document has it; `images` yields the texts of the references in it."""

    name: str
    fits: Callable[[Document], bool]
    images: Callable[[Document], Iterator[str]]


@cache
def shapes() -> Sequence[InUseReader]:
    """All shapes, in the order of the names of their files, loaded on first use."""
    return discover(f"{__package__}.readers", "READER", InUseReader)


def texts(*values: Any) -> Iterator[str]:
    """Yield those of the values that are text and not empty."""
    yield from (value for value in values if isinstance(value, str) and value.strip())


def items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list; nothing where there is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """Go down by keys; an empty mapping where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
