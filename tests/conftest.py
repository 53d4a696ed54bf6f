"""Fixtures that several folders share."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.admin import Admin
from tests.support.registries import EVERY_KIND, Registry, Start, running


@pytest.fixture(params=EVERY_KIND)
def registry_kind(request: pytest.FixtureRequest) -> str:
    """The sandbox, then the real ones that this run of the tests asks for."""
    return str(request.param)


@pytest.fixture
def start_registry(registry_kind: str, tmp_path: Path) -> Start:
    """A function that starts a registry of the kind: `async with start_registry(auth=Auth.NONE) as registry`."""
    return partial(running, registry_kind, tmp_path / "registry")


@pytest.fixture
async def registry(start_registry: Start) -> AsyncIterator[Registry]:
    """A running registry with deletion enabled, and with token authentication if it has any."""
    async with start_registry() as started:
        yield started


@pytest.fixture
def admin(registry: Registry) -> Admin:
    """A client of `registry` that may do everything."""
    return registry.admin
