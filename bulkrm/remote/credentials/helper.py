"""Credential helpers: programs that keep passwords for Docker and the like.

The protocol is that of github.com/docker/docker-credential-helpers: `docker-credential-NAME get` reads a registry's name
from standard input and writes `{"ServerURL", "Username", "Secret"}`. A failure is a text on standard output and exit
code 1, one of them being that there are no credentials, which means anonymous.

A helper is somebody else's program: it has 30 seconds and may write 1 MiB, and is killed with its children after that.
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
from bulkrm.model.limits import RAISE, is_exhausted
from bulkrm.model.reference import HUB
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login

_IDENTITY = "<token>"  # in the place of a user: the secret is an identity token
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NONE = "credentials not found"  # in native keychain
_SECONDS = 30.0
_MAX_ANSWER = 2**20
_CHUNK = 2**16
# Docker knows its own registry by this key alone.
_KEYS = {HUB: "https://index.docker.io/v1/"}


class HelperFailed(BulkrmError):  # noqa: N818 (it reads as what happened)
    """A helper is not there, or did not do what helpers do. The text holds nothing of what it keeps."""


def ask_helper(name: str, key: str, seconds: float = _SECONDS) -> Credential | None:
    """Return what a helper keeps for a registry; None where it keeps nothing. Raises HelperFailed.

    `key`: the registry in its normal form, or as `docker login` wrote it down.
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
    """Read what a helper wrote; None where it has no user or no secret. Raises HelperFailed."""
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
    """Run a helper; return its exit code and what it wrote. What it writes to standard error is dropped."""
    deadline = time.monotonic() + seconds
    pipe = subprocess.PIPE
    try:
        # A process group of its own: what the helper has started ends with it.
        process = subprocess.Popen(  # noqa: S603 (no shell, and the name is checked)
            [program, "get"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, process_group=0
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not installed") from None
    except OSError as error:
        more = f"; {RAISE}" if is_exhausted(error) else ""
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
    """Put the question, which a pipe always has room for, and read the answer. Raises TimeoutError and HelperFailed."""
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
