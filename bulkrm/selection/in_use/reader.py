"""`InUseReader`, which each file of `readers/` declares: how one format of `--in-use` is recognised and read."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from bulkrm.model.extensions.discovery import discover
from bulkrm.model.valueclass import valueclass

Document = Any  # one parsed JSON or YAML document


@valueclass
class InUseReader:
    """One format. `fits` tells whether a document has this format; `images` yields its references, as they are written."""

    name: str
    fits: Callable[[Document], bool]
    images: Callable[[Document], Iterator[str]]


@cache
def readers() -> Sequence[InUseReader]:
    """Return all readers, in the order of their files' names; loaded on the first call."""
    return discover(f"{__package__}.readers", "READER", InUseReader)


def texts(*values: Any) -> Iterator[str]:
    """Yield the values that are strings and not blank."""
    yield from (value for value in values if isinstance(value, str) and value.strip())


def items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings among the entries of a list; [] for anything but a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping under a path of keys; {} where there is no mapping."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
