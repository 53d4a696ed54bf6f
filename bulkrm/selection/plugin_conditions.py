"""The conditions of plugins: which of them a plugin may make, and the checks of what their functions return.

A function that raises an error, or returns something of a wrong type, raises PluginError; whatever depends on the result is
then kept (`evaluation`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.extensions.field_types import wrong_field
from bulkrm.model.extensions.plugin_call import PluginError, call_plugin
from bulkrm.model.result.outcome import PRECEDENCE
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.selector import (
    OF_THE_PROTOCOL,
    ChooseImages,
    ChosenImage,
    Condition,
    ExcludeTags,
    KeepVerdict,
    Narrow,
    Rank,
    TagFilter,
)

# The conditions that a plugin may make: not ChooseTags, which replaces the tags of the list, nor RequiresFact.
_KEEPING = frozenset({ExcludeTags, ChooseImages, Narrow, Rank})


def checked_condition(condition: Any, plugin: Plugin) -> Condition:
    """Return a plugin's condition with functions that raise PluginError for everything that goes wrong in them.

    Raises InputError if a plugin may not make this condition, or a field of it has a wrong type.
    """
    # Exactly these types: a subclass could also be one of the other conditions.
    if type(condition) not in _KEEPING:
        raise _refused(plugin, f"it made {type(condition).__name__}, and a plugin can only exclude or keep images")
    if isinstance(condition, ExcludeTags):
        return ExcludeTags(_excluded(plugin, condition.excluded))
    wrong = wrong_field(condition)
    if wrong is not None:
        raise _refused(plugin, f"it made a condition that cannot be used: {wrong}")
    if isinstance(condition, ChooseImages) and condition.needs - OF_THE_PROTOCOL:
        raise _refused(
            plugin, "it chooses images by a fact that only a registry's own listing has, and that keeps images only"
        )
    return _with_checked_functions(condition, plugin)


def _with_checked_functions(condition: Condition, plugin: Plugin) -> Condition:
    match condition:
        case ChooseImages(chooses=chooses):
            return replace(condition, chooses=lambda details: _yes_or_no(plugin, lambda: chooses(details)))
        case Narrow(verdict=verdict):

            def narrow(details: Any, now: datetime) -> KeepVerdict | None:
                found: KeepVerdict | None = call_plugin(
                    plugin, "a verdict of a condition, or None,", _is_verdict, lambda: verdict(details, now)
                )
                return found

            return replace(condition, verdict=narrow)
        case Rank():
            ranking = _CheckedRank(plugin, condition)
            return replace(condition, group=ranking.group, kept=ranking.kept)
        case _:
            return condition


@valueclass
class _CheckedRank:
    """The functions of a plugin's `Rank`."""

    plugin: Plugin
    rank: Rank

    def group(self, tag: str) -> tuple[str, ...] | None:
        """Return the group of a tag. Raises PluginError."""
        call = self.rank.group
        found: tuple[str, ...] | None = call_plugin(
            self.plugin, "a group of tags, a tuple of texts or None,", _is_group, lambda: call(tag)
        )
        return found

    def kept(self, images: Sequence[ChosenImage], now: datetime) -> Mapping[Digest, KeepVerdict]:
        """Return the images of a group that are kept. Raises PluginError."""
        call = self.rank.kept
        found = call_plugin(self.plugin, "a mapping of digests to verdicts", _are_verdicts, lambda: call(images, now))
        return {digest: verdict for digest, verdict in found.items() if verdict is not None}


@valueclass
class _CheckedTagFilter:
    """The `excluded` of a plugin's `ExcludeTags`."""

    plugin: Plugin
    text: str
    filter: TagFilter

    def matches(self, tag: str) -> bool:
        """Tell whether the tag is excluded. Raises PluginError."""
        return _yes_or_no(self.plugin, lambda: self.filter.matches(tag))


def _excluded(plugin: Plugin, excluded: TagFilter) -> TagFilter:
    try:
        text = call_plugin(plugin, "a text", lambda text: isinstance(text, str), lambda: excluded.text)
    except PluginError as error:
        raise InputError(error.problem) from error
    return _CheckedTagFilter(plugin, text, excluded)


def _yes_or_no(plugin: Plugin, call: Any) -> bool:
    return bool(call_plugin(plugin, "True or False", lambda found: isinstance(found, bool), call))


def _is_verdict(found: Any) -> bool:
    if found is None:
        return True
    return isinstance(found, KeepVerdict) and found.reason in PRECEDENCE and isinstance(found.why, str | None)


def _are_verdicts(found: Any) -> bool:
    return isinstance(found, Mapping) and all(map(_is_verdict, found.values()))


def _is_group(found: Any) -> bool:
    return found is None or (isinstance(found, tuple) and all(isinstance(part, str) for part in found))


def _refused(plugin: Plugin, what: str) -> InputError:
    return InputError(Problem("", f"plugin {plugin}: {what}", "leave the key out, or repair the plugin"))
