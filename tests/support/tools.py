"""Other programs that log in to registries. If one is missing, its tests are skipped, with a message how to install it."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.support.giving_up import SECONDS

_PACKAGES = {
    "podman": "apt-get install podman",
    "skopeo": "apt-get install skopeo",
    "docker": "install Docker's command line: https://docs.docker.com/engine/install/",
    "crane": "go install github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "regctl": "go install github.com/regclient/regclient/cmd/regctl@latest",
    "pass": "apt-get install pass",
    "gpg": "apt-get install gnupg",
    "docker-credential-pass": "apt-get install golang-docker-credential-helpers",
    "gpgconf": "apt-get install gnupg",
    "bash": "apt-get install bash",
    "zsh": "apt-get install zsh",
    "fish": "apt-get install fish",
}


def program(name: str) -> str:
    """Return the path of a program; skip the test if it is missing, or does not work for whoever runs the tests."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: {_PACKAGES[name]}")
    if name == "podman" and (why := _of_podman(found)):
        pytest.skip(why)
    return found


@functools.cache
def _of_podman(path: str) -> str:
    """Say why podman does nothing at all, if so: it wants a user namespace, which a container may not make."""
    tried = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
    return tried.stderr if tried.returncode else ""


def call(*command: str, stdin: str = "", env: Mapping[str, str] | None = None, may_fail: bool = False) -> str:
    """Run a program to its end, and return what it wrote to standard output."""
    result = subprocess.run(  # noqa: S603 (programs of the tests)
        [program(command[0]), *command[1:]],
        input=stdin, capture_output=True, text=True, check=False, timeout=SECONDS, env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert may_fail or result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@contextmanager
def password_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Create a store of `pass` with a key of its own, which exists until the block is left."""
    for name in ("gpg", "pass", "docker-credential-pass"):
        program(name)
    # Not in the test's folder: the socket of gpg's agent has to have a short name.
    with tempfile.TemporaryDirectory(prefix="bulkrm-gpg-") as folder:
        monkeypatch.setenv("GNUPGHOME", folder)
        monkeypatch.setenv("PASSWORD_STORE_DIR", f"{folder}/store")
        try:
            call("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "test", "default", "default")
            call("pass", "init", "test")
            yield
        finally:
            call("gpgconf", "--kill", "all", may_fail=True)


def store_password(url: str, username: str, secret: str) -> None:
    """Store a password by the helper, as `docker login` does."""
    call(
        "docker-credential-pass", "store", stdin=json.dumps({"ServerURL": url, "Username": username, "Secret": secret})
    )
