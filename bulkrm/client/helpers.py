"""Credential helpers: programs that keep passwords for Docker and the like.

The protocol is that of github.com/docker/docker-credential-helpers: `docker-credential-NAME get` reads a registry's name
from standard input and writes `{"ServerURL", "Username", "Secret"}`. A failure is a text on standard output and exit
code 1, one of them being that there are no credentials, which means anonymous.
"""

import json
import re
import subprocess

from bulkrm.model.errors import BulkrmError
from bulkrm.model.reference import HUB
from bulkrm.model.secret import Secret
from bulkrm.model.settings import Credential, IdentityToken, Login

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NONE = "credentials not found"  # in native keychain
_SECONDS = 30.0
# Docker knows its own registry by this key alone.
_KEYS = {HUB: "https://index.docker.io/v1/"}
_IDENTITY = "<token>"  # in the place of a user


class HelperFailed(BulkrmError):  # noqa: N818 (it reads as what happened)
    """A helper is not there, or did not do what helpers do. The text holds nothing of what it keeps."""


def ask_helper(name: str, key: str, seconds: float = _SECONDS) -> Credential | None:
    """Return what a helper keeps for a registry; None where it keeps nothing. Raises HelperFailed.

    `key`: the registry in its normal form, or as `docker login` wrote it down.
    """
    program = f"docker-credential-{name}"
    if _NAME.fullmatch(name) is None:
        raise HelperFailed("it has no name that a program could have")
    try:
        done = subprocess.run(  # noqa: S603 (no shell, and the name is checked)
            [program, "get"], input=_KEYS.get(key, key).encode(), capture_output=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not installed") from None
    except subprocess.TimeoutExpired:
        raise HelperFailed(f"{program} did not answer in {seconds:g} s") from None
    except OSError as error:
        raise HelperFailed(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        if _NONE in done.stdout.decode(errors="replace"):
            return None
        raise HelperFailed(
            f"{program} failed with exit code {done.returncode} (what it said may hold secrets, so it is not shown)"
        )
    return _credential(program, done.stdout)


def _credential(program: str, answer: bytes) -> Credential | None:
    try:
        fields = json.loads(answer)
        user, secret = fields["Username"], fields["Secret"]
    except (ValueError, LookupError, TypeError):
        raise HelperFailed(f"{program} answered something that is no user and password") from None
    if not (isinstance(user, str) and isinstance(secret, str) and user and secret):
        return None
    try:
        (user + secret).encode()
    except UnicodeEncodeError:
        raise HelperFailed(f"{program} answered with what is no text") from None
    return IdentityToken(Secret(secret)) if user == _IDENTITY else Login(user, Secret(secret))
