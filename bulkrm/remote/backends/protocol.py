"""The registry protocol: what every registry speaks that has no way of its own (OCI distribution-spec 1.1, distribution)."""

from bulkrm.remote.backends.backend import Backend
from bulkrm.remote.registry import Registry

BACKEND = Backend("protocol", None, Registry)
