"""The registry of a plugin's backend: a method of the plugin that goes wrong fails with a RequestFailed that names the plugin.

Every method that the plugin's class overrides is wrapped. It has failed if it raises anything but `RequestFailed` and
`Withdrawn`, returns something of a wrong type, or does not return within the time limit. A change that may have been sent by
then is `unconfirmed`: the caller looks up what it did, as after a request without an answer.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from bulkrm.model.digest import Digest
from bulkrm.model.errors import RequestFailed
from bulkrm.model.extensions.discovery import Plugin
from bulkrm.model.extensions.field_types import wrong_field
from bulkrm.model.extensions.plugin_call import PluginError, call_plugin, error_of, wrong_result
from bulkrm.model.manifests.inventory import Inventory, ListedManifest
from bulkrm.model.manifests.manifest import Manifest, Resolved
from bulkrm.model.result.effect import Removal
from bulkrm.model.result.failure import FIND_OUT, Failure, FailureCode, Reach
from bulkrm.model.valueclass import valueclass
from bulkrm.remote.host import Host
from bulkrm.remote.registry import Registry
from bulkrm.remote.sending import Sending, Withdrawn

# Seconds for one call. A long listing that a registry slows down takes minutes; nothing takes an hour.
PATIENCE = 3600.0


@valueclass
class _Result:
    """What a method returns. `parts`: the type of the elements, if it is a tuple."""

    types: tuple[type, ...]
    optional: bool = False
    parts: type | None = None

    def fits(self, found: Any) -> bool:
        """Tell whether a method may return this."""
        if found is None:
            return self.optional
        if not isinstance(found, self.types) or (isinstance(found, Inventory) and not _is_sound(found)):
            return False
        return self.parts is None or (isinstance(found, tuple) and all(isinstance(part, self.parts) for part in found))

    def __str__(self) -> str:
        """Describe it in a message: `Manifest or None`."""
        return " or ".join([*(one.__name__ for one in self.types), *(["None"] if self.optional else [])])


def _is_sound(inventory: Inventory) -> bool:
    """Tell whether the fields of an inventory have their types; a time without a zone could mean several moments."""
    names: Any = inventory.names
    manifests: Any = inventory.manifests  # nobody may have checked the plugin's types
    return all(isinstance(name, str) for name in names) and all(
        isinstance(stored, ListedManifest)
        and wrong_field(stored) is None
        and (stored.pushed is None or stored.pushed.tzinfo is not None)
        for stored in manifests
    )


_MANIFEST = _Result((Manifest,), optional=True)
_NOTHING = _Result((), optional=True)
RESULTS: Mapping[str, _Result] = {
    "manifest": _MANIFEST,
    "anything": _MANIFEST,
    "possibly_damaged": _MANIFEST,
    "head": _Result((Resolved,), optional=True),
    "look": _Result((Resolved, Manifest), optional=True),
    "tags": _Result((tuple,), optional=True, parts=str),
    "inventory": _Result((Inventory,), optional=True),
    "repositories": _Result((tuple,), parts=str),
    "referrers": _Result((tuple,), optional=True, parts=Digest),
    "refuse_blob": _NOTHING,
    "blob": _Result((bytes,), optional=True),
    "delete": _Result((Removal,)),
    "delete_tag": _Result((Removal,)),
    "put": _NOTHING,
    "restore": _NOTHING,
    "deletes_tags": _Result((bool,)),
    "deletes_digests": _NOTHING,
}


def open_plugin(
    plugin: Plugin, open_registry: Callable[[Host], Any], host: Host, patience: float = PATIENCE
) -> Registry:
    """Open the registry of a plugin's backend. Where that fails, the result is a registry whose methods all fail.

    `patience`: the time limit of each call, in seconds.
    """
    try:
        registry: Registry = call_plugin(
            plugin, "a Registry", lambda found: isinstance(found, Registry), lambda: open_registry(host)
        )
    except PluginError as error:
        return _with(Registry(host), {name: _failing(error) for name in RESULTS})
    methods = {name: getattr(registry, name) for name in RESULTS if _is_overridden(registry, name)}
    calls = {name: _Call(plugin, name, method, patience) for name, method in methods.items()}
    return _with(registry, {name: call.run for name, call in calls.items()})


def _is_overridden(registry: Registry, name: str) -> bool:
    return getattr(type(registry), name, None) is not getattr(Registry, name)


def _with(registry: Registry, methods: Mapping[str, Callable[..., Any]]) -> Registry:
    """Put methods in the place of those of the class, so that those which are not overridden call them too."""
    for name, method in methods.items():
        setattr(registry, name, method)
    return registry


def _failing(error: PluginError) -> Callable[..., Any]:
    async def fail(*_: Any, **__: Any) -> Any:
        raise RequestFailed(error.failure(Reach.HOST)) from error

    return fail


@valueclass
class _Call:
    """One method of a plugin's registry."""

    plugin: Plugin
    name: str
    method: Callable[..., Any]
    patience: float

    async def run(self, *arguments: Any, **options: Any) -> Any:
        """Call the method. Raises RequestFailed, and Withdrawn."""
        try:
            with anyio.move_on_after(self.patience) as limit:
                given = self.method(*arguments, **options)
                found = await given if inspect.isawaitable(given) else given
        except (RequestFailed, Withdrawn):
            raise
        except (Exception, SystemExit) as error:
            raise self._failed(error_of(self.plugin, error), arguments) from error
        if limit.cancelled_caught:
            slow = f"its {self.name} did not return in {self.patience:g} s"
            raise self._failed(PluginError(self.plugin, slow), arguments)
        try:
            fits = RESULTS[self.name].fits(found)
        except (Exception, SystemExit) as error:  # a subclass may compute its fields
            raise self._failed(error_of(self.plugin, error), arguments) from error
        if not fits:
            if isinstance(found, Inventory):
                what = "its inventory has a field of a wrong type, or a time without a zone"
                raise self._failed(PluginError(self.plugin, what), arguments)
            raise self._failed(wrong_result(self.plugin, str(RESULTS[self.name]), found), arguments)
        return found

    def _failed(self, error: PluginError, arguments: tuple[Any, ...]) -> RequestFailed:
        sending = next((one for one in arguments if isinstance(one, Sending)), None)
        if sending is None or not sending.may_have_acted:
            return RequestFailed(error.failure())
        what = f"{error}; whether the change took effect is not known"
        return RequestFailed(Failure(FailureCode.UNCONFIRMED, what, hint=f"{FIND_OUT}; {error.remedy}"))
