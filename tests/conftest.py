"""Fixtures that several folders share."""

import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests.support.admin import Admin
from tests.support.registries import Registry, Start, cases, running

# `all` asks for the tests that are marked as slow, and with them for all servers.
_VARIABLE = "BULKRM_TEST_SERVERS"
# Workers for each processor: a test that starts a command or a server waits for it most of the time.
_WORKERS = 2
# Open files of a process: one often holds a registry, its client and what is between the two.
_FILES = 8192

# How many examples a property is tried with. A machine that is busy is no reason to fail.
_CALM = hypothesis.settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
hypothesis.settings.register_profile("quick", _CALM, max_examples=40)
hypothesis.settings.register_profile("thorough", _CALM, max_examples=300)
hypothesis.settings.load_profile("quick")


def pytest_xdist_auto_num_workers() -> int:
    """Say how many processes `-n auto` is."""
    return _WORKERS * (os.cpu_count() or 1)


def pytest_configure() -> None:
    """Let commands under test start as a user starts them: with no signal ignored, and with what is compiled kept.

    `nohup` and a shell's `&` let a process ignore some. An ignored signal is inherited (signal(7), "exec"), and a test of Ctrl-C would wait for ever. These tests go on
    ignoring it. Commands start twice as fast where Python may keep what it has compiled.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _go_on)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _FILES:  # a negative number is no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES if hard < 0 else min(hard, _FILES), hard))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


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
