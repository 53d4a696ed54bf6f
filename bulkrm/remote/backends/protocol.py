"""The backend for all registries without a backend of their own: the registry protocol (OCI distribution-spec 1.1)."""

from bulkrm.remote.backends.backend import Backend
from bulkrm.remote.registry import Registry

BACKEND = Backend("protocol", None, Registry)
