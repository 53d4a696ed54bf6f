"""Extensions are files: a module of a package that holds a certain constant is one, and nothing else lists it."""

import importlib
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def discover(package: str, constant: str, kind: type[T]) -> tuple[T, ...]:
    """Load a package's modules and return their constants of that name, in the order of the modules' names.

    Raises TypeError where the constant is something else.
    """
    found = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        value = getattr(importlib.import_module(module.name), constant, None)
        if value is None:
            continue
        if not isinstance(value, kind):
            raise TypeError(f"{module.name}.{constant} is no {kind.__name__}")
        found.append(value)
    return tuple(found)
