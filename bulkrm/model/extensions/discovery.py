"""Finds extensions: modules of bulkrm with a certain constant, and objects of other distributions, named by entry points.

No other list of extensions exists. Those of bulkrm are found in a package; those of other distributions in a group of
entry points (packaging.python.org, "Entry points specification"). Finding and loading them is like `import`: it concerns
the program and not the input of a run, so pure packages may do it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.extensions.field_types import wrong_field
from bulkrm.model.valueclass import valueclass

T = TypeVar("T")


def discover(package: str, constant: str, kind: type[T]) -> tuple[T, ...]:
    """Load a package's modules and return their constants of that name, in the order of the modules' names.

    Modules without the constant are skipped. Raises TypeError where the constant is not of type `kind`.
    """
    found = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        value = getattr(importlib.import_module(module.name), constant, None)
        if value is None:
            continue
        if not isinstance(value, kind):
            raise TypeError(f"{module.name}.{constant} is not of type {kind.__name__}")
        found.append(value)
    return tuple(found)


@dataclass(frozen=True, slots=True, order=True)
class Plugin:
    """The entry point of another distribution that names an extension."""

    distribution: str
    version: str
    group: str
    name: str

    def __str__(self) -> str:
        """`DISTRIBUTION VERSION, entry point NAME of GROUP`."""
        return f"{self.distribution} {self.version}, entry point {self.name} of {self.group}"


@valueclass
class Extension(Generic[T]):
    """One extension. `plugin` None: it belongs to bulkrm."""

    value: T
    plugin: Plugin | None = None


def _nothing_wrong(_: Any) -> None:
    return None


@valueclass
class ExtensionPoint(Generic[T]):
    """Where the extensions of one kind are: the modules of `package` with the constant, the entry points of `group`.

    `names`: returns the names of an extension; no two extensions share a name, and none has a `reserved` one. `wrong`:
    returns why a plugin's object cannot be used, or None.
    """

    package: str
    constant: str
    kind: type[T]
    group: str
    names: Callable[[T], Collection[str]]
    reserved: frozenset[str] = frozenset()
    wrong: Callable[[T], str | None] = _nothing_wrong

    def extensions(self) -> tuple[Extension[T], ...]:
        """Return all extensions, those of bulkrm first; they are loaded on the first call.

        Raises InputError with one problem for each plugin that cannot be used.
        """
        return _loaded(self)

    def values(self) -> tuple[T, ...]:
        """Return the objects of all extensions. Raises as `extensions` does."""
        return tuple(extension.value for extension in self.extensions())


@cache
def _loaded(point: ExtensionPoint[T]) -> tuple[Extension[T], ...]:
    found = [Extension(value) for value in discover(point.package, point.constant, point.kind)]
    owners = dict.fromkeys((name.casefold() for name in point.reserved), "bulkrm itself")
    owners |= {name.casefold(): "bulkrm itself" for extension in found for name in point.names(extension.value)}
    problems: list[Problem] = []
    for plugin, entry in _entries(point.group):
        try:
            value = _load(point, plugin, entry)
            _claim(_checked_names(point, plugin, value), plugin, owners)
        except InputError as error:
            problems += error.problems
        else:
            found.append(Extension(value, plugin))
    if problems:
        raise InputError(*problems)
    return tuple(found)


def _entries(group: str) -> Iterator[tuple[Plugin, Any]]:
    """Yield the entry points of a group, sorted: the order in which they are installed must not matter."""
    found = [
        (Plugin(_metadata(entry.dist, "Name"), _metadata(entry.dist, "Version"), group, entry.name), entry)
        for entry in _installed().select(group=group)
    ]
    yield from sorted(found, key=lambda pair: pair[0])


@cache
def _installed() -> Any:
    """Return the entry points of all installed distributions; to ask for one group reads a file of each of them too."""
    from importlib import metadata  # noqa: PLC0415 (loaded on use: a tenth of the time that bulkrm takes to start)

    return metadata.entry_points()


def _metadata(distribution: Any, field: str) -> str:
    """Return a field of a distribution's metadata; `?` where the metadata is damaged or lacks the field."""
    try:
        return str(distribution.metadata[field] or "?")
    except (AttributeError, KeyError, TypeError, ValueError, OSError):
        return "?"


def _load(point: ExtensionPoint[T], plugin: Plugin, entry: Any) -> T:
    """Load the object that an entry point names. Raises InputError if that fails, or the object cannot be used."""
    try:
        value = entry.load()
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise _unusable(plugin, f"it cannot be loaded ({why})") from error
    if not isinstance(value, point.kind):
        remedy = f"it has to be written as {entry.name} = package.module:{point.constant}"
        raise _unusable(plugin, f"{entry.value} is not of type {point.kind.__name__}; {remedy}")
    return value


def _checked_names(point: ExtensionPoint[T], plugin: Plugin, value: T) -> Collection[str]:
    """Return the names of a plugin's object. Raises InputError if it cannot be used."""
    try:
        why_not = wrong_field(value) or point.wrong(value)
        if why_not is None:
            return point.names(value)
    except (Exception, SystemExit) as error:  # a subclass may compute its fields
        why_not = f"it cannot be checked ({type(error).__name__}: {error})".partition("\n")[0][:200]
        raise _unusable(plugin, why_not) from error
    raise _unusable(plugin, why_not)


def _claim(names: Collection[str], plugin: Plugin, owners: dict[str, str]) -> None:
    """Add a plugin's names to `owners`. Raises InputError where a name is taken: no extension replaces another."""
    for name in names:
        owner = owners.get(name.casefold())
        if owner is not None:
            raise _unusable(plugin, f"{name!r} is a name of {owner}, which a plugin cannot replace")
    owners.update(dict.fromkeys((name.casefold() for name in names), str(plugin)))


def _unusable(plugin: Plugin, what: str) -> InputError:
    remedy = f"repair the plugin, or uninstall it: pip uninstall {plugin.distribution}"
    return InputError(Problem(f"plugin {plugin}", what, remedy))
