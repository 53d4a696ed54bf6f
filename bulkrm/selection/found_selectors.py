"""All selectors, those of `selectors/` and those of plugins, and the limits of the latter.

A plugin's selector excludes images that an entry names, or keeps them. It cannot choose tags instead of the list, declare
a key of the whole list, use the name of another key, or change the values that another selector gets.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from bulkrm.model.extensions.discovery import Extension, ExtensionPoint
from bulkrm.model.extensions.plugin_call import refusing
from bulkrm.selection.plugin_conditions import checked_condition
from bulkrm.selection.selector import Condition, ConditionStage, Key, KeyLevel, KeyShape, Selector, Values

_KEY_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)


def _why_unusable(selector: Selector) -> str | None:
    """Return why a plugin's selector cannot be used; None: it can."""
    for key in selector.keys:
        if _KEY_NAME.fullmatch(key.name) is None:
            return f"{key.name!r} is not a key of a list: lower-case letters, digits and '-'"
        if key.level is not KeyLevel.ENTRY:
            return f"{key.name} is a key of the whole list, and a plugin may only declare keys of entries"
        try:
            json.dumps(dict(key.schema))
        except (TypeError, ValueError) as error:
            return f"the schema of {key.name} is no JSON: {error}"
    return None if selector.keys else "it has no key, so no list could use it"


SELECTORS = ExtensionPoint(
    "bulkrm.selection.selectors",
    "SELECTOR",
    Selector,
    "bulkrm.selectors",
    lambda selector: tuple(key.name for key in selector.keys),
    # The other keys of list files, of plans and of recorded runs.
    frozenset({"image", "images", "tags", "exclude", "note", "source", "registry", "protect", "format", "conditions"}),
    _why_unusable,
)


@cache
def _sorted() -> tuple[Extension[Selector], ...]:
    found = [_guarded(extension) for extension in SELECTORS.extensions()]
    return tuple(sorted(found, key=lambda extension: list(ConditionStage).index(extension.value.step)))


def selectors() -> tuple[Selector, ...]:
    """Return all selectors, in the order of their stages; loaded on the first call. Raises InputError for a bad plugin."""
    return tuple(extension.value for extension in _sorted())


@cache
def keys(level: KeyLevel) -> Mapping[str, Key]:
    """Return the keys of all selectors that belong to a level, by name."""
    return {key.name: key for selector in selectors() for key in selector.keys if key.level is level}


def conditions(values: Values) -> tuple[Condition, ...]:
    """Return the conditions of one entry, in the order of their stages. Raises InputError."""
    own = MappingProxyType(values)  # read-only: no selector may change the values that the next one gets
    made = (_condition(extension, own) for extension in _sorted())
    return tuple(condition for condition in made if condition is not None)


def _condition(extension: Extension[Selector], values: Values) -> Condition | None:
    """Return a selector's condition, None if the entry has none. Raises InputError if a plugin's cannot be used."""
    condition, plugin = extension.value.make(values), extension.plugin
    return condition if plugin is None or condition is None else checked_condition(condition, plugin)


def _guarded(extension: Extension[Selector]) -> Extension[Selector]:
    """Return an extension that raises InputError for every error of a plugin while it parses the values of its keys."""
    selector, plugin = extension.value, extension.plugin
    if plugin is None:
        return extension
    guarded = tuple(replace(key, parse=refusing(plugin, key.parse)) for key in selector.keys)
    return Extension(replace(selector, keys=guarded, make=refusing(plugin, selector.make)), plugin)


def parse_recorded(key: Key, value: Any) -> Any:
    """Parse the recorded value of a key. Raises InputError, or ValueError if it does not have the key's shape."""
    match key.shape, value:
        case KeyShape.TEXT, str():
            return key.parse(value)
        case KeyShape.TEXTS, list():
            return tuple(key.parse(str(text)) for text in value)
        case KeyShape.PAIRS, dict():
            return tuple((str(name), key.parse(str(text))) for name, text in value.items())
        case _:
            raise ValueError(f"{key.name} does not have the form of a {key.shape.value}")
