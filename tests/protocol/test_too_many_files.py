"""Where no further file can be opened, that is what is said, whatever it was that was to be opened."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.settings import Connection
from bulkrm.protocol.message import EXHAUSTED, NoAnswer
from bulkrm.protocol.refusal import no_answer
from bulkrm.remote.credentials.helper import HelperFailed, ask_helper
from bulkrm.remote.transport.sessions import Transport
from bulkrm.sandbox import Auth, Sandbox, SandboxSettings
from bulkrm.state.errors import StateError
from bulkrm.state.folder import RunFolder
from bulkrm.state.journal.file import Journal
from tests.support.clock import FakeClock


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let nothing be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    held = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, before[1]))
        while True:  # what is free below the limit
            try:
                held.append(os.dup(lowest))
            except OSError:
                break
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for file in (lowest, *held):
            os.close(file)


async def test_a_connection() -> None:
    """A connection that cannot be opened failed here: it says so, and the registry need not be looked at."""
    async with (
        Sandbox(SandboxSettings(auth=Auth.NONE)) as sandbox,
        Transport(Connection(), 5.0, FakeClock(auto=True)) as transport,
    ):
        with no_more_files():
            answer = await transport.send("GET", f"{sandbox.url}/v2/", {})

    assert isinstance(answer, NoAnswer)
    assert (answer.kind, answer.may_have_acted) == (EXHAUSTED, False)
    failure = no_answer(answer)
    assert failure.code is FailureCode.UNREACHABLE
    assert "ulimit -n" in (failure.hint or "")


@pytest.mark.parametrize("kind", ["CA", "client"])
def test_tls_files(kind: str, tmp_path: Path) -> None:
    """A certificate that cannot be opened for that reason may be a good one."""
    path = tmp_path / "some.pem"
    path.write_text("")
    connection = Connection(ca_file=path) if kind == "CA" else Connection(client_cert=path)

    with pytest.raises(InputError) as error, no_more_files():
        Transport(connection, 5.0, FakeClock())

    assert "ulimit -n" in str(error.value)


def test_a_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential helper that cannot be started for that reason is not to blame."""
    program = tmp_path / "docker-credential-some"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(HelperFailed, match="ulimit -n"), no_more_files():
        ask_helper("some", "registry.example")


def test_a_record(tmp_path: Path) -> None:
    """A record that cannot be opened for that reason needs no other folder."""
    RunFolder.create(tmp_path, "20260131T120000Z-abcdef", {}).close()

    with pytest.raises(StateError) as error, no_more_files():
        Journal(tmp_path / "journal.jsonl")
    with pytest.raises(InputError) as refused, no_more_files():
        RunFolder.open(tmp_path, "20260131T120000Z-abcdef")

    assert "ulimit -n" in (error.value.remedy or "")
    assert "ulimit -n" in str(refused.value)
