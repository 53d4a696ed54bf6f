"""What the tests of the command line share."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from tests.cli.command import Command, foreign, in_process, served


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests reaches the command; the working directory is empty."""
    for name in foreign(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("BULKRM_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in this process: `run("host/app:1", "-n", stdin=b"...")`."""
    return partial(in_process, capsys=capsys)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A registry that asks for nothing."""
    with served(SandboxSettings(auth=Auth.NONE)) as sandbox:
        yield sandbox


@pytest.fixture
def token_sandbox() -> Iterator[Sandbox]:
    """A registry that asks for tokens; the user is `admin`, with that password."""
    with served() as sandbox:
        yield sandbox
