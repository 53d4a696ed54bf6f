"""Ctrl-C and SIGTERM: nothing new starts, what is in flight may finish, the report is complete."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bulkrm.engine.stop import GRACE
from bulkrm.sandbox import Auth, Call, Reply, Sandbox, SandboxSettings, ServerRequest
from tests.cli.command import Result, bulkrm, environment, fill, line_with, sent, start, tags, terminal
from tests.support.giving_up import SECONDS

OPEN = SandboxSettings(auth=Auth.NONE)
IN_FLIGHT = 3


@dataclass
class Held:
    """Holds requests until they are let go; `enough` is set when so many are held."""

    number: int
    count: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _: ServerRequest) -> None:
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_one_signal(number: signal.Signals, code: int) -> None:
    """After one signal no new DELETE starts and those in flight finish; the rest is `interrupted`; 130, 143 or 129."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        held = Held(IN_FLIGHT)
        sandbox.faults.add(Call(held), method="DELETE", times=None, skip=1)
        process = await start(f"{sandbox.host}/team/app:*", "-c", str(IN_FLIGHT), "-o", "json", afresh=True)
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


@pytest.mark.parametrize(
    ("first", "second", "code"), [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGHUP, signal.SIGHUP, 129)]
)
async def test_second_signal(first: signal.Signals, second: signal.Signals, code: int) -> None:
    """The second signal ends the run at once; what was in flight is `failed`, `unconfirmed`, with a hint."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(20)))
        held = Held(IN_FLIGHT)
        sandbox.faults.add(Call(held), method="DELETE", times=None, skip=1)
        process = await start(f"{sandbox.host}/team/app:*", "-c", str(IN_FLIGHT), "-o", "json")
        await held.full()

        began = time.monotonic()
        process.send_signal(first)
        await line_with("stopping", process)
        process.send_signal(second)
        result = await end(process)
        took = time.monotonic() - began

        assert result.code == code
        assert outcomes(result) == (
            [("deleted", None, None)]
            + [("failed", None, "unconfirmed")] * IN_FLIGHT
            + [("not-attempted", "interrupted", None)] * (19 - IN_FLIGHT)
        )
        assert took < GRACE  # it does not wait for what the first one grants
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
        assert result.report["run"]["seconds"] < 300
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


# Terminals that go away


async def test_hung_up(tmp_path: Path) -> None:
    """A terminal that is closed is SIGHUP: what is in flight finishes, reports in files are complete, 129; it can be resumed."""
    env, report = {"BULKRM_STATE_DIR": str(tmp_path / "state")}, tmp_path / "report.json"
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(10)))
        held = Held(1)
        sandbox.faults.add(Call(held), method="DELETE", times=None)
        words = [f"{sandbox.host}/team/app:*", "-y", "-c", "1", "--report", f"json={report}"]
        async with terminal(*words, pipe=False, env=env) as screen:
            await held.full()
            screen.hang_up()
            held.go.set()
            result = await screen.end()
        left = len(tags(sandbox))
        resumed = await bulkrm("resume", "-o", "json", env=env)

        written = json.loads(report.read_text())
        assert result.code == 129
        assert written["summary"]["deleted"] == 10 - left
        assert written["summary"]["not_attempted"] == left > 0
        assert (resumed.code, resumed.report["summary"]["deleted"]) == (0, 10)
        assert tags(sandbox) == set()


async def test_nohup(tmp_path: Path) -> None:
    """Where SIGHUP is ignored (`nohup`) the run goes on to its end, also while its terminal no longer takes a line."""
    report = tmp_path / "report.json"
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, *(f"t{index:02}" for index in range(10)))
        held = Held(1)
        sandbox.faults.add(Call(held), method="DELETE", times=None)
        words = [f"{sandbox.host}/team/app:*", "-v", "-c", "1", "-o", "json", "--report", f"json={report}"]
        async with terminal(*words, redirected="</dev/null", ignored=[signal.SIGHUP]) as screen:
            await held.full()
            screen.hang_up()
            held.go.set()
            result = await screen.end()

        assert (result.code, result.report["summary"]["deleted"]) == (0, 10)
        assert json.loads(report.read_text()) == result.report
        assert tags(sandbox) == set()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
async def test_ignored_from_the_start(number: signal.Signals) -> None:
    """A signal that was ignored when the process started stays ignored."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a", "b")
        held = Held(1)
        sandbox.faults.add(Call(held), method="DELETE", times=None)
        async with terminal(f"{sandbox.host}/team/app:*", "-y", "-c", "1", "-o", "json", ignored=[number]) as screen:
            await held.full()
            screen.send(number)
            held.go.set()
            result = await screen.end()

    assert (result.code, result.report["summary"]["deleted"]) == (0, 2)


async def test_undo_interrupted_at_its_question(tmp_path: Path) -> None:
    """Ctrl-C at the question of undo is 130, and nothing is put back."""
    env = {"BULKRM_STATE_DIR": str(tmp_path)}
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        await bulkrm(f"{sandbox.host}/team/app:a", env=env)
        async with terminal("undo", env=env) as screen:
            await screen.until("[y/N] ")
            screen.type("\x03")
            result = await screen.end()

        assert result.code == 130
        assert sent(sandbox, "PUT") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_standard_error_that_takes_nothing() -> None:
    """A full disk behind standard error neither stops the run nor changes its exit code."""
    async with Sandbox(OPEN) as sandbox:
        fill(sandbox, "a")
        async with terminal(
            f"{sandbox.host}/team/app:a", "-v", "-o", "json", redirected="</dev/null 2>/dev/full"
        ) as screen:
            result = await screen.end()

    assert (result.code, result.statuses) == (0, {"team/app:a": "deleted"})


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
