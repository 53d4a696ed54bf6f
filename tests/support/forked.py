"""Commands that `tests.support.loaded` forks, as processes of asyncio."""

import asyncio
import os
import signal
import socket
from asyncio.base_subprocess import BaseSubprocessTransport
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from tests.support.loaded import NUMBER, Wanted

_LIMIT = 2**24  # bytes of a line


async def forked(server: Path, wanted: Wanted, streams: Sequence[int] = (PIPE, PIPE, PIPE)) -> Process:
    """Start a command as `asyncio.create_subprocess_exec` does; `streams` are its standard streams.

    `server` is the socket of the process that has bulkrm loaded.
    """
    loop = asyncio.get_running_loop()
    protocol = SubprocessStreamProtocol(limit=_LIMIT, loop=loop)
    connected = loop.create_future()
    stdin, stdout, stderr = streams
    given = {"wanted": wanted, "server": server}
    transport = _Transport(loop, protocol, [], False, stdin, stdout, stderr, 0, connected, **given)  # noqa: FBT003 (no shell)
    await connected
    return Process(transport, protocol, loop)


class _Forked:
    """What asyncio needs of a `Popen`, for a process that is somebody else's child."""

    def __init__(self, wanted: Wanted, server: Path, streams: Sequence[int]) -> None:
        self.returncode: int | None = None
        ends = [_ends(stream, writes=number == 0) for number, stream in enumerate(streams)]
        self.stdin, self.stdout, self.stderr = (ours for ours, _ in ends)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(str(server))
        self.pid = wanted.ask(self.server, [theirs for _, theirs in ends])
        for ours, theirs in ends:
            if ours is not None:
                os.close(theirs)

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _ends(stream: int, *, writes: bool) -> tuple[IO[bytes] | None, int]:
    """Return our end of a standard stream, if it is a pipe, and that of the command."""
    if stream != PIPE:
        return None, stream
    read, write = os.pipe()
    return (os.fdopen(write, "wb", 0), read) if writes else (os.fdopen(read, "rb", 0), write)


class _Transport(BaseSubprocessTransport):
    """Reads how the process ended from the server, where asyncio's own waits for its child."""

    def _start(self, *_: Any, **given: Any) -> None:
        process = _Forked(given["wanted"], given["server"], (given["stdin"], given["stdout"], given["stderr"]))
        self._proc = cast("Any", process)
        self._loop.add_reader(process.server, self._ended, process.server)

    def _ended(self, server: socket.socket) -> None:
        self._loop.remove_reader(server)
        with server:
            told = server.recv(NUMBER)
        self._process_exited(int.from_bytes(told, "big", signed=True) if told else -signal.SIGKILL)
