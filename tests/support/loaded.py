"""bulkrm without the time that Python takes to load it: a process that has it loaded forks one for each command.

Half a second for each of some sixty commands adds up. The program `bulkrm` that the blocks find on their PATH is a small
client: it hands its arguments, environment, folder and standard streams over, and ends with the exit code of the process
that runs the real `main` with them.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

_CLIENT = """\
#!{python} -IS
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
streams = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
server.sendmsg([len(asked).to_bytes(4, "big")], [streams])
server.sendall(asked)
sys.exit(server.recv(1)[0])
"""


@contextmanager
def loaded() -> Iterator[Path]:
    """Hold the process that commands are forked from; yields a folder for the PATH, in which `bulkrm` is."""
    with tempfile.TemporaryDirectory() as name:  # the path of a socket has at most 107 characters
        folder = Path(name)
        address = str(folder / "socket")
        command = [sys.executable, "-m", "tests.support.loaded", address]
        # A session of its own: what it forks has no terminal, whoever runs the tests.
        process = subprocess.Popen(  # noqa: S603 (our own)
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        client = folder / "bulkrm"
        client.write_text(_CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o755)
        try:
            yield folder
        finally:
            process.kill()
            process.communicate()


def serve(address: str) -> NoReturn:
    """Load bulkrm, and fork a process for each command until this one is killed."""
    from bulkrm.cli.commands import app, deletion, recorded_runs  # noqa: F401, PLC0415 (this is what takes the time)

    gc.freeze()  # what is loaded is garbage of none of them

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                perform(client)
            client.close()


def perform(client: socket.socket) -> NoReturn:
    """Run one command with the streams of its client, and tell the client its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(client, 4, 3)
    content = b""
    while len(content) < int.from_bytes(length, "big"):
        content += client.recv(65536)
    arguments, environment, folder = json.loads(content)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # New ones: those of the process that forked know that they lead to something else, which can be sought in.
    sys.stdin = open(0, encoding="utf-8", errors=sys.stdin.errors, closefd=False)  # noqa: SIM115 (as long as the process lives)
    sys.stdout = open(1, "w", encoding="utf-8", errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors=sys.stderr.errors, closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = _code_of(arguments)
    atexit._run_exitfuncs()  # as at the end of any process: coverage writes down there what was run
    client.sendall(bytes([code]))
    os._exit(0)


def _code_of(arguments: Any) -> int:
    from bulkrm.cli.main import main  # noqa: PLC0415 (as above)

    code: Any = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code or 0
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return int(code)


if __name__ == "__main__":
    serve(sys.argv[1])
