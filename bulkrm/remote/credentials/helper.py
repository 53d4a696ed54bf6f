"""Credential helpers: programs that store passwords for Docker and other clients.

The protocol is that of github.com/docker/docker-credential-helpers: `docker-credential-NAME get` reads the key of a
registry from standard input and writes `{"ServerURL", "Username", "Secret"}`. After a failure it writes a text to standard
output, and exits with code 1. One of the failures is that there are no credentials, which means anonymous.

A helper may be any program, so it is killed with its children after 30 seconds or 1 MiB of output.
"""

import json
import os
import re
import selectors
import signal
import subprocess
import time
from contextlib import suppress

from bulkrm.model.errors import BulkrmError
from bulkrm.model.limits import RAISE_LIMIT, is_exhausted
from bulkrm.model.reference import HUB
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login

_IDENTITY = "<token>"  # the user name of an identity token
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NONE = "credentials not found"  # in native keychain
_SECONDS = 30.0
_MAX_ANSWER = 2**20
_CHUNK = 2**16
# The key that Docker uses for Docker Hub.
_KEYS = {HUB: "https://index.docker.io/v1/"}


class HelperFailed(BulkrmError):  # noqa: N818 (it reads as what happened)
    """A helper is not installed, or did not follow the protocol. The text has nothing of its output."""


def ask_helper(name: str, key: str, seconds: float = _SECONDS) -> Credential | None:
    """Return the credentials that a helper has for a registry; None: it has none. Raises HelperFailed.

    `name`: that of the program, without `docker-credential-`. `key`: the registry in normal form, or as `docker login`
    wrote it. `seconds`: the time limit.
    """
    program = f"docker-credential-{name}"
    if _NAME.fullmatch(name) is None:
        raise HelperFailed("it has no name that a program could have")
    code, answer = _run(program, _KEYS.get(key, key).encode(), seconds)
    if code:
        if _NONE in answer.decode(errors="replace"):
            return None
        raise HelperFailed(
            f"{program} failed with exit code {code} (what it said may hold secrets, so it is not shown)"
        )
    return parse_helper_answer(program, answer)


def parse_helper_answer(program: str, answer: bytes) -> Credential | None:
    """Parse the output of a helper; None: the user or the secret is empty. Raises HelperFailed."""
    try:
        fields = json.loads(answer)
        user, secret = fields["Username"], fields["Secret"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise HelperFailed(f"{program} answered something that is no user and password") from None
    if not (isinstance(user, str) and isinstance(secret, str) and user and secret):
        return None
    try:
        (user + secret).encode()
    except UnicodeEncodeError:
        raise HelperFailed(f"{program} answered with what is no text") from None
    return IdentityToken(Secret(secret)) if user == _IDENTITY else Login(user, Secret(secret))


def _run(program: str, question: bytes, seconds: float) -> tuple[int, bytes]:
    """Run a helper; return its exit code and its standard output. Its standard error is discarded."""
    deadline = time.monotonic() + seconds
    pipe = subprocess.PIPE
    try:
        # A process group of its own, so that its children can be killed with it.
        process = subprocess.Popen(  # noqa: S603 (no shell, and the name is checked)
            [program, "get"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, process_group=0
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not installed") from None
    except OSError as error:
        more = f"; {RAISE_LIMIT}" if is_exhausted(error) else ""
        raise HelperFailed(f"{program} cannot be run: {error.strerror}{more}") from None
    with process:
        try:
            return _talk(program, process, question, deadline)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
                raise HelperFailed(f"{program} did not answer in {seconds:g} s") from None
            raise


def _talk(program: str, process: "subprocess.Popen[bytes]", question: bytes, deadline: float) -> tuple[int, bytes]:
    """Write the question, which always fits into a pipe, and read the answer. Raises TimeoutError and HelperFailed."""
    question_pipe, answer_pipe = process.stdin, process.stdout
    if question_pipe is None or answer_pipe is None:
        raise RuntimeError("standard input and output of a helper are pipes")
    with suppress(BrokenPipeError):
        question_pipe.write(question)
    with suppress(BrokenPipeError):
        question_pipe.close()
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(answer_pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunk = os.read(answer_pipe.fileno(), _CHUNK)
            if not chunk:
                return process.wait(max(0.0, deadline - time.monotonic())), bytes(answer)
            answer += chunk
            if len(answer) > _MAX_ANSWER:
                raise HelperFailed(f"{program} answered with more than {_MAX_ANSWER >> 20} MiB")
