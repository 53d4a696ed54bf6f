"""What a file of this package holds, and how the right one is found for a host.

A backend is what one registry is to the engine. Its class is a `Registry`, the registry protocol's way of doing things,
and overrides what its registry does otherwise:

- `inventory(repository)`: all manifests and tags in one listing, where the registry has such a listing;
- `manifest`, `look` and `head`: one manifest, its digest checked against its bytes, or what a reference leads to;
- `delete(repository, digest, sending)`: one manifest with all its tags; `delete_tag(repository, tag, sending)`: one tag only;
- `put(repository, reference, manifest, sending)`: a manifest under a tag; `restore(repository, manifest, sending)`: a deleted
  one comes back under its digest;
- `host.traits`: how the engine has to treat it (`bulkrm.protocol.traits`).

Each raises RequestFailed with the final failure, and returns what was seen, never what was hoped for. Every request that
changes something takes the `sending` with it (`ask(request, sending)`): by that it is taken back where it is not wanted any
more, and a run that is stopped knows that it may have taken effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bulkrm.model.extensions.discovery import ExtensionPoint
from bulkrm.protocol.traits import Traits
from bulkrm.remote.host import Host
from bulkrm.remote.registry import Registry


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to speak to a registry.

    `serves` tells whether a host (a normal form) is reached this way, by its name alone; None: where no other backend
    serves. `open` makes what the engine asks. `traits`: how the registry is to be treated, instead of what its family
    says.
    """

    name: str
    serves: Callable[[str], bool] | None
    open: Callable[[Host], Registry]
    traits: Traits | None = None


BACKENDS = ExtensionPoint(
    "bulkrm.remote.backends", "BACKEND", Backend, "bulkrm.backends", lambda backend: (backend.name,)
)


def backends() -> tuple[Backend, ...]:
    """All backends, loaded on first use. Raises InputError where a plugin cannot be used."""
    return BACKENDS.values()


@cache
def backend_of(host: str) -> Backend:
    """Return the backend of a host: the first that serves it, else the registry protocol."""
    ways = sorted(backends(), key=lambda backend: backend.serves is None)
    return next(backend for backend in ways if backend.serves is None or backend.serves(host))
