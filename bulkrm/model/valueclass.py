"""Values: what most classes of bulkrm are. They are compared by their fields, can be hashed, and never change.

A type checker takes a `@valueclass` for a frozen dataclass, and refuses whatever changes a field. Nothing refuses it at run
time: what dataclasses do for that (`frozen=True` adds methods to each class, and an `__init__` that has to get past them) is
an eighth of the instructions that bulkrm takes to start, and a twelfth of those for each image (valgrind, Python 3.11).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def valueclass(described: type[T], /) -> type[T]: ...
@overload
def valueclass(*, slots: bool = True, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def valueclass(described: type[Any] | None = None, /, *, slots: bool = True, kw_only: bool = False) -> Any:
    """Make a class with annotated fields a dataclass, with slots, whose objects are values.

    `slots=False` is for a class that several others inherit from, beside another one.
    """
    if described is None:
        return partial(valueclass, slots=slots, kw_only=kw_only)
    has_own_hash = "__hash__" in described.__dict__
    return dataclass(slots=slots, kw_only=kw_only, unsafe_hash=not has_own_hash)(described)
