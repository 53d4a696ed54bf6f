"""`Backend`, which each file of this package declares, and how the backend of a host is found.

A backend carries out the engine's requests at one kind of registry. Its class is a subclass of `Registry`, which uses the
registry protocol, and overrides the methods that its registry needs otherwise:

- `inventory(repository)`: all manifests and tags in one listing, if the registry has such a listing;
- `manifest`, `look` and `head`: read one manifest, its digest checked against its bytes, or only its digest;
- `delete(repository, digest, sending)`: delete one manifest with all its tags; `delete_tag(repository, tag, sending)`: one
  tag only;
- `put(repository, reference, manifest, sending)`: push a manifest under a tag; `restore(repository, manifest, sending)`:
  restore a deleted one by its digest;
- `host.traits`: how the engine has to treat the registry (`bulkrm.protocol.traits`).

Each method raises RequestFailed with the final failure, and returns only results that it has verified. Every request that
changes something is sent with the `sending` of the call (`ask(request, sending)`): so it can be withdrawn right before it is
sent, and a stopped run knows that it may have taken effect.
"""

from collections.abc import Callable
from functools import cache

from bulkrm.model.errors import InputError
from bulkrm.model.extensions.discovery import Extension, ExtensionPoint
from bulkrm.model.extensions.plugin_call import PluginError, call_plugin
from bulkrm.model.valueclass import valueclass
from bulkrm.protocol.traits import Traits
from bulkrm.remote.host import Host
from bulkrm.remote.registry import Registry
from bulkrm.selection.selector import Fact


@valueclass
class Backend:
    """One way to access a registry.

    `serves`: tells by the name of a host (a normal form) whether this backend is used for it; None: if no other one is.
    `open`: returns the registry of a host. `traits`: the traits of the host; None: those of its family. `facts`: those that
    its inventory provides and the registry protocol does not: when a manifest was pushed, which ones are untagged.
    """

    name: str
    serves: Callable[[str], bool] | None
    open: Callable[[Host], Registry]
    traits: Traits | None = None
    facts: frozenset[Fact] = frozenset()


BACKENDS = ExtensionPoint(
    "bulkrm.remote.backends", "BACKEND", Backend, "bulkrm.backends", lambda backend: (backend.name,)
)


def backends() -> tuple[Backend, ...]:
    """Return all backends, loaded on the first call. Raises InputError for an unusable plugin."""
    return BACKENDS.values()


@cache
def backend_of(host: str) -> Extension[Backend]:
    """Return the backend of a host: the first that serves it, else the registry protocol.

    Raises InputError where the `serves` of a plugin fails: which backend the host has is not known then.
    """
    ways = sorted(BACKENDS.extensions(), key=lambda found: found.value.serves is None)
    return next(found for found in ways if _serves(found, host))


def _serves(found: Extension[Backend], host: str) -> bool:
    serves, plugin = found.value.serves, found.plugin
    if serves is None:
        return True
    if plugin is None:
        return serves(host)
    try:
        return bool(call_plugin(plugin, "True or False", lambda told: isinstance(told, bool), lambda: serves(host)))
    except PluginError as error:
        raise InputError(error.problem) from error
