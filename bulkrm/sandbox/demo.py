"""The registry of `bulkrm demo` and of the manual's examples: with sample images of every kind, and one user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bulkrm.sandbox.auth.accounts import User
from bulkrm.sandbox.images import docker_image, docker_list, oci_image, oci_index, put_image
from bulkrm.sandbox.registry.store import Store
from bulkrm.sandbox.server import Sandbox

USERNAME, PASSWORD = "demo", "demo"  # of a registry that lives for some seconds


@asynccontextmanager
async def demo_registry() -> AsyncIterator[Sandbox]:
    """Run the registry on a free port of loopback until the block is left; its user is USERNAME with PASSWORD."""
    async with Sandbox(users={USERNAME: User(PASSWORD)}) as sandbox:
        _push_samples(sandbox.store)
        yield sandbox


def _push_samples(store: Store) -> None:
    for number in (41, 42):
        put_image(store, "team/app", [f"pr-{number}"], docker_image(seed=number))
    put_image(store, "team/app", ["pr-42-keep"], oci_image(seed=43))
    put_image(store, "team/app", ["1.10", "1.9"], oci_image(seed=110))
    put_image(store, "team/app", ["2.0"], docker_image(seed=200))
    put_image(store, "team/web", ["nightly-docker"], docker_list(seed=1))
    put_image(store, "team/web", ["nightly-oci"], oci_index(seed=2))
    put_image(store, "team/web", ["2.0", "stable"], oci_index(seed=3))
    put_image(store, "team/web", ["edge", "latest"], docker_image(seed=4))
