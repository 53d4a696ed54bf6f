"""A low limit of open files: fewer connections, the same result; where it is too low for a run, that is said."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bulkrm.cli.terminal.descriptors import share_of
from bulkrm.model.errors import InputError
from bulkrm.sandbox import Sandbox, SandboxSettings
from tests.cli.command import Result, environment, fill, tags
from tests.support.giving_up import SECONDS

APP = "team/app"
IMAGES = 300
LOGIN = {"REGISTRY_USERNAME": "admin", "REGISTRY_PASSWORD": "admin"}


async def limited(files: int, *arguments: str, env: dict[str, str]) -> Result:
    """Run the command where a process may open so many files, and raise that no further."""
    script = "import resource, sys\n"
    script += f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))\n"
    script += "from bulkrm.cli.main import main\nmain(sys.argv[1:])\n"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(env)
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize(
    ("files", "concurrency"),
    [
        (64, "auto"),
        (96, "400"),
        *(
            pytest.param(*both, marks=pytest.mark.slow)
            for both in ((64, "400"), (96, "auto"), (256, "auto"), (256, "400"))
        ),
    ],
)
async def test_enough(files: int, concurrency: str, tmp_path: Path) -> None:
    """All goes, with tokens and TLS, is recorded and comes back; nothing is said of too many open files."""
    env = {**LOGIN, "BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox(SandboxSettings(tls=True)) as sandbox:
        fill(sandbox, *(f"pr-{number}" for number in range(IMAGES)), "latest")
        options = ("-y", "--insecure", "-o", "json", "-c", concurrency)

        done = await limited(files, f"{sandbox.host}/{APP}:pr-*", *options, "-v", env=env)
        left = tags(sandbox)
        undone = await limited(files, "undo", *options, "-v", env=env)

    assert done.code == 0, done
    assert {image["status"] for image in done.images} == {"deleted"}
    assert left == {"latest"}
    assert undone.code == 0, undone
    assert len(tags(sandbox)) == IMAGES + 1
    assert "too many files are open" not in done.err + undone.err
    assert "open files" not in done.err + undone.err or concurrency == "400"
    assert ("the limit of open files" in done.err) == (concurrency == "400")


@asynccontextmanager
async def sandboxes(number: int) -> AsyncIterator[list[Sandbox]]:
    """So many registries, each with images."""
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(Sandbox()) for _ in range(number)]
        for sandbox in started:
            fill(sandbox, *(f"pr-{index}" for index in range(40)))
        yield started


async def test_many_registries(tmp_path: Path) -> None:
    """The limit holds for all registries of a run and their token servers together."""
    docker = tmp_path / "docker"
    docker.mkdir()
    env = {"BULKRM_STATE_DIR": str(tmp_path / "state"), "DOCKER_CONFIG": str(docker)}
    async with sandboxes(8) as started:
        auth = {"auth": "YWRtaW46YWRtaW4="}  # admin:admin
        (docker / "config.json").write_text(json.dumps({"auths": {sandbox.host: auth for sandbox in started}}))
        wanted = [f"{sandbox.host}/{APP}:pr-*" for sandbox in started]

        done = await limited(64, *wanted, "-y", "-o", "json", env=env)
        left = [tags(sandbox) for sandbox in started]

    assert done.code == 0, done
    assert {image["status"] for image in done.images} == {"deleted"}
    assert left == [set()] * 8


async def test_too_few(tmp_path: Path) -> None:
    """Where no run can be made with it, the message names the limit and how to raise it, and nothing is attempted."""
    env = {**LOGIN, "BULKRM_STATE_DIR": str(tmp_path / "state")}
    async with Sandbox() as sandbox:
        fill(sandbox, "pr-1", "pr-2")
        wanted = f"{sandbox.host}/{APP}"
        await limited(256, f"{wanted}:pr-1", "-y", env=env)
        before = len(sandbox.log)

        results = [await limited(24, *what, "-y", env=env) for what in ((f"{wanted}:pr-2",), ("undo",))]

        after = len(sandbox.log)

    for result in results:
        assert result.code == 2
        assert "limit of open files" in result.err
        assert "a run with 1 registry needs" in result.err
        assert "ulimit -n" in result.err
        assert "Traceback" not in result.err
    assert after == before
    assert tags(sandbox) == {"pr-2"}


@pytest.mark.parametrize("free", [26, 60, 240, 1000, 65000])
@pytest.mark.parametrize("hosts", [0, 1, 3, 40])
def test_shares(free: int, hosts: int) -> None:
    """All connections together leave files for the rest, and every registry has one and its token server one."""
    if (free - 24) // max(1, hosts) < 2:
        with pytest.raises(InputError, match="ulimit -n"):
            share_of(free, hosts)
        return

    share = share_of(free, hosts)

    assert share.registry >= 1
    assert share.token_server >= 1
    assert (share.registry + share.token_server) * max(1, hosts) <= free - 24
    assert share.registry <= 512
    assert share.token_server <= 16
