"""The command as its users meet it: in this process, as a process of its own, or on a terminal."""

import asyncio
import atexit
import fcntl
import functools
import io
import json
import os
import pty
import signal
import struct
import sys
import tempfile
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bulkrm.cli.main import main
from bulkrm.sandbox import Call, Sandbox, SandboxSettings, ServerRequest, oci_image, put_image
from tests.support.briefly import briefly
from tests.support.clock import SkippingClock
from tests.support.forked import forked
from tests.support.giving_up import SECONDS
from tests.support.loaded import Wanted, loaded

_STATE = tempfile.TemporaryDirectory(prefix="bulkrm-tests-", ignore_cleanup_errors=True)
_FOREIGN = (
    "REGISTRY_", "DOCKER_", "BULKRM_", "XDG_", "HTTP_", "HTTPS_", "ALL_", "NO_PROXY", "http", "all_", "no_proxy",
)  # fmt: skip
_DISPLAY = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE")


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str

    def __repr__(self) -> str:
        """What failed assertions show: the exit code, and which images failed and why."""
        try:
            images = self.images
        except (ValueError, LookupError, TypeError):  # no JSON report: text, JSON lines, or nothing
            images = []
        return briefly(self.code, images, self.err or self.out)

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        return dict(json.loads(self.out))

    @property
    def images(self) -> list[dict[str, Any]]:
        return list(self.report["images"])

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each image, named without its host."""
        return {image["image"].partition("/")[2]: image["status"] for image in self.images}


Command = Callable[..., Result]


def foreign(environment: Iterable[str]) -> list[str]:
    """The variables of whoever runs the tests that would change what the command does."""
    return [name for name in environment if name.startswith(_FOREIGN) or name in _DISPLAY]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which nothing is set for the command but this."""
    strange = {*foreign(os.environ), "CI"}
    clean = {name: value for name, value in os.environ.items() if name not in strange}
    state = os.environ.get("BULKRM_STATE_DIR", _STATE.name)
    nowhere = dict.fromkeys(("DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"), "/nonexistent")
    return {**clean, **nowhere, "TERM": "xterm", "BULKRM_STATE_DIR": state, **(more or {})}


def in_process(*arguments: str, capsys: pytest.CaptureFixture[str], stdin: bytes = b"") -> Result:
    """Run it here, with no wait; standard input is no terminal, also where that of the tests is one."""
    capsys.readouterr()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    code: object = 0
    try:
        with _nobody_at_stdin():
            main(arguments, SkippingClock())
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdin = before
    assert isinstance(code, int)
    return Result(code, *capsys.readouterr())


@contextmanager
def _nobody_at_stdin() -> Iterator[None]:
    kept = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


async def bulkrm(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, afresh: bool = False
) -> Result:
    """Run it as a process of its own, while the test's event loop keeps serving.

    It is forked from one that has loaded bulkrm, and waits for nobody's patience (`SkippingClock`), unless it is to
    start `afresh`, as `start` has it.
    """
    process = await start(*arguments, env=env, afresh=afresh, skips_waits=not afresh)
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


@functools.cache
def _loaded() -> Path:
    """Return the socket of the process that commands are forked from; it lives as long as the tests."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(loaded()) / "socket"


async def start(
    *arguments: str, env: Mapping[str, str] | None = None, afresh: bool = False, skips_waits: bool = False
) -> asyncio.subprocess.Process:
    """Start it with pipes for everything, and without the terminal of whoever runs the tests.

    `afresh`: as `python -m bulkrm`, where that makes a difference: it finds other packages, is looked for in the process
    list, or gets variables that Python itself reads.
    """
    if not afresh:
        return await forked(_loaded(), Wanted(arguments, environment(env), str(Path.cwd()), skips_waits=skips_waits))
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bulkrm", *arguments,
        stdin=pipe, stdout=pipe, stderr=pipe, env=environment(env), limit=2**24, start_new_session=True,
    )  # fmt: skip


async def killed(sandbox: Sandbox, *arguments: str, method: str, path: str, env: Mapping[str, str]) -> asyncio.Event:
    """Run it until a request comes, kill it then, and cancel all faults.

    The request is handled when the event that is returned is set; until then it hangs.
    """
    reached, release = asyncio.Event(), asyncio.Event()

    async def hang(_: ServerRequest) -> None:
        reached.set()
        await release.wait()

    sandbox.faults.add(Call(hang), method=method, path=path)
    process = await start(*arguments, env=env)
    async with asyncio.timeout(SECONDS):
        await reached.wait()
    process.kill()
    await process.communicate()
    sandbox.faults.clear()
    return release


async def line_with(text: str, process: asyncio.subprocess.Process) -> str:
    """Read standard error up to a line that holds a text."""
    assert process.stderr is not None
    async with asyncio.timeout(SECONDS):
        while line := (await process.stderr.readline()).decode():
            if text in line:
                return line
    raise AssertionError(f"the process ended without saying {text!r}")


class Terminal:
    """A process on a pseudo-terminal of its own, on which Ctrl-C is a signal. Its standard output may be a pipe."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._fresh = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_hung_up = False
        self.seen = ""
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            content = os.read(self._master, 65536)
        except OSError:  # EIO: the last one that had it open is gone
            content = b""
        if not content:
            asyncio.get_running_loop().remove_reader(self._master)
            self._ended.set()
        self.seen += content.decode(errors="replace")
        self._fresh.set()

    async def until(self, text: str) -> None:
        """Wait until a text is on the screen."""
        async with asyncio.timeout(SECONDS):
            while text not in self.seen:
                assert not self._ended.is_set(), self.seen
                self._fresh.clear()
                await self._fresh.wait()

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as a window that is closed or a connection that is lost does."""
        if not self._is_hung_up:
            self._is_hung_up = True
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._ended.set()

    async def end(self) -> Result:
        """Wait for the end. `err` is what the screen showed, `out` what went into the pipe, if there was one."""
        async with asyncio.timeout(SECONDS):
            out = await self._process.stdout.read() if self._process.stdout else b""
            code = await self._process.wait()
            await self._ended.wait()
        return Result(code, out.decode(), self.seen.replace("\r\n", "\n"))


@asynccontextmanager
async def terminal(
    *arguments: str,
    pipe: bool = True,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    redirected: str = "",
    ignored: Sequence[signal.Signals] = (),
    afresh: bool = False,
) -> AsyncIterator[Terminal]:
    """Start the command on a terminal of 80 columns; with `pipe`, its standard output is none, with `stdin` its input.

    `redirected` is what a shell is told of its streams (`2>log`); `ignored`: signals that it starts with as ignored.
    With either of them it starts `afresh` (as in `start`), and where that is asked for.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    piped = asyncio.subprocess.PIPE
    streams = slave if stdin is None else piped, piped if pipe else slave, slave
    if redirected or ignored or afresh:
        shell = ["sh", "-c", f'exec "$0" "$@" {redirected}', sys.executable, "-m", "bulkrm", *arguments]
        process = await _on_terminal(shell, streams, environment(env), ignored)
    else:
        wanted = Wanted(arguments, environment(env), str(Path.cwd()), on_terminal=True)
        process = await forked(_loaded(), wanted, streams)
    os.close(slave)
    if process.stdin is not None and stdin is not None:
        process.stdin.write(stdin)
        process.stdin.close()
    screen = Terminal(process, master)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        screen.hang_up()


async def _on_terminal(
    command: Sequence[str], streams: tuple[int, int, int], env: Mapping[str, str], ignored: Sequence[signal.Signals]
) -> asyncio.subprocess.Process:
    def prepare() -> None:
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    stdin, stdout, stderr = streams
    return await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=stdout, stderr=stderr, env=env, start_new_session=True, preexec_fn=prepare
    )


@contextmanager
def served(settings: SandboxSettings | None = None, **options: Any) -> Iterator[Sandbox]:
    """A sandbox that serves from a thread of its own, so that the command may have this one."""
    ready: Future[tuple[Sandbox, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with Sandbox(settings, **options) as sandbox:
            end = asyncio.Event()
            ready.set_result((sandbox, asyncio.get_running_loop(), end))
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    sandbox, loop, end = ready.result(SECONDS)
    try:
        yield sandbox
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def fill(sandbox: Sandbox, *tags: str, repository: str = "team/app", seed: int = 0) -> dict[str, str]:
    """Put a different image under each tag; return their digests."""
    return {
        tag: put_image(sandbox.store, repository, [tag], oci_image(number, config_seed=0))
        for number, tag in enumerate(tags, seed)
    }


def tags(sandbox: Sandbox, repository: str = "team/app") -> set[str]:
    """The tags that are left."""
    return set(sandbox.store.tags(repository) or ())


def sent(sandbox: Sandbox, method: str = "DELETE") -> list[str]:
    """The paths of the requests of a method that were finished."""
    return [request.path for request in sandbox.log if request.method == method]
