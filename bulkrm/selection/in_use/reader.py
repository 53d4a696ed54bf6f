"""What a file of `readers/` declares: how one format of `--in-use` is recognised and read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bulkrm.model.extensions.discovery import discover

Document = Any  # one parsed JSON or YAML document


@dataclass(frozen=True, slots=True)
class InUseReader:
    """One format. `fits` tells whether a document has it; `images` yields the texts of the references in it."""

    name: str
    fits: Callable[[Document], bool]
    images: Callable[[Document], Iterator[str]]


@cache
def readers() -> Sequence[InUseReader]:
    """All readers, in the order of their files' names, loaded on first use."""
    return discover(f"{__package__}.readers", "READER", InUseReader)


def texts(*values: Any) -> Iterator[str]:
    """Yield those values that are text and not blank."""
    yield from (value for value in values if isinstance(value, str) and value.strip())


def items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings among the entries of a list; [] for anything but a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping under a path of keys; {} where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
