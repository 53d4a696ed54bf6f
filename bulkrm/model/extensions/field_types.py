"""Checks the fields of a plugin's dataclass against their annotations.

mypy checks the code of bulkrm; nobody may have checked a plugin, and a wrong field would fail in the middle of a run. Only
the outer type is checked: what a callable takes and returns, and what a mapping holds, is not.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints


def wrong_field(value: Any) -> str | None:
    """Return which field has a wrong type, as a message; None: all are right. Nested dataclasses are checked too."""
    hints = get_type_hints(type(value))
    for field in fields(value):
        held = getattr(value, field.name)
        if not _fits(held, hints[field.name]):
            return f"{type(value).__name__}.{field.name} is {type(held).__name__} and not {_named(hints[field.name])}"
        for part in held if isinstance(held, tuple) else (held,):
            inner = wrong_field(part) if is_dataclass(part) and not isinstance(part, type) else None
            if inner is not None:
                return inner
    return None


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        return any(_fits(value, choice) for choice in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(part, get_args(hint)[0]) for part in value)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(_fits(part, get_args(hint)[0]) for part in value)
    if origin is Callable:
        return callable(value)
    if origin is Mapping:
        return isinstance(value, Mapping)
    return hint is Any or not isinstance(hint, type) or isinstance(value, hint)


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
