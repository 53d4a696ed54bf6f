"""`ReportFormat`, which each file of this package declares: two functions that return text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from bulkrm.model.extensions.discovery import Extension, ExtensionPoint
from bulkrm.model.extensions.plugin_call import call_plugin
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.valueclass import valueclass

_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)


@valueclass
class View:
    """Where the text is shown, and how.

    `width` is the terminal's in characters; None: a pipe or a file, where nothing is wrapped and every image is listed.
    `colour`: the text may have colours (`bulkrm.model.text.printable.painted`). `every`: every image is listed on a terminal
    too. `place`: the option that a command needs to find the record of the run, " --state-dir DIR"; "" where it needs none.
    """

    width: int | None = None
    colour: bool = False
    every: bool = False
    place: str = ""


@valueclass
class ReportFormat:
    """One format. `line` is called for every outcome as it happens, `whole` once at the end; either may return ''.

    `name` is used in `-o NAME` and `--report NAME=FILE`; `help` describes the format there.
    """

    name: str
    help: str
    line: Callable[[ImageResult], str]
    whole: Callable[[Report, View], str]


def no_line(_: ImageResult) -> str:
    """Return no text for a single outcome."""
    return ""


def _why_unusable(entry: ReportFormat) -> str | None:
    is_word = _NAME.fullmatch(entry.name) is not None
    return (
        None if is_word else f"{entry.name!r} is not a name for --report NAME=FILE: lower-case letters, digits and '-'"
    )


FORMATS = ExtensionPoint(
    "bulkrm.reports", "FORMAT", ReportFormat, "bulkrm.formats", lambda entry: (entry.name,), wrong=_why_unusable
)


@cache
def formats() -> Mapping[str, ReportFormat]:
    """Return all formats by name, loaded on the first call. Raises InputError for an unusable plugin.

    The functions of a plugin's format raise PluginError for everything that goes wrong in them.
    """
    return {found.value.name: _guarded(found) for found in FORMATS.extensions()}


def _guarded(found: Extension[ReportFormat]) -> ReportFormat:
    entry, plugin = found.value, found.plugin
    if plugin is None:
        return entry
    line, whole = entry.line, entry.whole

    def text(call: Callable[[], Any]) -> str:
        return str(call_plugin(plugin, "a text", lambda result: isinstance(result, str), call))

    return replace(
        entry,
        line=lambda result: text(lambda: line(result)),
        whole=lambda report, view: text(lambda: whole(report, view)),
    )
