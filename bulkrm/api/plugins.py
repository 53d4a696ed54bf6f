"""The plugins that other distributions add: report formats, families, selectors, credential sources, backends."""

from bulkrm.families.family import FAMILIES
from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.remote.backends.backend import BACKENDS
from bulkrm.remote.credentials.source import SOURCES
from bulkrm.reports.format import FORMATS
from bulkrm.selection.found_selectors import SELECTORS

_POINTS = (FORMATS, FAMILIES, SELECTORS, SOURCES, BACKENDS)


def loaded_plugins() -> tuple[Plugin, ...]:
    """Load all plugins, so that none fails in the middle of a run. Raises InputError with the problems of all of them."""
    found: list[Plugin] = []
    problems: list[Problem] = []
    for point in _POINTS:
        try:
            found += (extension.plugin for extension in point.extensions() if extension.plugin is not None)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return tuple(sorted(found))
