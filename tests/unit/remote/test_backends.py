"""Which way a registry is spoken to, and what a listing of a registry's own tells."""

from collections.abc import Callable

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.manifests.inventory import Inventory, ListedManifest
from bulkrm.model.manifests.manifest import IMAGE_TYPES
from bulkrm.remote.backends.backend import backend_of, backends


def test_the_protocol_is_for_every_other_host() -> None:
    """A host that no backend serves is spoken to by the registry protocol, which is a backend like others."""
    assert [backend.name for backend in backends()] == ["protocol"]
    assert backend_of("registry.example.com").value.name == "protocol"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda stored: stored, {"a"}),
        (lambda stored: ListedManifest(stored.digest, stored.tags), set()),
        (lambda stored: ListedManifest(stored.digest, stored.tags, "application/vnd.example+json"), set()),
    ],
)
def test_a_type_that_is_not_known_is_read(change: Callable[[ListedManifest], ListedManifest], told: set[str]) -> None:
    """What a listing says of a tag counts as a reading only with a media type that is known."""
    stored = ListedManifest(Digest.of(b"a"), ("a",), min(IMAGE_TYPES), 1)

    assert set(Inventory(("a", "b"), [change(stored)]).resolved) == told
