"""What tests of the engine share: runs on a registry in memory, and no way out of it."""

import socket
from typing import Any, NoReturn

import pytest

from tests.engine.runs import Runs


@pytest.fixture(autouse=True)
def _no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that would speak to somebody."""

    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("tests of the engine open no socket")

    for name in ("bind", "connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)


@pytest.fixture
def runs() -> Runs:
    """Runs on a registry that deletes by digest only, as distribution 2.8."""
    return Runs()
