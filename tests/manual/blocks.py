"""How a block of the documentation is run. The marker before it says what it needs, with commas between.

    run                     the block is run, or read, and nothing may be wrong with it
    by FILE                 another test runs it, in that file
    exit N                  the exit code of its last command
    as FILE                 the block is a file of that name, which later blocks of the page use
    list                    the block is a list file, which bulkrm reads without a mistake
    with mistakes           it has some on purpose, which a later block shows
    copy of FILE            the block is word for word that file of the project
    output of COMMAND       the block is what the command prints in a pipe, 80 columns wide
    shape of COMMAND        the block is JSON with the keys that the output of the command has
    configuration           the block is a configuration file
    on a terminal           the block runs on a terminal; a password is typed, and questions are answered with y
    with a password         PASSWORD is set, and nothing is stored in the home folder
    after a run             something was deleted before
    from the beginning      nothing was deleted or written yet: the registry and the folder are as at the page's beginning
    needs PROGRAM           it is left out where that program is missing

A `console` block shows commands behind `$ ` and what they print on a terminal, which has to be so: standard output, or
standard error where there is none.
"""

import asyncio
import fcntl
import os
import pty
import re
import shutil
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.manual.markdown import Block
from tests.manual.world import HOST, PASSWORD, USER, World
from tests.support.giving_up import SECONDS

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# What differs from run to run, and how it is compared.
_VARYING = (
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b"), "20260131T120000Z-2f7457"),
    (re.compile(r"\b\d+\.\d s\b"), "0.0 s"),
)


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker says, as words of the list above with what follows them."""

    words: tuple[str, ...]

    def has(self, word: str) -> bool:
        """Tell whether it says a word that nothing follows."""
        return word in self.words

    def of(self, word: str) -> str | None:
        """Return what follows a word; None where the marker does not say it."""
        return next((said.removeprefix(f"{word} ") for said in self.words if said.startswith(f"{word} ")), None)


def marker_of(block: Block) -> Marker:
    """Read a block's marker."""
    return Marker(tuple(word for word in re.split(r",\s*", block.says) if word))


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the commands of a console block, each with what it shows below it."""
    parts = re.split(r"^\$ (.*(?:\\\n.*)*)\n", block.text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script did. `shown` is what a reader sees of it: standard output, or standard error where there is none."""

    code: int
    out: str
    err: str

    def shown(self, home: Path) -> str:
        """Return it as the documentation shows it."""
        text = _ESCAPES.sub("", self.out or self.err).replace("\r\n", "\n").replace(str(home), "/home/ci")
        for pattern, same in _VARYING:
            text = pattern.sub(same, text)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


async def script(text: str, world: World, marker: Marker, *, on_terminal: bool = False) -> Ran:
    """Run a script of bash. With `on_terminal` its standard output is a terminal of 80 columns, which nobody reads along."""
    environment = dict(world.environment)
    if marker.has("with a password"):
        environment.update(PASSWORD=PASSWORD, DOCKER_CONFIG=str(world.folder))
    master, slave = _terminal()
    process = await asyncio.create_subprocess_exec(
        "bash", "-e", "-o", "pipefail", "-c", text,
        cwd=world.folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        stdout=slave if on_terminal else asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    screen = Screen(master)
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
        shown = await screen.end()
    assert process.returncode is not None
    return Ran(process.returncode, shown if on_terminal else out.decode(), err.decode())


async def attended(text: str, world: World) -> Ran:
    """Run a script on a terminal at which somebody sits: types the password, and says yes."""
    master, slave = _terminal()
    process = await asyncio.create_subprocess_exec(
        "bash", "-e", "-c", text,
        cwd=world.folder, env=world.environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    screen = Screen(master, {f"Password for {USER} at {HOST}": PASSWORD, "[y/N": "y"})
    async with asyncio.timeout(SECONDS):
        shown = await screen.end()
        code = await process.wait()
    return Ran(code, shown, "")


def _terminal() -> tuple[int, int]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    return master, slave


class Screen:
    """The other side of a terminal. `answers`: what is typed when a text appears for the first time."""

    def __init__(self, master: int, answers: dict[str, str] | None = None) -> None:
        self._master = master
        self._answers = dict(answers or {})
        self._ended = asyncio.Event()
        self._content = b""
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # EIO: the last one that had it open is gone
            chunk = b""
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._ended.set()
        self._content += chunk
        for text, answer in list(self._answers.items()):
            if text.encode() in self._content:
                del self._answers[text]
                os.write(self._master, f"{answer}\n".encode())

    async def end(self) -> str:
        """Wait until nobody has the terminal open any more; return all that it showed."""
        await self._ended.wait()
        return self._content.decode(errors="replace")


def is_missing(marker: Marker) -> bool:
    """Tell whether a block needs a program that is not here."""
    needed = marker.of("needs")
    return needed is not None and shutil.which(needed) is None
