"""Another program's server, as a process on a port of loopback."""

import asyncio
import os
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.giving_up import SECONDS

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
        """Start the process, and wait until it accepts connections on the port of 127.0.0.1."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=ENVIRONMENT)
        try:
            async with asyncio.timeout(SECONDS):
                while not await _accepts(port):
                    assert self._process.returncode is None, self.log.read_text()
                    await asyncio.sleep(0.005)
        except BaseException:
            await self.stop()
            raise

    def kill(self) -> None:
        """Kill the process, whatever it is doing; call `stop` before it is started again."""
        assert self._process is not None
        if not self._killed:
            self._killed = True
            self._process.kill()

    async def stop(self) -> None:
        """End the process and wait for it; do nothing if it is not running."""
        if self._process is not None:
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()
            self._process, self._killed = None, False


async def watched(process: asyncio.subprocess.Process, look: Callable[[], bool], pause: float = 0.003) -> bool:
    """Call `look` again and again until it returns True (the result is True then), or the process ended (False).

    It is for effects of other processes that no event tells: their output, or what `ps` shows about them.
    """
    while not look():
        if process.returncode is not None:
            return False
        await asyncio.sleep(pause)
    return True


def free_port() -> int:
    """Return a free port of 127.0.0.1.

    It is random, and below those that the system assigns (ip(7), `ip_local_port_range`): until the server starts no
    connection takes it, and other processes that run these tests choose other ones.
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
