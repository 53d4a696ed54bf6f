"""What a plugin's dataclasses hold, compared with what their fields are declared as."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bulkrm.model.extensions.field_types import wrong_field

NO_NAME: Any = 5


@dataclass(frozen=True)
class Inner:
    """A part."""

    name: str


@dataclass(frozen=True)
class Outer:
    """A whole, with a field of each kind that extensions have."""

    call: Callable[[str], int] = len
    table: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Inner, ...] = ()
    words: frozenset[str] | None = None
    anything: Any = None


def test_what_fits() -> None:
    """Every field holds what it is declared as."""
    assert wrong_field(Outer()) is None
    assert wrong_field(Outer(int, {"a": 1}, (Inner("x"),), frozenset({"y"}), object())) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"call": "len"}, "Outer.call is str and not"),
        ({"table": [1]}, "Outer.table is list and not"),
        ({"parts": [Inner("x")]}, "Outer.parts is list and not"),
        ({"parts": ("x",)}, "Outer.parts is tuple and not"),
        ({"parts": (Inner("x"), Inner(NO_NAME))}, "Inner.name is int and not str"),
        ({"words": {"a"}}, "Outer.words is set and not"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    """The field is named, also that of a part."""
    found = wrong_field(Outer(**changes))

    assert found is not None
    assert found.startswith(message)
