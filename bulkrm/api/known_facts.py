"""The facts about images that the registries of a list provide: a condition that needs another one is refused."""

from collections.abc import Iterable

from bulkrm.model.errors import InputError, Problem
from bulkrm.remote.backends.backend import backend_of
from bulkrm.selection.conditional import ConditionalEntry, unsupported_conditions
from bulkrm.selection.selector import Fact


def unmet_conditions(entries: Iterable[object]) -> list[Problem]:
    """Return a problem for each entry of a list with a condition that its registry cannot meet. Raises InputError.

    It depends on the backends that are installed, and nothing is sent.
    """
    return list(unsupported_conditions((entry for entry in entries if isinstance(entry, ConditionalEntry)), _facts_of))


def refuse_unmet_conditions(entries: Iterable[object]) -> None:
    """Raise InputError where a condition cannot be met."""
    problems = unmet_conditions(entries)
    if problems:
        raise InputError(*problems)


def _facts_of(host: str) -> frozenset[Fact]:
    return backend_of(host).value.facts
