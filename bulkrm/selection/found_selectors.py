"""All selectors, those of `selectors/` and those of plugins, and the limits of the latter.

A plugin's selector excludes images that an entry names, or keeps them. It cannot choose tags instead of the list, declare
a key of the whole list, use the name of another key, or change the values that another selector gets.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.discovery import Extension, ExtensionPoint, Plugin
from bulkrm.model.result.outcome import PRECEDENCE
from bulkrm.selection.selector import (
    ChooseImages,
    ChosenImage,
    Condition,
    ConditionStage,
    ExcludeTags,
    KeepVerdict,
    Key,
    KeyLevel,
    KeyShape,
    Narrow,
    Rank,
    Selector,
    Values,
)

# The conditions that a plugin may make: not ChooseTags, which replaces the tags of the list, nor RequiresFact.
_KEEPING = frozenset({ExcludeTags, ChooseImages, Narrow, Rank})
_PLUGIN_REMEDY = "correct the value, or leave the key out; or repair the plugin"
_KEY_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)


def _why_unusable(selector: Selector) -> str | None:
    """Return why a plugin's selector cannot be used; None: it can."""
    for key in selector.keys:
        if _KEY_NAME.fullmatch(key.name) is None:
            return f"{key.name!r} is not a key of a list: lower-case letters, digits and '-'"
        if key.level is not KeyLevel.ENTRY:
            return f"{key.name} is a key of the whole list, and a plugin may only declare keys of entries"
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
    """Return a selector's condition, None if the entry has none. Raises InputError if a plugin's is not in `_KEEPING`."""
    condition, plugin = extension.value.make(values), extension.plugin
    if plugin is None or condition is None:
        return condition
    # Exactly these types: a subclass could also be one of the other conditions.
    if type(condition) not in _KEEPING:
        what = f"plugin {plugin}: it made {type(condition).__name__}, and a plugin can only exclude or keep images"
        raise InputError(Problem("", what, _PLUGIN_REMEDY))
    return _with_checked_verdicts(condition, plugin)


def _with_checked_verdicts(condition: Condition, plugin: Plugin) -> Condition:
    """Return a plugin's condition that raises TypeError, which stops the run as a bug does, for an impossible verdict."""

    def checked(verdict: Any) -> KeepVerdict | None:
        if verdict is None or (isinstance(verdict, KeepVerdict) and verdict.reason in PRECEDENCE):
            return verdict
        raise TypeError(f"plugin {plugin}: {verdict!r} is not a verdict that a condition can return")

    match condition:
        case Narrow():
            return replace(condition, verdict=lambda details, now: checked(condition.verdict(details, now)))
        case Rank():
            return replace(condition, kept=partial(_checked_group, condition, checked))
        case _:
            return condition


def _checked_group(
    rank: Rank,
    checked: Callable[[Any], KeepVerdict | None],
    images: Sequence[ChosenImage],
    now: datetime,
) -> Mapping[Digest, KeepVerdict]:
    kept = {digest: checked(verdict) for digest, verdict in rank.kept(images, now).items()}
    return {digest: verdict for digest, verdict in kept.items() if verdict is not None}


def _guarded(extension: Extension[Selector]) -> Extension[Selector]:
    """Return an extension that raises InputError for every error of a plugin while it parses the values of its keys."""
    selector, plugin = extension.value, extension.plugin
    if plugin is None:
        return extension
    guarded = tuple(replace(key, parse=_refusing(key.parse, plugin)) for key in selector.keys)
    return Extension(replace(selector, keys=guarded, make=_refusing(selector.make, plugin)), plugin)


def _refusing(call: Callable[[Any], Any], plugin: Plugin) -> Callable[[Any], Any]:
    def refusing(argument: Any) -> Any:
        try:
            return call(argument)
        except InputError:
            raise
        except Exception as error:
            what = f"plugin {plugin}: {type(error).__name__}: {str(error)[:160]}"
            raise InputError(Problem("", what, _PLUGIN_REMEDY)) from error

    return refusing


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
