"""bulkrm without the time that Python takes to load it: a process that has it loaded forks one for each command.

That saves half a second for each of several thousand commands. A client sends the arguments, the environment, the folder and
the standard streams of a command over a socket, and gets the id of the process that runs the real `main` with them, and later
its exit code. There are two clients: the program `bulkrm` that the blocks of the manual find on their PATH, and
`tests.support.forked`.

What happens before `main` is not covered. Tests of that start `python -m bulkrm`: which packages are found, what the process
list shows, and the encoding of the streams.
"""

import atexit
import fcntl
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from bulkrm.remote.clock import Clock
from tests.support.clock import SkippingClock

# How many bytes tell the length of a request, the id of a process, and how it ended.
NUMBER = 4
_FILES = 1024  # more than it has open
_CLIENT = """\
#!{python} -IS
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
wanted = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
asked = json.dumps(wanted).encode()
streams = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
server.sendmsg([len(asked).to_bytes({number}, "big")], [streams])
server.sendall(asked)
server.recv({number}, socket.MSG_WAITALL)
sys.exit(int.from_bytes(server.recv({number}, socket.MSG_WAITALL), "big", signed=True))
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command to run. `on_terminal`: its standard error is the terminal that it is to belong to.

    `skips_waits`: where it wants to wait, that time is over at once.
    """

    arguments: Sequence[str]
    environment: dict[str, str]
    folder: str
    on_terminal: bool = False
    skips_waits: bool = False

    def ask(self, server: socket.socket, streams: Sequence[int]) -> int:
        """Send it, with the three standard streams; return the id of its process."""
        asked = json.dumps(asdict(self)).encode()
        socket.send_fds(server, [len(asked).to_bytes(NUMBER, "big")], list(streams))
        server.sendall(asked)
        return int.from_bytes(server.recv(NUMBER, socket.MSG_WAITALL), "big")


@contextmanager
def loaded() -> Iterator[Path]:
    """Run the process that commands are forked from; yields a folder with its `socket`, and a program `bulkrm`."""
    with tempfile.TemporaryDirectory() as name:  # the path of a socket has at most 107 characters
        folder = Path(name)
        address = str(folder / "socket")
        command = [sys.executable, "-m", "tests.support.loaded", address]
        # It ends with its standard input, and so with whoever runs the tests, however that ends.
        with subprocess.Popen(  # noqa: S603 (our own)
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            client = folder / "bulkrm"
            client.write_text(_CLIENT.format(python=sys.executable, address=address, number=NUMBER))
            client.chmod(0o755)
            try:
                yield folder
            finally:
                process.kill()


def serve(address: str) -> NoReturn:
    """Load bulkrm, and fork a process for each command until standard input ends."""
    _load()
    gc.freeze()  # what is loaded is garbage of none of them
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    going_on = dict[int, socket.socket]()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([0, woken, listener.fileno()], [], [])
            if woken in ready:
                os.read(woken, 4096)
                _tell_ends(going_on)
            if 0 in ready:
                sys.exit()
            if listener.fileno() in ready:
                client, _ = listener.accept()
                going_on[_fork(client)] = client


def _load() -> None:
    """Load what commands load, most of it by carrying one out: a dry run that finds no registry."""
    from bulkrm.cli.terminal.display import bar  # noqa: F401, PLC0415 (this is what takes the time)

    with tempfile.TemporaryDirectory() as state, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        _code_of(["127.0.0.1:1/app:1", "-n", "--state-dir", state], SkippingClock())


def _tell_ends(going_on: dict[int, socket.socket]) -> None:
    """Tell the exit code of each process that ended; minus the number of a signal if that ended it."""
    while going_on:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with going_on.pop(pid) as client, suppress(OSError):  # nobody may want to know any more
            client.sendall(os.waitstatus_to_exitcode(status).to_bytes(NUMBER, "big", signed=True))


def _fork(client: socket.socket) -> int:
    """Fork a process for the command that a client asks for; tell the client its id, and return it."""
    length, streams, _, _ = socket.recv_fds(client, NUMBER, 3)
    content = client.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    pid = os.fork()
    if not pid:
        _perform(Wanted(**json.loads(content)), streams)
    for stream in streams:
        os.close(stream)
    client.sendall(pid.to_bytes(NUMBER, "big"))
    return pid


def _perform(wanted: Wanted, streams: Sequence[int]) -> NoReturn:
    """Run the command in this process: with these streams, in a session of its own, with the default signal handlers."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(len(streams), _FILES)  # the listener, and what others are told over
    if wanted.on_terminal:
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)
    # New ones: those of the process that forked know that they lead to something else, which can be sought in.
    sys.stdin = open(0, encoding="utf-8", errors=sys.stdin.errors, closefd=False)  # noqa: SIM115 (as long as the process lives)
    sys.stdout = open(1, "w", encoding="utf-8", errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors=sys.stderr.errors, closefd=False)  # noqa: SIM115
    os.chdir(wanted.folder)
    os.environ.clear()
    os.environ.update(wanted.environment)
    code = _code_of(wanted.arguments, SkippingClock() if wanted.skips_waits else None)
    atexit._run_exitfuncs()  # as at the end of any process: coverage writes down there what was run
    os._exit(code)


def _code_of(arguments: Sequence[str], clock: Clock | None) -> int:
    from bulkrm.cli.main import main  # noqa: PLC0415 (as above)

    code: Any = 0
    try:
        main(arguments, clock)
    except SystemExit as end:
        code = end.code or 0
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return int(code)


if __name__ == "__main__":
    serve(sys.argv[1])
