"""Ctrl-C and SIGTERM: nothing new starts, what is in flight may finish, the report is complete."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from bulkrm.sandbox import Asked, Auth, Call, Reply, Sandbox, SandboxSettings
from tests.cli.command import SECONDS, Result, environment, fill, line_with, sent, start, tags

OPEN = SandboxSettings(auth=Auth.NONE)
IN_FLIGHT = 3


@dataclass
class Held:
    """Holds requests until they are let go; `enough` is set when so many are held."""

    number: int
    count: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _: Asked) -> None:
        self.count += 1
        if self.count == self.number:
            self.enough.set()
        await self.go.wait()

    async def full(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.enough.wait()


async def end(process: asyncio.subprocess.Process) -> Result:
    """Wait for the end of a process."""
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Result(process.returncode, (out or b"").decode(), err.decode())


def outcomes(result: Result) -> list[tuple[str, str | None, str | None]]:
    """Status, reason and error code of each image, sorted."""
    rows = [(image["status"], image["reason"], (image["error"] or {}).get("code")) for image in result.images]
    return sorted(rows, key=str)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_one_signal(number: signal.Signals, code: int) -> None:
    """After one signal no new DELETE starts and those in flight finish; the rest is `interrupted`; 130 or 143."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        held = Held(IN_FLIGHT)
        sandbox.faults.add(Call(held), method="DELETE", times=None, skip=1)
        process = await start(f"{sandbox.host}/team/app:*", "-c", str(IN_FLIGHT), "-o", "json")
        await held.full()

        process.send_signal(number)
        await line_with("stopping", process)
        held.go.set()
        result = await end(process)

        deleted = 1 + IN_FLIGHT
        assert result.code == code
        assert outcomes(result) == [("deleted", None, None)] * deleted + [("not-attempted", "interrupted", None)] * (
            20 - deleted
        )
        assert len(sent(sandbox)) == deleted
        assert len(tags(sandbox)) == 20 - deleted


async def test_second_signal() -> None:
    """The second Ctrl-C ends the run at once; what was in flight is `failed`, `unconfirmed`, with a hint."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        held = Held(IN_FLIGHT)
        sandbox.faults.add(Call(held), method="DELETE", times=None, skip=1)
        process = await start(f"{sandbox.host}/team/app:*", "-c", str(IN_FLIGHT), "-o", "json")
        await held.full()

        process.send_signal(signal.SIGINT)
        await line_with("stopping", process)
        process.send_signal(signal.SIGINT)
        result = await end(process)

        assert result.code == 130
        assert outcomes(result) == (
            [("deleted", None, None)]
            + [("failed", None, "unconfirmed")] * IN_FLIGHT
            + [("not-attempted", "interrupted", None)] * (19 - IN_FLIGHT)
        )
        assert result.report["run"]["seconds"] < 5  # not after the ten seconds that the first one grants
        assert all("run again" in image["hint"] for image in result.images if image["status"] == "failed")
        assert held.count == IN_FLIGHT


@pytest.mark.parametrize("path", ["/manifests/", "/tags/list", "/v2/$"])
async def test_while_reading(path: str) -> None:
    """A signal before the plan is complete does not wait for reading; nothing is deleted, everything is reported."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")
        held = Held(1)
        sandbox.faults.add(Call(held), method="GET|HEAD", path=path, times=None)
        process = await start(f"{sandbox.host}/team/app:a", f"{sandbox.host}/team/app:b", "-o", "json")
        await held.full()

        process.send_signal(signal.SIGINT)
        result = await end(process)

        assert result.code == 130
        assert outcomes(result) == [("not-attempted", "interrupted", None)] * 2
        assert tags(sandbox) == {"a", "b", "c"}


async def test_while_the_registry_lets_wait() -> None:
    """A signal while all deletions wait for a registry that asked for a pause ends the run at once."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b", "c")
        sandbox.faults.add(Reply(429, {"Retry-After": "300"}), method="DELETE", times=None)
        process = await start(f"{sandbox.host}/team/app:*", "-o", "json")
        await line_with("asks to wait 300 s", process)

        process.send_signal(signal.SIGINT)
        result = await end(process)

        assert result.code == 130
        assert result.report["run"]["seconds"] < 5
        assert outcomes(result) == [("not-attempted", "interrupted", None)] * 3
        assert len(tags(sandbox)) == 3


async def test_while_listing_for_a_glob() -> None:
    """A glob whose listing was cut off is in the report as itself."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        held = Held(1)
        sandbox.faults.add(Call(held), path="/tags/list", times=None)
        process = await start(f"{sandbox.host}/team/app:*", "-o", "json")
        await held.full()

        process.send_signal(signal.SIGINT)
        result = await end(process)

    assert result.code == 130
    assert result.statuses == {"team/app:*": "not-attempted"}


async def test_every_report_is_complete() -> None:
    """After a signal the JSON lines have one line for each image, and the summary."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        held = Held(1)
        sandbox.faults.add(Call(held), method="DELETE", times=None)
        process = await start(f"{sandbox.host}/team/app:*", "-o", "jsonl")
        await held.full()

        process.send_signal(signal.SIGTERM)
        await line_with("stopping", process)
        held.go.set()
        result = await end(process)

    assert result.code == 143
    assert len(result.out.splitlines()) == 21
    assert '"not_attempted": 19' in result.out.splitlines()[-1]


# Readers that leave


@pytest.fixture
def nobody() -> Iterator[int]:
    """The writing end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
async def test_reader_is_gone(nobody: int, output: str) -> None:
    """A report that nobody reads does not stop the run, and is no crash: one line says what happened, exit code 1."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(30)))
        words = ["-m", "bulkrm", f"{sandbox.host}/team/app:*", "-o", output, "--report", "json=/dev/null"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=nobody, stderr=asyncio.subprocess.PIPE, env=environment()
        )

        result = await end(process)

        assert result.code == 1
        assert "the report is not complete: standard output: Broken pipe" in result.err
        assert "Traceback" not in result.err
        assert "Exception" not in result.err
        assert tags(sandbox) == set()


async def test_head() -> None:
    """`bulkrm ... | head -n 1` shows one line, and everything is deleted all the same."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:03}" for index in range(200)))
        line = f'"{sys.executable}" -m bulkrm {sandbox.host}/team/app:* -o jsonl | head -n 1'
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_shell(line, stdout=pipe, stderr=pipe, env=environment())

        result = await end(process)

        assert len(result.out.splitlines()) == 1
        assert "Traceback" not in result.err
        assert tags(sandbox) == set()
