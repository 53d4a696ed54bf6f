"""A server of somebody else's, as a process on a port of loopback."""

import asyncio
import os
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_START_SECONDS = 60.0
_CHANCE = random.SystemRandom()
# Not our own environment: distribution takes every REGISTRY_* variable for its configuration.
ENVIRONMENT = {"PATH": os.defpath, "OTEL_TRACES_EXPORTER": "none"}


class ServerProcess:
    """One program that listens; it may be started again. Its output is added to the file `log`."""

    def __init__(self, log: Path) -> None:
        """Nothing runs yet."""
        self.log = log
        self._process: asyncio.subprocess.Process | None = None
        self._killed = False

    async def start(self, command: Sequence[str], port: int) -> None:
        """Start it, and wait until it accepts connections on the port of 127.0.0.1."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=ENVIRONMENT)
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _accepts(port):
                    assert self._process.returncode is None, self.log.read_text()
                    await asyncio.sleep(0.005)
        except BaseException:
            await self.stop()
            raise

    def kill(self) -> None:
        """End it, whatever it is doing; `stop` has to follow before it starts again."""
        assert self._process is not None
        if not self._killed:
            self._killed = True
            self._process.kill()

    async def stop(self) -> None:
        """End it and wait for that; nothing happens where it does not run."""
        if self._process is not None:
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()
            self._process, self._killed = None, False


async def watched(process: asyncio.subprocess.Process, look: Callable[[], bool], pause: float = 0.003) -> bool:
    """Look again and again until there is something, or the process is over; tell whether there was.

    For what other processes do and announce to nobody: what they write, or what `ps` shows of them.
    """
    while not look():
        if process.returncode is not None:
            return False
        await asyncio.sleep(pause)
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens.

    By chance, and below those that the system itself gives out (ip(7), `ip_local_port_range`): between here and the
    server's start no connection of anybody's takes it, and other processes that run these tests try other ones.
    """
    while True:
        port = _CHANCE.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
