"""Fixtures that several folders share."""

import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.admin import Admin
from tests.support.registries import Registry, Start, cases, running

# `all` asks for the tests that are marked as slow, and with them for all servers.
_VARIABLE = "BULKRM_TEST_SERVERS"


def pytest_configure() -> None:
    """Let commands under test start with no signal ignored, also where `nohup` or a shell's `&` started the tests.

    An ignored signal is inherited (signal(7), "exec"), and a test of Ctrl-C would wait for ever. These tests go on
    ignoring it.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _go_on)


def _go_on(_: int, __: object) -> None:
    """Ignore a signal, in this process only."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave away what is slow, unless the environment asks for it."""
    wanted = os.environ.get(_VARIABLE, "")
    if wanted not in ("", "all"):
        raise pytest.UsageError(f"{_VARIABLE}: write `all`, or leave it unset")
    slow = [] if wanted else [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(params=cases())
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
